package dev.plumb.train;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Schedule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The training of the replicas of a session: one network, or many of one shape, each with its own batches and learning rate. The
 * result of a replica does not depend on the others.
 *
 * <p>After every epoch a trainer evaluates the validation rows; each replica keeps its best parameters, and may lower its learning
 * rate or end early. A replica that has ended stays in the session with a learning rate of 0 until all have ended. With
 * {@link #recordOnly}, nothing is evaluated between epochs, so that one chunk of steps holds many short epochs.
 *
 * <p>A training can be stopped after any chunk of steps, and resumes to the same bits. A trainer is used once.
 */
public final class Trainer {
  /** Limits of a chunk of steps: long enough that waiting costs little, and so short that stopping and progress feel immediate. */
  private static final int MAX_STEPS = 256;
  private static final double LONG_SECONDS = 0.4;
  private static final double SHORT_SECONDS = 0.1;
  private static final Duration NO_CHECKPOINTS = Duration.ofDays(36_500);

  private final TrainingSession session;
  private final TrainerSpec spec;
  private final Dataset training;
  private final Optional<Dataset> validation;
  private final List<Replica> replicas;
  private final int stepsPerEpoch;
  private boolean computesMetric = true;
  /** Null if every epoch is evaluated. */
  private Curve curve;
  private int epochs;
  private int stepInEpoch;
  private double secondsInEpoch;
  private int chunkSteps = 1;
  private long lastCheckpoint;
  /** The steps to run next: [step][replica][rows]. */
  private final List<int[][]> pending = new ArrayList<>();
  private final List<double[]> pendingRates = new ArrayList<>();
  private final List<Integer> pendingRecords = new ArrayList<>();
  /** The current learning rate of each replica; null if it must be computed. */
  private double[] rates;

  /**
   * Trains all replicas at the learning rate of the specification; see
   * {@link #Trainer(TrainingSession, TrainerSpec, double[], Dataset, Optional, List)}.
   */
  public Trainer(TrainingSession session, TrainerSpec spec, Dataset training, Optional<Dataset> validation,
      List<TrainerState> from) {
    this(session, spec, IntStream.range(0, from.size()).mapToDouble(i -> spec.training().learningRate()).toArray(), training,
        validation, from);
  }

  /**
   * Binds the data to a session, and writes the states into it.
   *
   * @param learningRates [replica] the rates before schedule and warm-up, instead of that of the specification
   * @param validation the rows to evaluate after each epoch
   * @param from the state of each replica: {@link TrainerState#begin}, or that of a stopped training. All that have not ended have
   *     taken the same number of steps
   */
  public Trainer(TrainingSession session, TrainerSpec spec, double[] learningRates, Dataset training,
      Optional<Dataset> validation, List<TrainerState> from) {
    if (from.size() != session.replicas() || learningRates.length != session.replicas()) {
      throw new IllegalArgumentException(from.size() + " states and " + learningRates.length + " learning rates for "
          + session.replicas() + " replicas");
    }
    spec.training().requireFits(training.rows());
    this.session = session;
    this.spec = spec;
    this.training = training;
    this.validation = validation;
    session.bind(training);
    replicas = IntStream.range(0, from.size())
        .mapToObj(i -> new Replica(spec, session, i, training, learningRates[i], from.get(i))).toList();
    stepsPerEpoch = replicas.get(0).stepsPerEpoch();
    TrainerState common = from.stream().filter(state -> state.end().isEmpty()).findFirst().orElse(from.get(0));
    epochs = common.epochs();
    stepInEpoch = common.stepInEpoch();
    secondsInEpoch = common.secondsInEpoch();
    session.stepsTaken(common.stepsTaken());
  }

  /**
   * Records the losses of some epochs instead of evaluating each: there are no best parameters, no early stopping and no
   * checkpoints, and the learning rate must not depend on losses. Only for the beginning of a training.
   *
   * @param atEpochs the epochs, from 1, whose loss of all rows is requested
   * @param gradientNorms true to record the gradient norms at these epochs too
   * @return the record, which is complete after {@link #run}
   */
  public Curve recordOnly(List<Integer> atEpochs, boolean gradientNorms) {
    boolean dependsOnLosses = spec.schedule() instanceof Schedule.Plateau || spec.patience() > 0 || spec.watch() != Metric.LOSS;
    if (dependsOnLosses || validation.isPresent() || epochs + stepInEpoch > 0) {
      throw new IllegalArgumentException("a training with evaluations after its epochs needs every epoch");
    }
    curve = new Curve(atEpochs, gradientNorms, replicas.size(), layers());
    chunkSteps = MAX_STEPS;
    return curve;
  }

  private int layers() {
    return (int) session.layout().slices().stream().filter(slice -> slice.kind() == ParameterLayout.Kind.WEIGHT).count();
  }

  /** Omits the metric of the validation rows, unless it is watched: it takes a pass over them per epoch and replica. */
  public Trainer withoutMetric() {
    computesMetric = false;
    return this;
  }

  /** Returns the number of steps of an epoch. */
  public int stepsPerEpoch() {
    return stepsPerEpoch;
  }

  /** Trains without checkpoints; see {@link #run(TrainListener, Duration, Consumer)}. */
  public boolean run(TrainListener listener) {
    return run(listener, NO_CHECKPOINTS, states -> {});
  }

  /**
   * Trains until all replicas have ended or the listener stops the training.
   *
   * @param checkpointEvery the longest time between two checkpoints, plus at most one step and an evaluation
   * @param checkpoint consumer of the states to save
   * @return false if the listener has stopped the training
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public boolean run(TrainListener listener, Duration checkpointEvery, Consumer<List<TrainerState>> checkpoint) {
    lastCheckpoint = System.nanoTime();
    while (isTraining()) {
      if (curve != null) {
        recordLosses();
      }
      int[][][] batches = nextEpoch();
      boolean epochEnds = false;
      while (isTraining() && !epochEnds) {
        while (pending.size() < chunkSteps && stepInEpoch < stepsPerEpoch) {
          addStep(batches);
        }
        epochEnds = stepInEpoch == stepsPerEpoch;
        if (curve == null || pending.size() == chunkSteps || epochEnds && isLastEpoch()) {
          runPending();
          listener.stepsFinished(session.stepsTaken(), (long) spec.training().epochs() * stepsPerEpoch);
        }
        if (epochEnds && isTraining()) {
          finishEpoch(listener);
        }
        if (isTraining() && pending.isEmpty() && pause(listener, checkpointEvery, checkpoint)) {
          return false;
        }
      }
    }
    if (curve != null) {
      replicas.forEach(Replica::skipToLastEpoch);
    }
    return true;
  }

  /** Returns the state of each replica after its last step. */
  public List<TrainerState> states() {
    return replicas.stream().map(replica -> replica.state(stepInEpoch, secondsInEpoch)).toList();
  }

  /** Draws the first mini-batch of a further epoch for each replica: [replica][rows]; null for all rows. */
  public int[][] nextBatches() {
    return replicas.stream().map(replica -> replica.nextEpoch()[0]).toArray(int[][]::new);
  }

  private boolean isTraining() {
    return replicas.stream().anyMatch(Replica::isTraining);
  }

  private boolean isLastEpoch() {
    return epochs + 1 == spec.training().epochs();
  }

  /** Passes on a checkpoint if one is due; returns true to stop. */
  private boolean pause(TrainListener listener, Duration checkpointEvery, Consumer<List<TrainerState>> checkpoint) {
    TrainingInterruptedException.throwIfInterrupted(epochs, spec.training().epochs());
    if (listener.stopRequested()) {
      return true;
    }
    if (System.nanoTime() - lastCheckpoint >= checkpointEvery.toNanos()) {
      checkpoint.accept(states());
      lastCheckpoint = System.nanoTime();
    }
    return false;
  }

  /** Draws the batches [replica][step][rows] of the next epoch; a replica that has ended repeats those of another. */
  private int[][][] nextEpoch() {
    int[][][] batches = replicas.stream().map(replica -> replica.isTraining() ? replica.nextEpoch() : null)
        .toArray(int[][][]::new);
    int[][] any = Arrays.stream(batches).filter(epoch -> epoch != null).findFirst().orElseThrow();
    return Arrays.stream(batches).map(epoch -> epoch == null ? any : epoch).toArray(int[][][]::new);
  }

  /** Evaluates all rows before an epoch whose loss is requested, unless the loss of a step is that of all rows. */
  private void recordLosses() {
    if (curve.isRequested(epochs + 1) && !isLossOfAllRows()) {
      runPending();
      if (isTraining()) {
        curve.setLosses(epochs + 1, session.evaluate(training).loss());
      }
    }
  }

  /** Returns true for full-batch training without dropout. */
  private boolean isLossOfAllRows() {
    return stepsPerEpoch == 1 && spec.training().dropout().isEmpty();
  }

  private void addStep(int[][][] batches) {
    long number = session.stepsTaken() + pending.size();
    boolean lastOfEpoch = stepInEpoch == stepsPerEpoch - 1;
    if (recordsNorms(lastOfEpoch)) {
      pendingRecords.add(pending.size());
      if (curve != null) {
        curve.expect(number, epochs + 1);
      }
    }
    pendingRates.add(rates(number));
    pending.add(Arrays.stream(batches).map(epoch -> epoch[stepInEpoch]).toArray(int[][]::new));
    stepInEpoch++;
  }

  /** Returns the learning rate of each replica in a step; the same array as long as they do not change. */
  private double[] rates(long step) {
    boolean isWarmUp = spec.warmUpEpochs() > 0 && step <= (long) spec.warmUpEpochs() * stepsPerEpoch;
    if (rates == null || isWarmUp || stepInEpoch == 0 && !(spec.schedule() instanceof Schedule.Constant)) {
      rates = replicas.stream().mapToDouble(replica -> replica.rate(epochs, step)).toArray();
    }
    return rates;
  }

  private boolean recordsNorms(boolean lastOfEpoch) {
    return curve == null ? lastOfEpoch
        : lastOfEpoch && isLastEpoch()
            || curve.isRequested(epochs + 1) && (isLossOfAllRows() || curve.keepsNorms() && lastOfEpoch);
  }

  /** Runs the pending steps, and adapts the size of the next chunk to their duration. */
  private void runPending() {
    if (pending.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    boolean sameRates = pendingRates.stream().allMatch(rates -> Arrays.equals(rates, pendingRates.get(0)));
    StepChunk.Builder chunk = StepChunk.of(pending.size())
        .learningRates((sameRates ? pendingRates.subList(0, 1) : pendingRates).toArray(double[][]::new));
    if (stepsPerEpoch > 1) {
      chunk.replicaBatches(pending.toArray(int[][][]::new));
    }
    pendingRecords.forEach(chunk::record);
    if (curve == null) {
      chunk.recordLosses();
    }
    session.run(chunk.build());
    collect(session.sync());
    pending.clear();
    pendingRates.clear();
    pendingRecords.clear();
    double seconds = (System.nanoTime() - start) / 1e9;
    secondsInEpoch += seconds;
    if (seconds > LONG_SECONDS && chunkSteps > 1) {
      chunkSteps /= 2;
    } else if (seconds < SHORT_SECONDS && chunkSteps < MAX_STEPS) {
      chunkSteps *= 2;
    }
  }

  private void collect(StepMetrics metrics) {
    if (curve != null) {
      curve.collect(metrics, isLossOfAllRows());
    }
    for (int i = 0; i < replicas.size(); i++) {
      Replica replica = replicas.get(i);
      if (!replica.isTraining()) {
        continue;
      }
      if (curve == null) {
        for (int step = 0; step < pending.size(); step++) {
          int[] batch = pending.get(step)[i];
          replica.addLoss(metrics.loss()[step][i] * (batch == null ? replica.totalWeight() : Replica.weight(training, batch)));
        }
        if (stepInEpoch == stepsPerEpoch) {
          replica.setGradientNorms(metrics.gradientNorms()[pending.size() - 1][i]);
        }
      }
      long step = metrics.firstNonFinite()[i];
      if (step >= 0) {
        replica.diverge();
        rates = null;
        if (curve != null) {
          curve.setDiverged(i, (int) (step / stepsPerEpoch) + 1);
        } else if (replicas.size() > 1) {
          replica.state(stepInEpoch, secondsInEpoch);
        }
      }
    }
  }

  private void finishEpoch(TrainListener listener) {
    epochs++;
    stepInEpoch = 0;
    if (curve != null) {
      if (epochs == spec.training().epochs()) {
        replicas.forEach(Replica::complete);
      }
      return;
    }
    long start = System.nanoTime();
    Optional<Evaluation> evaluation = validation.map(session::evaluate);
    double spent = secondsInEpoch;
    rates = null;
    secondsInEpoch = 0;
    for (int i = 0; i < replicas.size(); i++) {
      Replica replica = replicas.get(i);
      if (replica.isTraining()) {
        OptionalDouble validationLoss =
            evaluation.isPresent() ? OptionalDouble.of(evaluation.get().loss()[i]) : OptionalDouble.empty();
        double metric = spec.watch() != Metric.LOSS ? watched(i)
            : evaluation.isPresent() && computesMetric ? metric(i, evaluation.get()) : Double.NaN;
        boolean isBest = replica.finishEpoch(epochs, validationLoss, metric, spent + (System.nanoTime() - start) / 1e9);
        if (!replica.isTraining() && replicas.size() > 1) {
          replica.state(0, 0);
        }
        listener.epochFinished(replica.lastEpoch(), isBest);
      }
    }
  }

  /** Returns the watched metric of the validation rows, or of the training rows if there are none. */
  private double watched(int replica) {
    Dataset rows = validation.orElse(training);
    return spec.watch().ofOutputs(rows, spec.training().loss(), outputs(replica, rows), null);
  }

  private double[] outputs(int replica, Dataset rows) {
    double[] outputs = new double[rows.rows() * rows.outputs()];
    session.predict(replica, rows, outputs);
    return outputs;
  }

  /** Returns the accuracy of a classification, or R² of a regression. */
  private double metric(int replica, Evaluation evaluation) {
    Dataset rows = validation.orElseThrow();
    if (evaluation.correct().length > 0) {
      return (double) evaluation.correct()[replica] / ((double) rows.rows() * (rows.hasClasses() ? 1 : rows.outputs()));
    }
    return RegressionScores.r2(rows, outputs(replica, rows));
  }
}
