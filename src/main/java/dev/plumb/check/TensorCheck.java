package dev.plumb.check;

import dev.plumb.model.NamedEnum;

/**
 * How one tensor of a device compares with the reference's.
 *
 * @param compared elements that were compared
 * @param skipped elements left out, since the two stand on different sides of a kink
 * @param worst flat index of the element with the largest error in units of what is allowed; -1 where none was compared
 * @param actual the device's value there
 * @param expected the reference's value there
 * @param units the error there in units of what is allowed; infinite where a value is not finite
 * @param allowed the error that would be accepted there
 * @param largest absolute value of the reference's elements
 * @param diverged whether the two are beyond the numbers of their format at the same place: nothing behind it says anything
 * @param decades the distribution of all errors, in units of what is allowed
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
    ErrorHistogram decades) {

  /** What comes of a comparison. */
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
