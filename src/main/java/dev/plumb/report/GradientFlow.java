package dev.plumb.report;

import java.util.Arrays;

/**
 * Sentences about the change of gradient norms from the last hidden layer to the first, as in the notebook. From a factor of 100
 * on a gradient is said to vanish or explode, from 10 on to shrink or grow.
 */
final class GradientFlow {
  private static final double VANISHING = 100;
  private static final double UNEVEN = 10;

  private GradientFlow() {}

  /**
   * Returns a sentence about the norms.
   *
   * @param norms per layer, the output layer last; at least one
   * @param when the start of the sentence: "At the end"
   */
  static String sentence(String when, double[] norms) {
    if (!Arrays.stream(norms).allMatch(Double::isFinite)) {
      return when + " gradient norms are not finite: the training diverged.";
    }
    if (norms.length == 1) {
      return when + " the gradient norm of the only layer is " + Format.brief(norms[0]) + ".";
    }
    double first = norms[0];
    if (norms.length == 2) {
      return when + " the gradient norm is " + Format.brief(first) + " in the only hidden layer and " + Format.brief(norms[1])
          + " in the output layer.";
    }
    double last = norms[norms.length - 2];
    if (first == 0 || last == 0) {
      return when + " the gradient norm is " + Format.brief(last) + " in the last hidden layer and " + Format.brief(first)
          + " in the first: " + (first == 0 ? "the first layer no longer learns." : "the last hidden layer no longer learns.");
    }
    double ratio = last / first;
    String ends = Format.brief(last) + " in the last hidden layer to " + Format.brief(first) + " in the first, by a factor of "
        + Format.factor(Math.max(ratio, 1 / ratio));
    if (ratio >= UNEVEN) {
      return when + " the gradient norm falls from " + ends + (ratio >= VANISHING
          ? ": it vanishes toward the first layer."
          : ": it shrinks toward the first layer, but does not vanish.");
    }
    if (ratio <= 1 / UNEVEN) {
      return when + " the gradient norm grows from " + ends + (ratio <= 1 / VANISHING
          ? ": it explodes toward the first layer."
          : ": it grows toward the first layer, but does not explode.");
    }
    return when + " the gradient norm is " + Format.brief(last) + " in the last hidden layer and " + Format.brief(first)
        + " in the first, a factor of " + Format.factor(Math.max(ratio, 1 / ratio))
        + ": it neither vanishes nor explodes.";
  }

  /**
   * Returns whether the norm changes by a factor of ten or more between the last and the first hidden layer, or is not a positive
   * number there.
   */
  static boolean isUneven(double[] norms) {
    double ratio = norms[norms.length - 2] / norms[0];
    return !(ratio < UNEVEN && ratio > 1 / UNEVEN);
  }

  /** Returns the ratio of the last hidden layer's norm to the first's, and "vanishes" or "explodes" if it does, for a table. */
  static String ratio(double[] norms) {
    if (norms.length < 3) {
      return "-";
    }
    double ratio = norms[norms.length - 2] / norms[0];
    if (!Double.isFinite(ratio) || ratio == 0) {
      return Format.brief(ratio);
    }
    String verdict = ratio >= VANISHING ? " vanishes" : ratio <= 1 / VANISHING ? " explodes" : "";
    return (ratio >= 1 ? Format.cell(ratio) : "1/" + Format.cell(1 / ratio)) + verdict;
  }
}
