package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.BitSet;

/**
 * Where a device and the reference stand on different sides of a jump of a derivative (relu's and leaky_relu's at 0, mae's at
 * the target; elu's and huber's derivatives do not jump) although Z agrees within its bounds: both are right there, and their
 * D differ by more than rounding. Such an element of D is left out, with all D of the same row below it. The gradients are
 * compared without the rows' part in them, which is D·A of each side: so the rest of the sum is still checked in full.
 */
final class Kinks {
  private final NetworkSpec network;
  private final StepRows rows;
  private final BitSet[] leftOut;

  Kinks(NetworkSpec network, Loss loss, StepTrace device, StepTrace reference, Bounds bounds, StepRows rows) {
    this.network = network;
    this.rows = rows;
    leftOut = new BitSet[network.layerCount()];
    BitSet rowsAbove = new BitSet();
    for (int layer = network.layerCount() - 1; layer >= 0; layer--) {
      leftOut[layer] = new BitSet();
      int units = network.layer(layer).out();
      boolean output = layer == network.layerCount() - 1;
      boolean kinked = output ? loss == Loss.MAE : hasKink(network.activation());
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
        leftOut[layer].set(at, crosses || rowsAbove.get(at / units));
      }
      rowsAbove.or(crossed);
    }
  }

  private static boolean hasKink(Activation activation) {
    return activation == Activation.RELU || activation == Activation.LEAKY_RELU;
  }

  /** The derivatives of relu and leaky_relu at 0 are those below it; mae's is one of its own. */
  private static int side(double distance, boolean three) {
    return distance > 0 ? 1 : three && distance == 0 ? 0 : -1;
  }

  BitSet delta(int layer) {
    return leftOut[layer];
  }

  /** The elements of a gradient of which no row is left. */
  BitSet gradient(ParameterLayout.Slice slice) {
    BitSet empty = new BitSet();
    for (int at = 0; at < slice.size(); at++) {
      boolean any = false;
      for (int i = 0; i < rows.size() && !any; i++) {
        any = !leftOut[slice.layer()].get(i * slice.rows() + at / slice.columns());
      }
      empty.set(at, !any);
    }
    return empty;
  }

  /** One side's gradient without the part of the rows that are left out. */
  double[] withoutLeftOut(ParameterLayout.Slice slice, StepTrace side) {
    int layer = slice.layer();
    double[] gradient = new double[slice.size()];
    System.arraycopy(side.gradients(), slice.offset(), gradient, 0, gradient.length);
    BitSet out = leftOut[layer];
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
