package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Folds;
import dev.plumb.data.Folds.Fold;
import dev.plumb.data.Split;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.study.TuningTrial.Key;
import dev.plumb.train.DataView;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A hyperparameter search by random search with successive halving (Jamieson and Talwalkar 2016). Candidate 0 is the base
 * configuration; the others are drawn. All candidates are trained for a ninth of the epochs, the best third of them for a
 * third, and the best third of these for all epochs; each time from the beginning, with the learning-rate schedule of these
 * epochs. The best three are then trained from two more seeds, and the best mean over folds and seeds wins. Candidate 0 is
 * trained to the end in any case, so that the winner is never worse than it on the judging rows.
 *
 * <p>Up to {@value FoldSelection#MAX_ROWS} rows, the candidates are judged by five folds, otherwise by held-out rows. The
 * encoding is fitted to the training rows of each fold. The result depends on the specification and the data only.
 */
public final class Tuning {
  /** Number of seeds of the finalists. */
  static final int SEEDS = 3;
  /** The best of this many candidates advances to the next rung. */
  private static final int ETA = 3;
  private static final int MAX_RUNGS = 3;
  /** Minimum number of epochs of the first rung, if there are others. */
  private static final int MIN_EPOCHS = 5;
  private static final int FINALISTS = 3;

  /** A listener of the progress. Called by several threads, but not at the same time. */
  public interface Listener extends CrossValidation.Listener {
    /** Called with the trained networks of a group. */
    default void finished(List<TuningTrial> trials) {}
  }

  /**
   * Networks of one candidate and fold that are trained together.
   *
   * @param seeds indices of the seeds
   */
  private record Part(int rung, int candidate, int fold, List<Integer> seeds, NetworkSpec network, TrainingSpec training)
      implements ReplicaGroup {
    @Override
    public int size() {
      return seeds.size();
    }
  }

  private final TrialExecutor executor;
  private final TuningSpec spec;
  private final Table table;
  private final int droppedRows;
  private final List<Fold> folds;
  private final List<Table> judging;
  private final List<DataView> views = new ArrayList<>();
  private final List<TrainConfig> candidates;
  private final List<Integer> rungs;
  private final int warmUpEpochs;
  private final Numerics numerics;

  /**
   * Draws the candidates, divides the rows, and checks that each candidate can be trained and scored.
   *
   * @param executor trains the networks; closed by the caller
   * @throws InvalidInputException when the table cannot be divided or does not suit the configuration, or the backend does not
   *     support a candidate
   */
  public Tuning(TrialExecutor executor, Table table, TuningSpec spec) {
    this.executor = executor;
    Backend backend = executor.backend();
    TrainConfig given = spec.config();
    EncodingOptions columns = given.weights().resolve(table, given.columns());
    TrainConfig base = given.with(changes -> changes.columns(columns).validation(0));
    this.spec = spec;
    this.table = columns.handleMissing(table, given.weights());
    droppedRows = table.rows() - this.table.rows();
    folds = folds(this.table, columns, spec);
    judging = folds.stream().map(fold -> this.table.rows(fold.test())).toList();
    PreparedData first = null;
    for (int fold = 0; fold < folds.size(); fold++) {
      PreparedData prepared =
          PreparedData.of(this.table.rows(folds.get(fold).training()), base, backend.dataPrecision(base.precision()));
      FoldTraining.requireScorable(prepared, judging.get(fold));
      views.add(prepared.view());
      first = first == null ? prepared : first;
    }
    rungs = rungs(first.fit().training().epochs());
    warmUpEpochs = first.fit().warmUpEpochs();
    candidates = spec.candidates(base).stream().map(this::withFittingBatches).toList();
    List<PreparedData> all = IntStream.range(0, candidates.size()).mapToObj(i -> prepare(i, rungs.size() - 1, 0, 0)).toList();
    for (PreparedData candidate : all) {
      candidate.config().requireInRange();
      backend.refusal(candidate.network(), candidate.fit().training(), 1).ifPresent(refusal -> {
        throw refusal.toException();
      });
    }
    numerics = numerics(backend, all);
    executor.leaveOutOtherNumerics(device -> numerics(device, all));
  }

  private static Numerics numerics(Backend device, List<PreparedData> all) {
    return all.stream().map(one -> device.numerics(one.network(), one.fit().training(), one.view().training().rows()))
        .reduce(Numerics::and).orElseThrow();
  }

  private static List<Fold> folds(Table table, EncodingOptions columns, TuningSpec spec) {
    NumpyRandom stream = new NumpyRandom(spec.splitSeed());
    int[] labels = columns.labels(table);
    boolean hasSingleRows = labels != null && FoldSelection.rarest(labels) < 2;
    OptionalDouble share = spec.folds().isPresent() ? OptionalDouble.empty()
        : spec.heldOut().isPresent() ? spec.heldOut()
        : table.rows() > FoldSelection.MAX_ROWS || hasSingleRows ? OptionalDouble.of(TuningSpec.DEFAULT_HELD_OUT)
        : OptionalDouble.empty();
    if (share.isPresent()) {
      Split split = Split.of(table.rows(), share.getAsDouble(), stream, labels);
      return List.of(new Fold(1, 1, split.training(), split.validation()));
    }
    int count = spec.folds().orElseGet(() -> Math.max(2, Math.min(FoldSelection.folds(labels), table.rows())));
    return Folds.of(table, columns, new FoldOptions(count, 1, Optional.empty(), Optional.empty()), stream);
  }

  private static List<Integer> rungs(int epochs) {
    List<Integer> rungs = new ArrayList<>(List.of(epochs));
    while (rungs.size() < MAX_RUNGS && rungs.get(0) / ETA >= MIN_EPOCHS) {
      rungs.add(0, rungs.get(0) / ETA);
    }
    return rungs;
  }

  /** Raises the batch size where batch normalization would have a batch of one row, in a fold or in the training on all rows. */
  private TrainConfig withFittingBatches(TrainConfig config) {
    if (config.normalization() != Normalization.BATCH || config.trainer().training().batchSize().isEmpty()) {
      return config;
    }
    int size = Math.max(2, config.trainer().training().batchSize().getAsInt());
    while (hasSingleRow(size)) {
      size++;
    }
    int fitting = size;
    return config.with(changes -> changes.batchSize(fitting));
  }

  private boolean hasSingleRow(int batchSize) {
    return Stream.concat(Stream.of(table.rows()), views.stream().map(view -> view.training().rows()))
        .anyMatch(rows -> rows > batchSize && rows % batchSize == 1);
  }

  public TuningSpec spec() {
    return spec;
  }

  /** Returns the view of the first fold's training rows. */
  public DataView view() {
    return views.get(0);
  }

  /** Returns the rows that are used. */
  public Table table() {
    return table;
  }

  /** Returns the number of rows that are dropped because a value is missing. */
  public int droppedRows() {
    return droppedRows;
  }

  /** Returns the number of folds; 1 if the candidates are judged by held-out rows. */
  public int folds() {
    return folds.size();
  }

  /** Returns the number of judging rows, over all folds. */
  public int judgingRows() {
    return judging.stream().mapToInt(Table::rows).sum();
  }

  /** Returns the number of epochs of each rung. */
  public List<Integer> rungs() {
    return rungs;
  }

  /** Returns the numerics of the trainings on the first device. */
  public Numerics numerics() {
    return numerics;
  }

  /** Returns the maximum number of epochs over all networks. */
  public long epochs() {
    return epochs(candidates.size());
  }

  private long epochs(int trials) {
    long epochs = 0;
    int going = trials;
    for (int rung = 0; rung < rungs.size(); rung++) {
      epochs += (long) going * folds.size() * rungs.get(rung);
      going = Math.min(trials, next(going, rung) + 1);
    }
    return epochs + (long) going * (SEEDS - 1) * folds.size() * rungs.get(rungs.size() - 1);
  }

  private int next(int going, int rung) {
    return rung == rungs.size() - 1 ? Math.min(FINALISTS, going) : (going + ETA - 1) / ETA;
  }

  /**
   * Returns the number of trials whose training takes about a time. Trains candidate 0 to measure its speed; the average
   * candidate may be faster or slower.
   */
  public int trialsWithin(double seconds) {
    Part part = part(0, 0, 0, List.of(0));
    measure(part);
    double epochSeconds = measure(part) / rungs.get(0) / executor.groupsAtOnce(part);
    int trials = 1;
    while (trials < TuningSpec.MAX_TRIALS && epochs(trials + 1) * epochSeconds <= seconds) {
      trials++;
    }
    return trials;
  }

  private double measure(Part part) {
    return train(part, executor.backend(), new Listener() {}, () -> false).get(0).seconds();
  }

  /**
   * Trains and scores the candidates.
   *
   * @param known networks that are already trained
   * @return empty when the listener has stopped it
   * @throws InvalidInputException when a known network is not one of this search
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public Optional<TuningResult> run(List<TuningTrial> known, Listener listener) {
    Map<Key, TuningTrial> trials = new ConcurrentHashMap<>();
    for (TuningTrial trial : known) {
      requireOwn(trial.key());
      if (trials.put(trial.key(), trial) != null) {
        throw new InvalidInputException("the network " + trial.key() + " is there twice");
      }
    }
    List<TuningResult.Rung> ladder = new ArrayList<>();
    // From the worst to the best rung; within a rung, the best first.
    List<List<Integer>> leaving = new ArrayList<>();
    List<Integer> going = IntStream.range(0, candidates.size()).boxed().toList();
    long reported = 0;
    int last = rungs.size() - 1;
    try {
      for (int rung = 0; rung <= last; rung++) {
        reported += train(going, rung, List.of(0), trials, listener);
        List<Integer> ranking = ranking(going, rung, 1, trials);
        ladder.add(new TuningResult.Rung(rungs.get(rung), ranking.size(), summary(ranking.get(0), rung, 1, trials).mean()));
        int count = next(ranking.size(), rung);
        going = ranking.stream().filter(candidate -> candidate == 0 || ranking.indexOf(candidate) < count).toList();
        List<Integer> stays = going;
        leaving.add(ranking.stream().filter(candidate -> !stays.contains(candidate)).toList());
      }
      reported += train(going, last, IntStream.range(1, SEEDS).boxed().toList(), trials, listener);
    } catch (CancellationException e) {
      return Optional.empty();
    }
    listener.trained(epochs() - reported);
    List<TuningResult.Standing> standings = new ArrayList<>();
    ranking(going, last, SEEDS, trials).forEach(
        candidate -> standings.add(new TuningResult.Standing(candidate, last, summary(candidate, last, SEEDS, trials))));
    for (int rung = last; rung >= 0; rung--) {
      for (int candidate : leaving.get(rung)) {
        standings.add(new TuningResult.Standing(candidate, rung, summary(candidate, rung, 1, trials)));
      }
    }
    TrainConfig winner = candidates.get(standings.get(0).candidate()).with(
        changes -> changes.epochs(rungs.get(last)).columns(spec.config().columns()));
    List<TuningTrial> sorted = trials.values().stream().sorted(TuningTrial.ORDER).toList();
    return Optional.of(new TuningResult(spec, candidates, ladder, standings, sorted, winner));
  }

  private void requireOwn(Key key) {
    if (!(key.rung() >= 0 && key.rung() < rungs.size() && key.candidate() >= 0 && key.candidate() < candidates.size()
        && key.fold() >= 0 && key.fold() < folds.size() && key.seed() >= 0 && key.seed() < SEEDS)) {
      throw new InvalidInputException("the network " + key + " is not one of this search");
    }
  }

  /** Returns candidates from the best to the worst; of equal ones the lower number first. */
  private List<Integer> ranking(List<Integer> of, int rung, int seeds, Map<Key, TuningTrial> trials) {
    boolean isHigherBetter = spec.config().trainer().watch().isHigherBetter();
    return of.stream().sorted(Comparator.<Integer>comparingDouble(candidate -> {
      double mean = summary(candidate, rung, seeds, trials).mean();
      return Double.isNaN(mean) ? Double.POSITIVE_INFINITY : isHigherBetter ? -mean : mean;
    }).thenComparingInt(candidate -> candidate)).toList();
  }

  /** Returns the summary over folds and seeds; without values if a network diverged. */
  private Summary summary(int candidate, int rung, int seeds, Map<Key, TuningTrial> trials) {
    double[] scores = IntStream.range(0, folds.size() * seeds)
        .mapToDouble(i -> trials.get(new Key(rung, candidate, i / seeds, i % seeds)).score()).toArray();
    return Summary.of(IntStream.range(0, scores.length).anyMatch(i -> Double.isNaN(scores[i])) ? new double[0] : scores);
  }

  /** Trains the networks that are not known yet; returns the number of epochs of all. */
  private long train(List<Integer> going, int rung, List<Integer> seeds, Map<Key, TuningTrial> trials, Listener listener) {
    List<Part> parts = new ArrayList<>();
    long knownNetworks = 0;
    for (int candidate : going) {
      for (int fold = 0; fold < folds.size(); fold++) {
        int index = fold;
        List<Integer> missing =
            seeds.stream().filter(seed -> !trials.containsKey(new Key(rung, candidate, index, seed))).toList();
        knownNetworks += seeds.size() - missing.size();
        if (!missing.isEmpty()) {
          parts.add(part(rung, candidate, fold, missing));
        }
      }
    }
    listener.trained(knownNetworks * rungs.get(rung));
    executor.train(parts, (part, device, stopped) -> {
      List<TuningTrial> trained = train(part, device, listener, stopped);
      trained.forEach(trial -> trials.put(trial.key(), trial));
      synchronized (listener) {
        listener.finished(trained);
      }
    });
    return (long) going.size() * folds.size() * seeds.size() * rungs.get(rung);
  }

  private Part part(int rung, int candidate, int fold, List<Integer> seeds) {
    PreparedData prepared = prepare(candidate, rung, fold, seeds.get(0));
    return new Part(rung, candidate, fold, seeds, prepared.network(), prepared.fit().training());
  }

  /** Prepares a network as {@code plumb train} does for the training rows of a fold. */
  private PreparedData prepare(int candidate, int rung, int fold, int seed) {
    int epochs = rungs.get(rung);
    int warmUp = (int) ((long) warmUpEpochs * epochs / rungs.get(rungs.size() - 1));
    return PreparedData.of(views.get(fold), candidates.get(candidate).with(
        changes -> changes.epochs(epochs).warmUpEpochs(warmUp).seed(spec.config().seed() + seed)));
  }

  private List<TuningTrial> train(Part part, Backend device, Listener listener, BooleanSupplier stopped) {
    if (stopped.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    long start = System.nanoTime();
    List<PreparedData> networks =
        part.seeds().stream().map(seed -> prepare(part.candidate(), part.rung(), part.fold(), seed)).toList();
    List<TrainerState> states = FoldTraining.train(networks, device, listener, stopped);
    double seconds = (System.nanoTime() - start) / 1e9 / part.size();
    return IntStream.range(0, states.size()).mapToObj(i -> new TuningTrial(part.rung(), part.candidate(), part.fold(),
        part.seeds().get(i), score(networks.get(i), states.get(i), judging.get(part.fold()), device), states.get(i).epochs(),
        seconds)).toList();
  }

  /** Returns the watched metric of a network; NaN if the training diverged or the metric is not finite. */
  private double score(PreparedData training, TrainerState state, Table rows, Backend device) {
    if (state.end().orElseThrow() == TrainerState.End.DIVERGED) {
      return Double.NaN;
    }
    double score = FoldTraining.score(training, state, rows, device).scores()
        .map(scores -> scores.value(spec.config().trainer().watch())).orElse(Double.NaN);
    return Double.isFinite(score) ? score : Double.NaN;
  }
}
