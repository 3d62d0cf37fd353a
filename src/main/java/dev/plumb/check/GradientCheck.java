package dev.plumb.check;

import dev.plumb.model.ParameterLayout;

/**
 * The comparison of one tensor's gradient with finite differences of the loss.
 *
 * @param compared coordinates that were compared
 * @param skipped coordinates that were not compared because the loss has a kink between the two points of their difference
 * @param worst flat index, within the slice, of the coordinate with the largest error in units of its tolerance; -1 where none
 *     was compared
 * @param gradient the backend's value there
 * @param difference the finite difference there
 * @param units the error there in units of its tolerance
 */
public record GradientCheck(
    ParameterLayout.Slice slice, int compared, int skipped, int worst, double gradient, double difference, double units) {

  /** Returns whether coordinates were compared and all of them agree. */
  public boolean ok() {
    return compared > 0 && units <= 1;
  }

  public double error() {
    return Math.abs(gradient - difference);
  }
}
