package dev.plumb.check;

import dev.plumb.backend.Slot;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;

/**
 * The values that one replica computed in its last step.
 *
 * @param z [layer][batch x units], before the activation (Z)
 * @param a [layer][batch x units], after the activation (A)
 * @param delta [layer][batch x units], the gradient of the loss with respect to z
 * @param gradients [layout size]
 */
record StepTrace(double[][] z, double[][] a, double[][] delta, double loss, double[] gradients) {
  static StepTrace read(TrainingSession session, NetworkSpec network, int replica, int batch, double loss) {
    return new StepTrace(
        taps(session, network, Tap.PRE, replica, batch),
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
      values[layer] = new double[batch * network.layer(layer).out()];
      ((Tapped) session).tap(where, layer, replica, values[layer]);
    }
    return values;
  }
}
