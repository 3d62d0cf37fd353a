package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A group of networks of one shape and activation that are trained as replicas of one session. The result of each does not depend
 * on the others.
 *
 * @param numbers network numbers in ascending order; with dropout, whose masks depend on the replica, consecutive and of one cell
 */
record ReplicaGroup(GridStudy study, int[] numbers) {
  /** ln 99: beyond it a sigmoid is within 0.01 of its limits. */
  private static final double SATURATED_SIGMOID = Math.log(99);

  /** Beyond it tanh is within 0.02 of its limits: tanh(z) = 2 sigmoid(2z) - 1. */
  private static final double SATURATED_TANH = SATURATED_SIGMOID / 2;

  NetworkSpec network() {
    return study.cellOf(numbers[0]).network();
  }

  TrainingSpec training() {
    TrainingSpec training = study.spec().training();
    return training.dropout().isEmpty() ? training
        : training.withDropout(new Dropout(training.dropout().get().probability(), study.seedOf(numbers[0])));
  }

  double[] learningRates() {
    return Arrays.stream(numbers).mapToDouble(number -> study.cellOf(number).learningRate()).toArray();
  }

  /** A session with the networks' initial weights, and the streams from which they were drawn. */
  TrainingSession open(Backend backend, List<NumpyRandom> streams) {
    TrainingSession session = backend.open(network(), training(), numbers.length);
    try {
      for (int replica = 0; replica < numbers.length; replica++) {
        NumpyRandom stream = new NumpyRandom(study.seedOf(numbers[replica]));
        NotebookData.skip(study.spec().samples(), stream);
        session.write(Slot.PARAMETERS, replica, study.cellOf(numbers[replica]).initializer().draw(network(), stream));
        streams.add(stream);
      }
      return session;
    } catch (RuntimeException | Error e) {
      session.close();
      throw e;
    }
  }

  /** @param onEpochs receives from time to time how many epochs are done; its exceptions end the training */
  List<GridRow> train(Backend backend, Dataset data, IntConsumer onEpochs) {
    long start = System.nanoTime();
    List<NumpyRandom> streams = new ArrayList<>();
    try (TrainingSession session = open(backend, streams)) {
      List<BatchOrder> orders = streams.stream()
          .map(stream -> new BatchOrder(data.rows(), training().batchSize(), study.spec().shuffle(), stream)).toList();
      Trainer.Outcome outcome = new Trainer(session, training(), data, orders, study.curveEpochs(), onEpochs)
          .withLearningRates(learningRates())
          .keepGradientNorms()
          .train();
      double[] finalLoss = session.evaluate(data).loss();
      Aftermath after = new Aftermath(session, data, orders);
      double seconds = (System.nanoTime() - start) / 1e9 / numbers.length;
      List<GridRow> rows = new ArrayList<>();
      for (int replica = 0; replica < numbers.length; replica++) {
        rows.add(row(replica, outcome, finalLoss[replica], after, seconds));
      }
      return rows;
    }
  }

  private GridRow row(int replica, Trainer.Outcome outcome, double finalLoss, Aftermath after, double seconds) {
    int epochs = training().epochs();
    int found = outcome.divergedAtEpoch()[replica];
    int diverged = found == 0 && !Double.isFinite(finalLoss) ? epochs : found;
    int layers = network().layerCount();
    List<Integer> curve = study.curveEpochs();
    double[] losses = new double[curve.size()];
    float[] norms = new float[curve.size() * layers];
    for (int i = 0; i < losses.length; i++) {
      int epoch = curve.get(i);
      boolean known = diverged == 0 || epoch < diverged;
      losses[i] = known ? outcome.lossAtEpoch().get(epoch)[replica] : Double.NaN;
      for (int layer = 0; layer < layers; layer++) {
        norms[i * layers + layer] = known ? (float) outcome.gradientNormsAtEpoch().get(epoch)[replica][layer] : Float.NaN;
      }
    }
    double[] last = new double[layers];
    Arrays.setAll(last, layer -> diverged == 0 ? outcome.gradientNorms()[replica][layer] : Double.NaN);
    boolean well = diverged == 0;
    return new GridRow(numbers[replica], diverged, seconds, well ? finalLoss : Double.NaN, losses, last, norms,
        GridRow.array(layers, layer -> well ? after.updateRatio[replica][layer] : Double.NaN),
        GridRow.array(layers - 1, layer -> well ? after.idle[replica][layer] : Double.NaN));
  }

  /** Measurements of one further step: how far it moves the weights, and the share of dead or saturated units. */
  private final class Aftermath {
    private final double[][] updateRatio;
    private final double[][] idle;

    Aftermath(TrainingSession session, Dataset data, List<BatchOrder> orders) {
      double[][] before = new double[numbers.length][session.layout().size()];
      for (int replica = 0; replica < numbers.length; replica++) {
        session.read(Slot.PARAMETERS, replica, before[replica]);
      }
      int[][][] batches = new int[1][numbers.length][];
      Arrays.setAll(batches[0], replica -> orders.get(replica).nextEpoch()[0]);
      StepChunk.Builder step = StepChunk.of(1).learningRates(new double[][] {learningRates()});
      session.run((batches[0][0] == null ? step : step.replicaBatches(batches)).build());
      session.sync();
      updateRatio = new double[numbers.length][network().layerCount()];
      idle = new double[numbers.length][network().layerCount() - 1];
      int rows = batches[0][0] == null ? data.rows() : batches[0][0].length;
      double[] after = new double[session.layout().size()];
      for (int replica = 0; replica < numbers.length; replica++) {
        session.read(Slot.PARAMETERS, replica, after);
        for (int layer = 0; layer < network().layerCount(); layer++) {
          updateRatio[replica][layer] = ratio(session.layout().weight(layer), before[replica], after);
        }
        for (int layer = 0; layer < network().layerCount() - 1; layer++) {
          idle[replica][layer] = session instanceof Tapped tapped ? idle(tapped, layer, replica, rows) : Double.NaN;
        }
      }
    }

    private double ratio(ParameterLayout.Slice weights, double[] before, double[] after) {
      double moved = 0;
      double size = 0;
      for (int i = weights.offset(); i < weights.offset() + weights.size(); i++) {
        moved += (after[i] - before[i]) * (after[i] - before[i]);
        size += before[i] * before[i];
      }
      return Math.sqrt(moved) / Math.sqrt(size);
    }

    private double idle(Tapped session, int layer, int replica, int rows) {
      Activation activation = network().activation();
      if (activation != Activation.RELU && activation != Activation.SIGMOID && activation != Activation.TANH) {
        return Double.NaN;
      }
      int units = network().layer(layer).out();
      double[] sums = new double[rows * units];
      session.tap(Tap.PRE, layer, replica, sums);
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
}
