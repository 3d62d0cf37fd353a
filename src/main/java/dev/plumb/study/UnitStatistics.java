package dev.plumb.study;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.train.Trainer;
import java.util.Arrays;

/**
 * Measurements of one further step after a training: how far it moves the weights, and the share of dead or saturated units.
 *
 * @param updateRatios [replica][layer] the norm of the step's change of W over the norm of W
 * @param idle [replica][hidden layer]; see {@link TrialRow#idle}
 */
record UnitStatistics(double[][] updateRatios, double[][] idle) {
  /** ln 99: beyond it a sigmoid is within 0.01 of its limits. */
  private static final double SATURATED_SIGMOID = Math.log(99);

  /** Beyond it tanh is within 0.02 of its limits: tanh(z) = 2 sigmoid(2z) - 1. */
  private static final double SATURATED_TANH = SATURATED_SIGMOID / 2;

  /**
   * Runs one more step of a session and measures it.
   *
   * @param trainer the finished training, which draws the batches
   */
  static UnitStatistics measure(TrainingSession session, NetworkSpec network, Dataset data, double[] learningRates, Trainer trainer) {
    int replicas = session.replicas();
    double[][] before = new double[replicas][session.layout().size()];
    for (int replica = 0; replica < replicas; replica++) {
      session.read(Slot.PARAMETERS, replica, before[replica]);
    }
    int[][][] batches = {trainer.nextBatches()};
    StepChunk.Builder step = StepChunk.of(1).learningRates(new double[][] {learningRates});
    session.run((batches[0][0] == null ? step : step.replicaBatches(batches)).build());
    session.sync();
    double[][] updateRatios = new double[replicas][network.layerCount()];
    double[][] idle = new double[replicas][network.layerCount() - 1];
    int rows = batches[0][0] == null ? data.rows() : batches[0][0].length;
    double[] after = new double[session.layout().size()];
    for (int replica = 0; replica < replicas; replica++) {
      session.read(Slot.PARAMETERS, replica, after);
      for (int layer = 0; layer < network.layerCount(); layer++) {
        updateRatios[replica][layer] = ratio(session.layout().weight(layer), before[replica], after);
      }
      for (int layer = 0; layer < network.layerCount() - 1; layer++) {
        idle[replica][layer] = session instanceof Tapped tapped ? idle(tapped, network, layer, replica, rows) : Double.NaN;
      }
    }
    return new UnitStatistics(updateRatios, idle);
  }

  private static double ratio(ParameterLayout.Slice weights, double[] before, double[] after) {
    double moved = 0;
    double size = 0;
    for (int i = weights.offset(); i < weights.offset() + weights.size(); i++) {
      moved += (after[i] - before[i]) * (after[i] - before[i]);
      size += before[i] * before[i];
    }
    return Math.sqrt(moved) / Math.sqrt(size);
  }

  private static double idle(Tapped session, NetworkSpec network, int layer, int replica, int rows) {
    Activation activation = network.activation();
    if (activation != Activation.RELU && activation != Activation.SIGMOID && activation != Activation.TANH) {
      return Double.NaN;
    }
    int units = network.layer(layer).out();
    double[] sums = new double[rows * units];
    session.tap(network.layer(layer).normalization() == Normalization.NONE ? Tap.PRE : Tap.NORMALIZED, layer, replica, sums);
    if (activation == Activation.RELU) {
      boolean[] alive = new boolean[units];
      for (int i = 0; i < sums.length; i++) {
        alive[i % units] |= sums[i] > 0;
      }
      int dead = 0;
      for (boolean unit : alive) {
        dead += unit ? 0 : 1;
      }
      return dead / (double) units;
    }
    double edge = activation == Activation.TANH ? SATURATED_TANH : SATURATED_SIGMOID;
    return Arrays.stream(sums).filter(sum -> Math.abs(sum) > edge).count() / (double) sums.length;
  }
}
