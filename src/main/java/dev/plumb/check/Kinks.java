package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.BitSet;

/**
 * Elements for which device and reference are on different sides of a jump of a derivative (relu and leaky_relu at 0, mae at the
 * target; the derivatives of elu and huber do not jump) although Z agrees within its bounds. Both are correct there, but their D
 * differ by more than rounding. Such an element of D is skipped, with all D of the same row in the layers below. Gradients are
 * compared without the contribution of these rows, D·A of each side, so that the rest of the sum is still checked in full.
 *
 * <p>Nothing is skipped if the reference repeats the device's operations: then both sides take derivatives at the device's Z and H.
 */
final class Kinks {
  private final NetworkSpec network;
  private final StepRows rows;
  private final BitSet[] skipped;

  Kinks(NetworkSpec network, TrainingSpec training, StepTrace device, StepTrace reference, Bounds bounds, StepRows rows) {
    this.network = network;
    this.rows = rows;
    skipped = new BitSet[network.layerCount()];
    BitSet rowsAbove = new BitSet();
    for (int layer = network.layerCount() - 1; layer >= 0; layer--) {
      skipped[layer] = new BitSet();
      int units = network.layer(layer).out();
      boolean output = layer == network.layerCount() - 1;
      boolean kinked = !bounds.repeatsOperations()
          && (output ? training.loss() == Loss.MAE : hasKink(network.activation()));
      BitSet crossed = new BitSet();
      for (int at = 0; at < rows.size() * units; at++) {
        double kink = kinked && output ? rows.y(at / units, at % units) : 0;
        double here = device.z()[layer][at];
        double there = reference.z()[layer][at];
        boolean crosses = kinked && Math.abs(here - there) <= bounds.pre(layer)
            && side(here - kink, output) != side(there - kink, output);
        if (crosses) {
          crossed.set(at / units);
        }
        skipped[layer].set(at, crosses || rowsAbove.get(at / units));
      }
      rowsAbove.or(crossed);
    }
  }

  private static boolean hasKink(Activation activation) {
    return activation == Activation.RELU || activation == Activation.LEAKY_RELU;
  }

  /** Returns the side of a kink: relu and leaky_relu have at 0 the derivative of negative values, mae has a third one. */
  private static int side(double distance, boolean hasOwnValueAtKink) {
    return distance > 0 ? 1 : hasOwnValueAtKink && distance == 0 ? 0 : -1;
  }

  BitSet delta(int layer) {
    return skipped[layer];
  }

  /** Returns the elements of a gradient to which no row is left that contributes. */
  BitSet gradient(ParameterLayout.Slice slice) {
    BitSet empty = new BitSet();
    for (int at = 0; at < slice.size(); at++) {
      boolean any = false;
      for (int i = 0; i < rows.size() && !any; i++) {
        any = !skipped[slice.layer()].get(i * slice.rows() + at / slice.columns());
      }
      empty.set(at, !any);
    }
    return empty;
  }

  /** Returns the gradient of one side without the contribution of the skipped rows. */
  double[] withoutSkipped(ParameterLayout.Slice slice, StepTrace side) {
    int layer = slice.layer();
    double[] gradient = new double[slice.size()];
    System.arraycopy(side.gradients(), slice.offset(), gradient, 0, gradient.length);
    BitSet out = skipped[layer];
    for (int at = out.nextSetBit(0); at >= 0; at = out.nextSetBit(at + 1)) {
      int i = at / slice.rows();
      int unit = at % slice.rows();
      for (int k = 0; k < slice.columns(); k++) {
        double in = slice.isBias() ? 1
            : layer == 0 ? rows.x(i, k) : side.a()[layer - 1][i * network.layer(layer).in() + k];
        gradient[unit * slice.columns() + k] -= side.delta()[layer][at] * in;
      }
    }
    return gradient;
  }
}
