package dev.plumb.check;

import dev.plumb.model.NamedEnum;

/**
 * The comparison of one tensor of a device with the reference's.
 *
 * @param compared elements that were compared
 * @param skipped elements not compared because device and reference are on different sides of a kink
 * @param worst flat index of the element with the largest error relative to its bound; -1 where none was compared
 * @param actual the device's value there
 * @param expected the reference's value there
 * @param units the error there divided by its bound; infinite where a value is not finite, or where the device's value is not a
 *     number of the format in which it should be stored
 * @param allowed the bound there: the largest error that is accepted
 * @param largest absolute value of the reference's elements
 * @param diverged whether both are beyond the range of the format at the same place, so that later tensors are not comparable
 * @param errors the distribution of all errors relative to their bounds
 */
public record TensorCheck(
    StepTensor tensor,
    int replica,
    int compared,
    int skipped,
    int worst,
    double actual,
    double expected,
    double units,
    double allowed,
    double largest,
    boolean diverged,
    ErrorHistogram errors) {

  /** The result of a comparison. */
  public enum Verdict implements NamedEnum {
    OK,
    WRONG,
    DIVERGED,
    NOT_CHECKED
  }

  public Verdict verdict() {
    if (units > 1) {
      return Verdict.WRONG;
    }
    return diverged ? Verdict.DIVERGED : compared == 0 ? Verdict.NOT_CHECKED : Verdict.OK;
  }

  public double error() {
    return Math.abs(actual - expected);
  }
}
