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
 * A training of all replicas of a session: it cuts the epochs into chunks of steps, gives each replica its mini-batches, and
 * collects the requested losses and gradient norms. A trainer is used once.
 */
public final class Trainer {
  /** Steps between two synchronizations: many enough that waiting costs little, few enough for a smooth progress display. */
  private static final int STEPS_PER_CHUNK = 256;

  /**
   * The result of a training.
   *
   * @param lossAtEpoch for each requested epoch, from 1, the loss [replica] of all rows before that epoch's updates; NaN if the
   *     training ended earlier
   * @param gradientNorms [replica][layer] of the last step; NaN if the training ended earlier
   * @param gradientNormsAtEpoch for each requested epoch that was trained, [replica][layer] of that epoch's last step; empty
   *     unless {@link #keepGradientNorms} was called
   * @param divergedAtEpoch per replica the first epoch, from 1, in which a loss or a gradient was not finite; 0 if there is none
   * @param seconds the wall time of the training of all replicas
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
  /** True if a step's loss is that of all rows, as in full-batch training without dropout. */
  private final boolean lossFromSteps;
  private final long stepsPerEpoch;
  private final SortedMap<Integer, double[][]> gradientNormsAtEpoch = new TreeMap<>();
  private boolean keepsGradientNorms;
  private double[] learningRates;

  /**
   * Binds the data to a session.
   *
   * @param session a session whose parameters are written
   * @param orders the batch order of each replica
   * @param lossAtEpochs the epochs, from 1, whose loss is requested
   * @param onProgress called from time to time with the number of finished epochs
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

  /**
   * Sets a separate learning rate for each replica.
   *
   * @param replicaRates [replicas]
   */
  public Trainer withLearningRates(double[] replicaRates) {
    learningRates = replicaRates.clone();
    return this;
  }

  /** Requests gradient norms at the epochs whose losses are requested. */
  public Trainer keepGradientNorms() {
    keepsGradientNorms = true;
    return this;
  }

  /**
   * Trains to the last epoch, or until all replicas have diverged.
   *
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public Outcome train() {
    long start = System.nanoTime();
    int epoch = 0;
    while (epoch < training.epochs() && !allDiverged()) {
      epoch++;
      boolean requested = lossAtEpoch.containsKey(epoch);
      if (requested && !lossFromSteps) {
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
        if (last || (requested && (lossFromSteps || keepsGradientNorms && lastOfEpoch))) {
          pendingRecords.add(pending.size());
          epochOfRecordedStep.put(firstStep + (epoch - 1) * stepsPerEpoch + step, epoch);
        }
        int[][] stepBatches = new int[batches.length][];
        for (int replica = 0; replica < batches.length; replica++) {
          stepBatches[replica] = batches[replica][step];
        }
        pending.add(stepBatches);
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
