package dev.plumb.check;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;

/**
 * The values that one replica computed in its last step.
 *
 * @param z [layer][batch x units], the products with bias (Z)
 * @param h [layer][batch x units], the inputs of the activation (H): Z itself in layers without normalization
 * @param a [layer][batch x units], the outputs of the layer (A)
 * @param delta [layer][batch x units], the gradient of the loss with respect to z
 * @param gradients [layout size]
 */
record StepTrace(double[][] z, double[][] h, double[][] a, double[][] delta, double loss, double[] gradients) {
  static StepTrace read(TrainingSession session, NetworkSpec network, int replica, int batch, double loss) {
    double[][] z = taps(session, network, Tap.PRE, replica, batch);
    return new StepTrace(
        z,
        network.normalization() == Normalization.NONE ? z : normalized(session, network, replica, batch, z),
        taps(session, network, Tap.POST, replica, batch),
        taps(session, network, Tap.DELTA, replica, batch),
        loss,
        vector(session, Slot.GRADIENTS, replica));
  }

  static double[] vector(TrainingSession session, Slot slot, int replica) {
    double[] values = new double[session.layout().size()];
    session.read(slot, replica, values);
    return values;
  }

  private static double[][] taps(TrainingSession session, NetworkSpec network, Tap where, int replica, int batch) {
    double[][] values = new double[network.layerCount()][];
    for (int layer = 0; layer < values.length; layer++) {
      values[layer] = tap(session, network, where, layer, replica, batch);
    }
    return values;
  }

  /** Returns H of hidden layers, and Z of the last layer, which is not normalized. */
  private static double[][] normalized(TrainingSession session, NetworkSpec network, int replica, int batch, double[][] z) {
    double[][] values = z.clone();
    for (int layer = 0; layer < values.length - 1; layer++) {
      values[layer] = tap(session, network, Tap.NORMALIZED, layer, replica, batch);
    }
    return values;
  }

  private static double[] tap(TrainingSession session, NetworkSpec network, Tap where, int layer, int replica, int batch) {
    double[] values = new double[batch * network.layer(layer).out()];
    ((Tapped) session).tap(where, layer, replica, values);
    return values;
  }
}
