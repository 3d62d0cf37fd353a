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
 * Fits one network to data: after every epoch it looks at the validation rows, keeps the best parameters, and may lower the rate or
 * end early; between any two looks at the device it can be stopped, and goes on later as if it had not been.
 *
 * <p>{@link Trainer}, which trains the replicas of a study, has no such looks, so that many short epochs go to a device at once.
 */
public final class Fit {
  /** Between two looks at the device: at most as many steps as a study takes, and about as long as people feel as no wait. */
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
  private NumpyRandom.State streamOfEpoch;
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
   * @param session of one replica; gets its data and its whole state from here
   * @param from {@link FitState#begin}, or where an earlier one stopped
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
    streamOfEpoch = from.stream();
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

  /** Hands out a state where one is due; true to stop. */
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

  /** Some steps of an epoch, as many as one wait is good for. */
  private void steps(int[][] batches) {
    long start = System.nanoTime();
    int count = Math.min(chunkSteps, batches.length - stepInEpoch);
    int[][] ofChunk = Arrays.copyOfRange(batches, stepInEpoch, stepInEpoch + count);
    double[][] ratesOfChunk = new double[count][1];
    for (int step = 0; step < count; step++) {
      ratesOfChunk[step][0] = rates.rate(history.size(), session.stepsTaken() + step);
    }
    StepChunk.Builder chunk = StepChunk.of(count).learningRates(ratesOfChunk).batches(ofChunk).recordLosses();
    boolean epochEnds = stepInEpoch + count == batches.length;
    if (epochEnds) {
      chunk.record(count - 1);
    }
    session.run(chunk.build());
    StepMetrics metrics = session.sync();
    for (int step = 0; step < count; step++) {
      lossSum += metrics.loss()[step][0] * (ofChunk[step] == null ? training.rows() : ofChunk[step].length);
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
    streamOfEpoch = stream.state();
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

  /** The share of hits, or R². */
  private double metric(Dataset rows, Evaluation evaluation) {
    if (evaluation.correct().length > 0) {
      return (double) evaluation.correct()[0] / ((double) rows.rows() * (rows.hasClasses() ? 1 : rows.outputs()));
    }
    double[] outputs = new double[rows.rows() * rows.outputs()];
    session.predict(0, rows, outputs);
    return RegressionScores.r2(rows, outputs);
  }

  private FitState state() {
    return new FitState(read(Slot.PARAMETERS), moment(Slot.MOMENT1), moment(Slot.MOMENT2), session.stepsTaken(), streamOfEpoch,
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
