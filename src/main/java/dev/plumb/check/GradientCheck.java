package dev.plumb.check;

import dev.plumb.model.ParameterLayout;

/**
 * How one tensor's gradient compares with finite differences of the loss.
 *
 * @param compared coordinates that were compared
 * @param skipped coordinates left out, since the loss has a kink between the two points of their difference
 * @param worst flat index, within the slice, of the coordinate with the largest error in units of its tolerance; -1 where none
 *     was compared
 * @param gradient the backend's value there
 * @param difference the finite difference there
 * @param units the error there in units of its tolerance
 */
public record GradientCheck(
    ParameterLayout.Slice slice, int compared, int skipped, int worst, double gradient, double difference, double units) {

  /** A tensor of which nothing could be compared is not all right: nothing was shown. */
  public boolean ok() {
    return compared > 0 && units <= 1;
  }

  public double error() {
    return Math.abs(gradient - difference);
  }
}
