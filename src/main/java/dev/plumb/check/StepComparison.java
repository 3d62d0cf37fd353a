package dev.plumb.check;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tolerance;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * The comparison of one step of one replica between device and reference, in the order of computation: Z, H and A layer by layer
 * upwards, D downwards, the loss, the gradients in the order of backpropagation, then moments and parameters after the update. So
 * the first tensor out of bounds is the cause, and not a consequence.
 *
 * <p>If the precision rounds factors, a device stores A of hidden layers and D in bfloat16. Their elements must be numbers of
 * that format, and may differ by half a unit in the last place more. Truncation errs by up to a whole one.
 */
final class StepComparison {
  private final NetworkSpec network;
  private final ParameterLayout layout;
  private final Tolerances tolerances;
  private final boolean roundsFactors;
  private final int replica;
  private final StepTrace device;
  private final StepTrace reference;
  private final StepRows rows;
  private final Bounds bounds;
  private final Kinks kinks;
  private final List<TensorCheck> checks = new ArrayList<>();
  private boolean diverged;

  /** @param parameters the parameters that the reference's step read: before the update, and with rounded weights if they are */
  StepComparison(NetworkSpec network, TrainingSpec training, int replica, double[] parameters, StepTrace device,
      StepTrace reference, StepRows rows) {
    this.network = network;
    this.layout = ParameterLayout.of(network);
    this.tolerances = Tolerances.of(training.precision());
    this.roundsFactors = training.precision().roundsFactors();
    this.replica = replica;
    this.device = device;
    this.reference = reference;
    this.rows = rows;
    bounds = new Bounds(
        network, training, parameters, reference, Bounds.repeatsOperations(network, training) ? device : reference, rows);
    kinks = new Kinks(network, training, device, reference, bounds, rows);
  }

  /** Compares all values up to the gradients. */
  void compareInside() {
    int last = network.layerCount() - 1;
    for (int layer = 0; layer <= last; layer++) {
      tap(Quantity.PRE, layer, device.z(), reference.z(), bounds.pre(layer), new BitSet());
      if (network.layer(layer).normalization() != Normalization.NONE) {
        tap(Quantity.NORMALIZED, layer, device.h(), reference.h(), bounds.normalized(layer), new BitSet());
      }
      tap(Quantity.POST, layer, device.a(), reference.a(), bounds.post(layer), new BitSet());
    }
    for (int layer = last; layer >= 0; layer--) {
      tap(Quantity.DELTA, layer, device.delta(), reference.delta(), bounds.delta(layer), kinks.delta(layer));
    }
    compare(StepTensor.ofLoss(last), new double[] {device.loss()}, new double[] {reference.loss()},
        new Tolerance(bounds.loss(), 0), new BitSet());
    for (ParameterLayout.Slice slice : layout.backwards()) {
      if (slice.kind().isTrained()) {
        compare(StepTensor.ofSlice(Quantity.GRADIENT, slice), kinks.withoutSkipped(slice, device),
            kinks.withoutSkipped(slice, reference), new Tolerance(bounds.gradient(slice), 0), kinks.gradient(slice));
      }
    }
  }

  /**
   * Compares the update. The bound of a parameter is relative to its change, which is small compared with the parameter, plus the
   * rounding of storing it.
   *
   * @param before the state before the step, the same on both sides
   * @param after the device's state after the step
   * @param expected the reference's state after an update from the device's gradients, and its running statistics after the step
   */
  void compareUpdate(Map<Slot, double[]> before, Map<Slot, double[]> after, Map<Slot, double[]> expected) {
    for (ParameterLayout.Slice slice : layout.backwards()) {
      for (Slot slot : List.of(Slot.MOMENT1, Slot.MOMENT2, Slot.PARAMETERS)) {
        if (!slice.kind().isTrained()) {
          if (slot == Slot.PARAMETERS) {
            statistics(slice, part(before.get(slot), slice), part(after.get(slot), slice), part(expected.get(slot), slice));
          }
        } else if (before.containsKey(slot)) {
          update(slot, slice, part(before.get(slot), slice), part(after.get(slot), slice), part(expected.get(slot), slice));
        }
      }
    }
  }

  /** Returns the checks in the order of comparison; the last one is the tensor in which the replica diverged, if it did. */
  List<TensorCheck> checks() {
    return checks;
  }

  private void update(Slot slot, ParameterLayout.Slice slice, double[] before, double[] after, double[] expected) {
    boolean parameters = slot == Slot.PARAMETERS;
    Quantity quantity = parameters ? Quantity.PARAMETERS : slot == Slot.MOMENT1 ? Quantity.MOMENT1 : Quantity.MOMENT2;
    double size = 0;
    double largestBefore = Bounds.largest(before);
    for (int i = 0; i < expected.length; i++) {
      double change = parameters ? Math.abs(expected[i] - before[i]) : Math.max(largestBefore, Math.abs(expected[i]));
      size = change > size ? change : size;
    }
    // Weight decay and the step round a parameter twice, and it may have been larger before.
    double kept = parameters ? 4 * tolerances.roundoff() : 0;
    double absolute = bounds.update(size) + kept * size;
    compare(StepTensor.ofSlice(quantity, slice), after, expected, new Tolerance(absolute, kept), new BitSet());
  }

  private void statistics(ParameterLayout.Slice slice, double[] before, double[] after, double[] expected) {
    double kept = 4 * tolerances.roundoff() * Math.max(Bounds.largest(before), Bounds.largest(expected));
    compare(StepTensor.ofSlice(Quantity.PARAMETERS, slice), after, expected,
        new Tolerance(bounds.statistics(slice) + kept, 0), new BitSet());
  }

  private void tap(Quantity quantity, int layer, double[][] actual, double[][] expected, double bound, BitSet skipped) {
    compare(StepTensor.ofTap(quantity, layer, rows.size(), network.layer(layer).out()), actual[layer], expected[layer],
        new Tolerance(bound, 0), skipped);
  }

  /** Returns a tolerance for a number that is stored in bfloat16: larger by half a unit in the last place. */
  private static Tolerance withRounding(Tolerance tolerance, double expected) {
    double halfUnit = Math.scalb(Bfloat16.ROUNDOFF, Math.max(Math.getExponent(expected), Float.MIN_EXPONENT));
    return new Tolerance(tolerance.absolute() + halfUnit, tolerance.relative());
  }

  /** Returns whether a device stores a tensor in bfloat16. */
  private boolean isRounded(StepTensor tensor) {
    return roundsFactors && (tensor.quantity() == Quantity.DELTA
        || tensor.quantity() == Quantity.POST && tensor.layer() < network.layerCount() - 1);
  }

  private void compare(StepTensor tensor, double[] actual, double[] expected, Tolerance tolerance, BitSet skipped) {
    if (diverged) {
      return;
    }
    boolean rounded = isRounded(tensor);
    // A bound beyond the range of the format comes from values whose squares or sums overflow it.
    boolean beyond = !(tolerance.absolute() / tolerances.roundoff() < tolerances.largest());
    int compared = 0;
    int worst = -1;
    double worstUnits = -1;
    double worstAllowed = Double.NaN;
    boolean bothBeyond = false;
    ErrorHistogram errors = new ErrorHistogram();
    for (int i = 0; i < actual.length; i++) {
      if (skipped.get(i)) {
        continue;
      }
      boolean expectedIsBeyond = beyond || !(Math.abs(expected[i]) <= tolerances.largest());
      if (expectedIsBeyond && (beyond || !Double.isFinite(actual[i]))) {
        bothBeyond = true;
        continue;
      }
      compared++;
      Tolerance allowed = rounded ? withRounding(tolerance, expected[i]) : tolerance;
      boolean unrounded = rounded && Bfloat16.rounded(actual[i]) != actual[i];
      double units = unrounded ? Double.POSITIVE_INFINITY : allowed.units(actual[i], expected[i]);
      errors.add(units);
      if (units > worstUnits) {
        worst = i;
        worstUnits = units;
        worstAllowed = allowed.absolute() + allowed.relative() * Math.abs(expected[i]);
      }
    }
    TensorCheck check = new TensorCheck(tensor, replica, compared, skipped.cardinality(), worst,
        worst < 0 ? Double.NaN : actual[worst], worst < 0 ? Double.NaN : expected[worst], worstUnits, worstAllowed,
        Bounds.largest(expected), bothBeyond, errors);
    checks.add(check);
    diverged = check.verdict() == TensorCheck.Verdict.DIVERGED;
  }

  private static double[] part(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }
}
