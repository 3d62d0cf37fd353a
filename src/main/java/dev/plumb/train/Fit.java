package dev.plumb.train;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.random.NumpyRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The training of one network. After every epoch it evaluates the validation rows, keeps the best parameters, and may lower the
 * learning rate or end early. It can be stopped after any chunk of steps, and resumes to the same bits.
 *
 * <p>{@link Trainer}, which trains the replicas of a study, evaluates nothing between epochs, so that one chunk holds many short
 * epochs.
 */
public final class Fit {
  /** Limits of a chunk of steps: as many steps as in a study, and so long that stopping and progress feel immediate. */
  private static final int MAX_STEPS = 256;
  private static final double LONG_SECONDS = 0.4;
  private static final double SHORT_SECONDS = 0.1;
  private static final Duration NO_CHECKPOINTS = Duration.ofDays(36_500);

  private final TrainingSession session;
  private final FitSpec spec;
  private final Dataset training;
  private final Optional<Dataset> validation;
  private final NumpyRandom stream;
  private final BatchOrder order;
  private final RateSchedule rates;
  private final List<EpochMetrics> history;
  private NumpyRandom.State epochStream;
  private int stepInEpoch;
  private double lossSum;
  private double secondsInEpoch;
  private double[] gradientNorms = {};
  private double[] best;
  private int bestEpoch;
  private double bestLoss;
  private Optional<FitState.End> end;
  private int chunkSteps = 1;
  private long lastCheckpoint;

  /**
   * Binds the data to a session, and restores a state in it.
   *
   * @param session a session of one replica
   * @param validation the rows to evaluate after each epoch
   * @param from {@link FitState#begin}, or the state of a stopped training
   */
  public Fit(TrainingSession session, FitSpec spec, Dataset training, Optional<Dataset> validation, FitState from) {
    spec.training().requireFits(training.rows());
    this.session = session;
    this.spec = spec;
    this.training = training;
    this.validation = validation;
    stream = NumpyRandom.of(from.stream());
    order = new BatchOrder(training.rows(), spec.training().batchSize(), spec.shuffle(), stream);
    rates = new RateSchedule(spec.training().learningRate(), spec.schedule(), spec.training().epochs(),
        (long) spec.warmUpEpochs() * order.stepsPerEpoch());
    rates.restore(from.rate());
    history = new ArrayList<>(from.history());
    epochStream = from.stream();
    stepInEpoch = from.stepInEpoch();
    lossSum = from.lossSum();
    secondsInEpoch = from.secondsInEpoch();
    best = from.best();
    bestEpoch = from.bestEpoch();
    bestLoss = from.bestLoss();
    end = from.end();
    session.bind(training);
    session.write(Slot.PARAMETERS, 0, from.parameters());
    for (Slot moment : moments()) {
      session.write(moment, 0, moment == Slot.MOMENT1 ? from.moment1() : from.moment2());
    }
    session.stepsTaken(from.stepsTaken());
  }

  /** Returns the number of steps of an epoch. */
  public int stepsPerEpoch() {
    return order.stepsPerEpoch();
  }

  /** Trains without checkpoints; see {@link #run(TrainListener, Duration, Consumer)}. */
  public FitState run(TrainListener listener) {
    return run(listener, NO_CHECKPOINTS, state -> {});
  }

  /**
   * Trains until the training has ended or the listener stops it.
   *
   * @param checkpointEvery the longest time between two checkpoints, plus at most one step and an evaluation
   * @param checkpoint consumer of the states to save
   * @return the state after the last step
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public FitState run(TrainListener listener, Duration checkpointEvery, Consumer<FitState> checkpoint) {
    lastCheckpoint = System.nanoTime();
    while (end.isEmpty()) {
      int[][] batches = order.nextEpoch();
      while (end.isEmpty() && stepInEpoch < batches.length) {
        steps(batches);
        listener.stepsFinished(session.stepsTaken(), (long) spec.training().epochs() * batches.length);
        if (end.isEmpty() && stepInEpoch == batches.length) {
          finishEpoch(listener);
          break;
        }
        if (pause(listener, checkpointEvery, checkpoint)) {
          return state();
        }
      }
      if (end.isEmpty() && pause(listener, checkpointEvery, checkpoint)) {
        return state();
      }
    }
    return state();
  }

  /** Passes on a checkpoint if one is due; returns true to stop. */
  private boolean pause(TrainListener listener, Duration checkpointEvery, Consumer<FitState> checkpoint) {
    if (end.isPresent()) {
      return false;
    }
    TrainingInterruptedException.throwIfInterrupted(history.size(), spec.training().epochs());
    if (listener.stopRequested()) {
      return true;
    }
    if (System.nanoTime() - lastCheckpoint >= checkpointEvery.toNanos()) {
      checkpoint.accept(state());
      lastCheckpoint = System.nanoTime();
    }
    return false;
  }

  /** Runs a chunk of an epoch's steps, and adapts the size of the next chunk to its duration. */
  private void steps(int[][] batches) {
    long start = System.nanoTime();
    int count = Math.min(chunkSteps, batches.length - stepInEpoch);
    int[][] chunkBatches = Arrays.copyOfRange(batches, stepInEpoch, stepInEpoch + count);
    double[][] chunkRates = new double[count][1];
    for (int step = 0; step < count; step++) {
      chunkRates[step][0] = rates.rate(history.size(), session.stepsTaken() + step);
    }
    StepChunk.Builder chunk = StepChunk.of(count).learningRates(chunkRates).batches(chunkBatches).recordLosses();
    boolean epochEnds = stepInEpoch + count == batches.length;
    if (epochEnds) {
      chunk.record(count - 1);
    }
    session.run(chunk.build());
    StepMetrics metrics = session.sync();
    for (int step = 0; step < count; step++) {
      lossSum += metrics.loss()[step][0] * (chunkBatches[step] == null ? training.rows() : chunkBatches[step].length);
    }
    if (epochEnds) {
      gradientNorms = metrics.gradientNorms()[count - 1][0];
    }
    stepInEpoch += count;
    if (metrics.firstNonFinite()[0] >= 0) {
      end = Optional.of(FitState.End.DIVERGED);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    secondsInEpoch += seconds;
    if (seconds > LONG_SECONDS && chunkSteps > 1) {
      chunkSteps /= 2;
    } else if (seconds < SHORT_SECONDS && chunkSteps < MAX_STEPS) {
      chunkSteps *= 2;
    }
  }

  private void finishEpoch(TrainListener listener) {
    long start = System.nanoTime();
    int epoch = history.size() + 1;
    double trainLoss = lossSum / training.rows();
    double lastRate = rates.rate(history.size(), session.stepsTaken() - 1);
    double validationLoss = Double.NaN;
    double metric = Double.NaN;
    if (validation.isPresent()) {
      Evaluation evaluation = session.evaluate(validation.get());
      validationLoss = evaluation.loss()[0];
      metric = metric(validation.get(), evaluation);
    }
    double watched = validation.isPresent() ? validationLoss : trainLoss;
    boolean isBest = watched < bestLoss;
    if (isBest) {
      best = read(Slot.PARAMETERS);
      bestEpoch = epoch;
      bestLoss = watched;
    }
    rates.epochDone(watched);
    secondsInEpoch += (System.nanoTime() - start) / 1e9;
    EpochMetrics row = new EpochMetrics(epoch, trainLoss, validationLoss, metric, lastRate, secondsInEpoch, gradientNorms);
    history.add(row);
    epochStream = stream.state();
    stepInEpoch = 0;
    lossSum = 0;
    secondsInEpoch = 0;
    if (!Double.isFinite(watched) || (isBest && !Arrays.stream(best).allMatch(Double::isFinite))) {
      end = Optional.of(FitState.End.DIVERGED);
    } else if (epoch == spec.training().epochs()) {
      end = Optional.of(FitState.End.EPOCHS);
    } else if (spec.patience() > 0 && epoch - bestEpoch >= spec.patience()) {
      end = Optional.of(FitState.End.EARLY_STOPPING);
    }
    listener.epochFinished(row, isBest);
  }

  /** Returns the accuracy of a classification, or R² of a regression. */
  private double metric(Dataset rows, Evaluation evaluation) {
    if (evaluation.correct().length > 0) {
      return (double) evaluation.correct()[0] / ((double) rows.rows() * (rows.hasClasses() ? 1 : rows.outputs()));
    }
    double[] outputs = new double[rows.rows() * rows.outputs()];
    session.predict(0, rows, outputs);
    return RegressionScores.r2(rows, outputs);
  }

  private FitState state() {
    return new FitState(read(Slot.PARAMETERS), moment(Slot.MOMENT1), moment(Slot.MOMENT2), session.stepsTaken(), epochStream,
        stepInEpoch, lossSum, secondsInEpoch, rates.state(), best, bestEpoch, bestLoss, history, end);
  }

  private double[] moment(Slot slot) {
    return moments().contains(slot) ? read(slot) : new double[0];
  }

  private List<Slot> moments() {
    return Slot.stateOf(spec.training().optimizer()).stream().filter(slot -> slot != Slot.PARAMETERS).toList();
  }

  private double[] read(Slot slot) {
    double[] vector = new double[session.layout().size()];
    session.read(slot, 0, vector);
    return vector;
  }
}
