package dev.plumb.train;

import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** One network in training by a {@link Trainer}: its batches, learning rate, history and best parameters. */
final class Replica {
  private final TrainerSpec spec;
  private final TrainingSession session;
  private final int index;
  private final double totalWeight;
  private final NumpyRandom stream;
  private final BatchOrder order;
  private final RateSchedule rates;
  private final List<EpochMetrics> history;
  private NumpyRandom.State epochStream;
  private int epochsDrawn;
  private double lossSum;
  private double[] gradientNorms = {};
  private double[] best;
  private int bestEpoch;
  private double bestLoss;
  private Optional<TrainerState.End> end;
  /** The state at the end of the training; null before. */
  private TrainerState last;

  Replica(TrainerSpec spec, TrainingSession session, int index, Dataset training, double learningRate, TrainerState from) {
    this.spec = spec;
    this.session = session;
    this.index = index;
    totalWeight = training.hasWeights() ? weight(training, IntStream.range(0, training.rows()).toArray()) : training.rows();
    stream = NumpyRandom.of(from.stream());
    order = new BatchOrder(training.rows(), spec.training().batchSize(), spec.shuffle(), stream);
    rates = new RateSchedule(learningRate, spec.schedule(), spec.training().epochs(),
        (long) spec.warmUpEpochs() * order.stepsPerEpoch());
    rates.restore(from.rate());
    history = new ArrayList<>(from.history());
    epochStream = from.stream();
    lossSum = from.lossSum();
    best = from.best();
    bestEpoch = from.bestEpoch();
    bestLoss = from.bestLoss();
    end = from.end();
    last = end.isPresent() ? from : null;
    session.write(Slot.PARAMETERS, index, from.parameters());
    for (Slot moment : moments()) {
      session.write(moment, index, moment == Slot.MOMENT1 ? from.moment1() : from.moment2());
    }
  }

  int stepsPerEpoch() {
    return order.stepsPerEpoch();
  }

  boolean isTraining() {
    return end.isEmpty();
  }

  /** Draws the mini-batches of the next epoch. */
  int[][] nextEpoch() {
    epochsDrawn++;
    return order.nextEpoch();
  }

  /** Advances the stream to its state after all epochs, of which the training may have taken fewer. */
  void skipToLastEpoch() {
    order.skip(spec.training().epochs() - epochsDrawn);
    epochStream = stream.state();
  }

  /** Returns the learning rate of a step; 0 after the end of the training, so that the parameters stay what they are. */
  double rate(int epoch, long step) {
    return isTraining() ? rates.rate(epoch, step) : 0;
  }

  /** Adds the loss of one step of the current epoch, times the weight of its rows. */
  void addLoss(double weightedLoss) {
    lossSum += weightedLoss;
  }

  double totalWeight() {
    return totalWeight;
  }

  /** Returns the sum of the weights of rows, or the number of rows without weights. */
  static double weight(Dataset data, int[] rows) {
    if (!data.hasWeights()) {
      return rows.length;
    }
    double sum = 0;
    for (int row : rows) {
      sum += data.weight(row);
    }
    return sum;
  }

  void setGradientNorms(double[] norms) {
    gradientNorms = norms;
  }

  /**
   * Finishes an epoch: keeps the parameters if they are the best so far, and decides whether the training ends.
   *
   * @param epoch from 1
   * @param validationLoss empty without validation rows
   * @param metric the watched metric, or another one if the loss is watched; NaN if it is not computed or undefined
   * @return true if the epoch is the best so far
   */
  boolean finishEpoch(int epoch, OptionalDouble validationLoss, double metric, double seconds) {
    double trainLoss = lossSum / totalWeight;
    double loss = validationLoss.orElse(trainLoss);
    double lastRate = rates.rate(epoch - 1, session.stepsTaken() - 1);
    double score = spec.watch() == Metric.LOSS ? loss : spec.watch().isHigherBetter() ? -metric : metric;
    boolean isBest = false;
    boolean finite = Double.isFinite(loss);
    // The first epoch counts even if the metric is undefined for the rows.
    if (finite && (score < bestLoss || bestEpoch == 0)) {
      double[] parameters = read(Slot.PARAMETERS);
      // The training loss is that before the update, which may have overflowed.
      finite &= Arrays.stream(parameters).allMatch(Double::isFinite);
      if (finite) {
        best = parameters;
        bestEpoch = epoch;
        bestLoss = Double.isNaN(score) ? Double.POSITIVE_INFINITY : score;
        isBest = true;
      }
    }
    rates.epochDone(loss);
    history.add(new EpochMetrics(epoch, trainLoss, validationLoss.orElse(Double.NaN), metric, lastRate, seconds, gradientNorms));
    epochStream = stream.state();
    lossSum = 0;
    if (!finite) {
      end = Optional.of(TrainerState.End.DIVERGED);
    } else if (epoch == spec.training().epochs()) {
      end = Optional.of(TrainerState.End.EPOCHS);
    } else if (spec.patience() > 0 && epoch - bestEpoch >= spec.patience()) {
      end = Optional.of(TrainerState.End.EARLY_STOPPING);
    }
    return isBest;
  }

  void diverge() {
    end = Optional.of(TrainerState.End.DIVERGED);
  }

  void complete() {
    end = end.or(() -> Optional.of(TrainerState.End.EPOCHS));
  }

  EpochMetrics lastEpoch() {
    return history.get(history.size() - 1);
  }

  /** Returns the state, which no longer changes after the end of the training. */
  TrainerState state(int stepInEpoch, double secondsInEpoch) {
    if (last != null) {
      return last;
    }
    TrainerState state = new TrainerState(read(Slot.PARAMETERS), moment(Slot.MOMENT1), moment(Slot.MOMENT2), session.stepsTaken(),
        epochStream, stepInEpoch, lossSum, secondsInEpoch, rates.state(), best, bestEpoch, bestLoss, history, end);
    if (end.isPresent()) {
      last = state;
    }
    return state;
  }

  private double[] moment(Slot slot) {
    return moments().contains(slot) ? read(slot) : new double[0];
  }

  private List<Slot> moments() {
    return Slot.stateOf(spec.training().optimizer()).stream().filter(slot -> slot != Slot.PARAMETERS).toList();
  }

  private double[] read(Slot slot) {
    double[] vector = new double[session.layout().size()];
    session.read(slot, index, vector);
    return vector;
  }
}
