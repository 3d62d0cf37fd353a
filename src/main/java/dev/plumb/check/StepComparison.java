package dev.plumb.check;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tolerance;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * One step of one replica, the device's against the reference's, in the order in which values come from each other: Z and A
 * layer by layer upwards, D downwards, the loss, the gradients in the order in which backpropagation reaches them, then the
 * moments and the parameters that the update left. So the first tensor that is out of bounds is where it went wrong, and not
 * a consequence.
 */
final class StepComparison {
  private final NetworkSpec network;
  private final ParameterLayout layout;
  private final Tolerances accuracy;
  private final int replica;
  private final StepTrace device;
  private final StepTrace reference;
  private final StepRows rows;
  private final Bounds bounds;
  private final Kinks kinks;
  private final List<TensorCheck> checks = new ArrayList<>();
  private boolean diverged;

  /** @param before the parameters before the step */
  StepComparison(NetworkSpec network, TrainingSpec training, int replica, double[] before, StepTrace device,
      StepTrace reference, StepRows rows) {
    this.network = network;
    this.layout = ParameterLayout.of(network);
    this.accuracy = Tolerances.of(training.precision());
    this.replica = replica;
    this.device = device;
    this.reference = reference;
    this.rows = rows;
    bounds = new Bounds(network, training, before, reference, rows);
    kinks = new Kinks(network, training.loss(), device, reference, bounds, rows);
  }

  /** All up to the gradients. */
  void compareInside() {
    int last = network.layerCount() - 1;
    for (int layer = 0; layer <= last; layer++) {
      tap(Quantity.PRE, layer, device.z(), reference.z(), bounds.pre(layer), new BitSet());
      tap(Quantity.POST, layer, device.a(), reference.a(), bounds.post(layer), new BitSet());
    }
    for (int layer = last; layer >= 0; layer--) {
      tap(Quantity.DELTA, layer, device.delta(), reference.delta(), bounds.delta(layer), kinks.delta(layer));
    }
    compare(StepTensor.ofLoss(last), new double[] {device.loss()}, new double[] {reference.loss()},
        new Tolerance(bounds.loss(), 0), new BitSet());
    for (ParameterLayout.Slice slice : backwards()) {
      compare(StepTensor.ofSlice(Quantity.GRADIENT, slice), kinks.withoutLeftOut(slice, device),
          kinks.withoutLeftOut(slice, reference), new Tolerance(bounds.gradient(slice), 0), kinks.gradient(slice));
    }
  }

  /**
   * The update. The parameters are held to their change, which is small beside them, and to the rounding of keeping them.
   *
   * @param before the state before the step, the same on both sides
   * @param after the device's state after it
   * @param expected the reference's state after an update from the device's gradients
   */
  void compareUpdate(Map<Slot, double[]> before, Map<Slot, double[]> after, Map<Slot, double[]> expected) {
    for (ParameterLayout.Slice slice : backwards()) {
      for (Slot slot : List.of(Slot.MOMENT1, Slot.MOMENT2, Slot.PARAMETERS)) {
        if (before.containsKey(slot)) {
          update(slot, slice, part(before.get(slot), slice), part(after.get(slot), slice), part(expected.get(slot), slice));
        }
      }
    }
  }

  /** In the order of comparison; ends with the tensor in which the replica diverged. */
  List<TensorCheck> checks() {
    return checks;
  }

  private void update(Slot slot, ParameterLayout.Slice slice, double[] before, double[] after, double[] expected) {
    boolean parameters = slot == Slot.PARAMETERS;
    Quantity quantity = parameters ? Quantity.PARAMETERS : slot == Slot.MOMENT1 ? Quantity.MOMENT1 : Quantity.MOMENT2;
    double size = 0;
    double largestBefore = Bounds.largest(before);
    for (int i = 0; i < expected.length; i++) {
      double of = parameters ? Math.abs(expected[i] - before[i]) : Math.max(largestBefore, Math.abs(expected[i]));
      size = of > size ? of : size;
    }
    // A decay and a step are two roundings of a parameter, and it may have been larger before.
    double kept = parameters ? 4 * accuracy.roundoff() : 0;
    double absolute = bounds.update(size) + kept * size;
    compare(StepTensor.ofSlice(quantity, slice), after, expected, new Tolerance(absolute, kept), new BitSet());
  }

  private void tap(Quantity quantity, int layer, double[][] actual, double[][] expected, double bound, BitSet skipped) {
    compare(StepTensor.ofTap(quantity, layer, rows.size(), network.layer(layer).out()), actual[layer], expected[layer],
        new Tolerance(bound, 0), skipped);
  }

  private void compare(StepTensor tensor, double[] actual, double[] expected, Tolerance tolerance, BitSet skipped) {
    if (diverged) {
      return;
    }
    // Bounds beyond a format come from values whose squares or sums are: what they are of cannot be told from infinity.
    boolean beyond = !(tolerance.absolute() / accuracy.roundoff() < accuracy.largest());
    int compared = 0;
    int worst = -1;
    double worstUnits = -1;
    boolean bothBeyond = false;
    ErrorHistogram decades = new ErrorHistogram();
    for (int i = 0; i < actual.length; i++) {
      if (skipped.get(i)) {
        continue;
      }
      boolean expectedIsBeyond = beyond || !(Math.abs(expected[i]) <= accuracy.largest());
      if (expectedIsBeyond && (beyond || !Double.isFinite(actual[i]))) {
        bothBeyond = true;
        continue;
      }
      compared++;
      double units = tolerance.units(actual[i], expected[i]);
      decades.add(units);
      if (units > worstUnits) {
        worst = i;
        worstUnits = units;
      }
    }
    double at = worst < 0 ? Double.NaN : expected[worst];
    TensorCheck check = new TensorCheck(tensor, replica, compared, skipped.cardinality(), worst,
        worst < 0 ? Double.NaN : actual[worst], at, worstUnits, tolerance.absolute() + tolerance.relative() * Math.abs(at),
        Bounds.largest(expected), bothBeyond, decades);
    checks.add(check);
    diverged = check.verdict() == TensorCheck.Verdict.DIVERGED;
  }

  private List<ParameterLayout.Slice> backwards() {
    List<ParameterLayout.Slice> slices = new ArrayList<>();
    for (int layer = network.layerCount() - 1; layer >= 0; layer--) {
      slices.add(layout.bias(layer));
      slices.add(layout.weight(layer));
    }
    return slices;
  }

  private static double[] part(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }
}
