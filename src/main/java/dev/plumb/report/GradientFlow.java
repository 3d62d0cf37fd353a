package dev.plumb.report;

import java.util.Arrays;

/**
 * What gradient norms say of depth, in a sentence: measured between the last and the first hidden layer, as in the notebook. From
 * a factor of 100 on a gradient is said to vanish or explode, from 10 on to fall or grow.
 */
final class GradientFlow {
  private static final double MUCH = 100;
  private static final double SOME = 10;

  private GradientFlow() {}

  /**
   * @param norms per layer, the output layer last; at least one
   * @param when the start of the sentence: "At the end"
   */
  static String sentence(String when, double[] norms) {
    if (!Arrays.stream(norms).allMatch(Double::isFinite)) {
      return when + " gradient norms are not finite: the training diverged.";
    }
    if (norms.length == 1) {
      return when + " the gradient norm of the only layer is " + Figures.brief(norms[0]) + ".";
    }
    double first = norms[0];
    if (norms.length == 2) {
      return when + " the gradient norm is " + Figures.brief(first) + " in the only hidden layer and " + Figures.brief(norms[1])
          + " in the output layer.";
    }
    double last = norms[norms.length - 2];
    if (first == 0 || last == 0) {
      return when + " the gradient norm is " + Figures.brief(last) + " in the last hidden layer and " + Figures.brief(first)
          + " in the first: " + (first == 0 ? "the first layer no longer learns." : "the last hidden layer no longer learns.");
    }
    double fall = last / first;
    String ends = Figures.brief(last) + " in the last hidden layer to " + Figures.brief(first) + " in the first, by a factor of "
        + Figures.factor(Math.max(fall, 1 / fall));
    if (fall >= SOME) {
      return when + " the gradient norm falls from " + ends + (fall >= MUCH
          ? ": it vanishes on its way to the first layer."
          : ": it shrinks on its way to the first layer, but does not vanish.");
    }
    if (fall <= 1 / SOME) {
      return when + " the gradient norm grows from " + ends + (fall <= 1 / MUCH
          ? ": it explodes on its way to the first layer."
          : ": it grows on its way to the first layer, but does not explode.");
    }
    return when + " the gradient norm is " + Figures.brief(last) + " in the last hidden layer and " + Figures.brief(first)
        + " in the first, a factor of " + Figures.factor(Math.max(fall, 1 / fall))
        + ": over the depth it neither vanishes nor explodes.";
  }

  /**
   * Whether the norm changes by a factor of ten or more between the last and the first hidden layer, or is no positive number
   * there.
   */
  static boolean isUneven(double[] norms) {
    double fall = norms[norms.length - 2] / norms[0];
    return !(fall < SOME && fall > 1 / SOME);
  }

  /** For a cell of a table: the last hidden layer's norm over the first's, and what that is called. */
  static String word(double[] norms) {
    if (norms.length < 3) {
      return "-";
    }
    double fall = norms[norms.length - 2] / norms[0];
    if (!Double.isFinite(fall) || fall == 0) {
      return Figures.brief(fall);
    }
    String said = fall >= MUCH ? " vanishes" : fall <= 1 / MUCH ? " explodes" : "";
    return (fall >= 1 ? Figures.cell(fall) : "1/" + Figures.cell(1 / fall)) + said;
  }
}
