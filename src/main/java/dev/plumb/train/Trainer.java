package dev.plumb.train;

import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * Drives one session through its epochs: cuts them into chunks of steps, gives each replica its batches, and collects what was
 * asked for. One trainer trains once.
 */
public final class Trainer {
  /** Between two looks at the device: many enough that waiting costs little, few enough that progress moves. */
  private static final int STEPS_PER_CHUNK = 256;

  /**
   * What came of it.
   *
   * @param lossAtEpoch for each epoch asked for, from 1, the loss [replica] over all rows before that epoch's updates; NaN where
   *     training ended earlier
   * @param gradientNorms [replica][layer] of the last step; NaN where training ended earlier
   * @param gradientNormsAtEpoch for each epoch asked for that was trained, [replica][layer] of that epoch's last step; empty
   *     unless {@link #keepGradientNorms} was called
   * @param divergedAtEpoch per replica the first epoch, from 1, in which a loss or a gradient was not finite; 0 when none
   * @param seconds the wall time of the whole training, all replicas together
   */
  public record Outcome(
      SortedMap<Integer, double[]> lossAtEpoch,
      double[][] gradientNorms,
      SortedMap<Integer, double[][]> gradientNormsAtEpoch,
      int[] divergedAtEpoch,
      double seconds) {}

  private final TrainingSession session;
  private final TrainingSpec training;
  private final Dataset data;
  private final List<BatchOrder> orders;
  private final IntConsumer onProgress;

  private final List<int[][]> pending = new ArrayList<>();
  private final List<Integer> pendingRecords = new ArrayList<>();
  private final Map<Long, Integer> epochOfRecordedStep = new TreeMap<>();
  private final SortedMap<Integer, double[]> lossAtEpoch = new TreeMap<>();
  private final double[][] gradientNorms;
  private final int[] divergedAtEpoch;
  private final long firstStep;
  private final boolean fullBatch;
  /** Whether a step over all rows reports the loss over all rows: with dropout it is of other units each time. */
  private final boolean lossFromSteps;
  private final long stepsPerEpoch;
  private final SortedMap<Integer, double[][]> gradientNormsAtEpoch = new TreeMap<>();
  private boolean keepsGradientNorms;
  private double[] learningRates;

  /**
   * @param session with its parameters written; the trainer binds the data
   * @param orders the batch order of each replica
   * @param lossAtEpochs the epochs, from 1, whose loss is wanted
   * @param onProgress is told now and then how many epochs are done
   */
  public Trainer(
      TrainingSession session,
      TrainingSpec training,
      Dataset data,
      List<BatchOrder> orders,
      List<Integer> lossAtEpochs,
      IntConsumer onProgress) {
    this.session = session;
    this.training = training;
    this.data = data;
    this.orders = List.copyOf(orders);
    this.onProgress = onProgress;
    if (orders.size() != session.replicas()) {
      throw new IllegalArgumentException(orders.size() + " batch orders for " + session.replicas() + " replicas");
    }
    training.requireFits(data.rows());
    session.bind(data);
    stepsPerEpoch = orders.get(0).stepsPerEpoch();
    fullBatch = stepsPerEpoch == 1;
    lossFromSteps = fullBatch && training.dropout().isEmpty();
    firstStep = session.stepsTaken();
    learningRates = new double[] {training.learningRate()};
    divergedAtEpoch = new int[session.replicas()];
    gradientNorms = new double[session.replicas()][];
    for (int epoch : lossAtEpochs) {
      lossAtEpoch.put(epoch, nan(session.replicas()));
    }
    int layers = session.layout().slices().size() / 2;
    Arrays.setAll(gradientNorms, replica -> nan(layers));
  }

  /** Each replica gets a learning rate of its own instead of the training's. */
  public Trainer withLearningRates(double[] ofReplica) {
    learningRates = ofReplica.clone();
    return this;
  }

  /** Gradient norms are wanted too at the epochs whose losses are. */
  public Trainer keepGradientNorms() {
    keepsGradientNorms = true;
    return this;
  }

  /**
   * Trains to the last epoch, or until no replica is finite any more.
   *
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public Outcome train() {
    long start = System.nanoTime();
    int epoch = 0;
    while (epoch < training.epochs() && !allDiverged()) {
      epoch++;
      boolean wanted = lossAtEpoch.containsKey(epoch);
      if (wanted && !lossFromSteps) {
        runPending(epoch - 1);
        lossAtEpoch.put(epoch, session.evaluate(data).loss());
      }
      int[][][] batches = new int[orders.size()][][];
      for (int replica = 0; replica < batches.length; replica++) {
        batches[replica] = orders.get(replica).nextEpoch();
      }
      for (int step = 0; step < stepsPerEpoch; step++) {
        boolean lastOfEpoch = step == stepsPerEpoch - 1;
        boolean last = epoch == training.epochs() && lastOfEpoch;
        if (last || (wanted && (lossFromSteps || keepsGradientNorms && lastOfEpoch))) {
          pendingRecords.add(pending.size());
          epochOfRecordedStep.put(firstStep + (epoch - 1) * stepsPerEpoch + step, epoch);
        }
        int[][] ofStep = new int[batches.length][];
        for (int replica = 0; replica < batches.length; replica++) {
          ofStep[replica] = batches[replica][step];
        }
        pending.add(ofStep);
        if (pending.size() == STEPS_PER_CHUNK) {
          runPending(step == stepsPerEpoch - 1 ? epoch : epoch - 1);
        }
      }
    }
    runPending(epoch);
    for (BatchOrder order : orders) {
      order.skip(training.epochs() - epoch);
    }
    return new Outcome(lossAtEpoch, gradientNorms, gradientNormsAtEpoch, divergedAtEpoch, (System.nanoTime() - start) / 1e9);
  }

  private void runPending(int epochsDone) {
    if (pending.isEmpty()) {
      return;
    }
    StepChunk.Builder chunk = StepChunk.of(pending.size()).learningRates(new double[][] {learningRates});
    if (!fullBatch) {
      chunk.replicaBatches(pending.toArray(int[][][]::new));
    }
    pendingRecords.forEach(chunk::record);
    session.run(chunk.build());
    pending.clear();
    pendingRecords.clear();
    collect(session.sync());
    onProgress.accept(epochsDone);
    if (epochsDone < training.epochs()) {
      TrainingInterruptedException.throwIfInterrupted(epochsDone, training.epochs());
    }
  }

  private void collect(StepMetrics metrics) {
    for (int i = 0; i < metrics.steps().length; i++) {
      int epoch = epochOfRecordedStep.get(metrics.steps()[i]);
      if (lossFromSteps && lossAtEpoch.containsKey(epoch)) {
        lossAtEpoch.put(epoch, metrics.loss()[i]);
      }
      System.arraycopy(metrics.gradientNorms()[i], 0, gradientNorms, 0, gradientNorms.length);
      if (keepsGradientNorms && lossAtEpoch.containsKey(epoch)) {
        gradientNormsAtEpoch.put(epoch, metrics.gradientNorms()[i].clone());
      }
    }
    for (int replica = 0; replica < divergedAtEpoch.length; replica++) {
      long step = metrics.firstNonFinite()[replica];
      if (step >= 0 && divergedAtEpoch[replica] == 0) {
        divergedAtEpoch[replica] = (int) ((step - firstStep) / stepsPerEpoch) + 1;
      }
    }
  }

  private boolean allDiverged() {
    return Arrays.stream(divergedAtEpoch).allMatch(epoch -> epoch > 0);
  }

  private static double[] nan(int size) {
    double[] values = new double[size];
    Arrays.fill(values, Double.NaN);
    return values;
  }
}
