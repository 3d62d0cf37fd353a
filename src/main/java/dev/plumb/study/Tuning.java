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
import dev.plumb.study.TuningScores.Entry;
import dev.plumb.study.TuningTrial.Key;
import dev.plumb.train.DataView;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
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
  private final int baseCandidates;
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
    rungs = rungs(first.fit().training().epochs(), spec.rungs());
    warmUpEpochs = first.fit().warmUpEpochs();
    List<TrainConfig> bases = spec.baseCandidates(base, folds.size() > 1 && FoldSelection.selects(table, given));
    baseCandidates = bases.size();
    candidates = spec.candidates(bases, base).stream().map(this::withFittingBatches).toList();
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

  private static List<Integer> rungs(int epochs, int maxRungs) {
    List<Integer> rungs = new ArrayList<>(List.of(epochs));
    while (rungs.size() < maxRungs && rungs.get(0) / ETA >= MIN_EPOCHS) {
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
      going = Math.min(going, advancing(going) + baseCandidates);
    }
    int finalists = Math.min(trials, FINALISTS + 1);
    return epochs + (long) finalists * (SEEDS - 1) * folds.size() * rungs.get(rungs.size() - 1);
  }

  private static int advancing(int candidates) {
    return (candidates + ETA - 1) / ETA;
  }

  /**
   * Returns the number of trials whose training takes about a time. Trains candidate 0 to measure its speed; the average
   * candidate may be faster or slower.
   */
  public int trialsWithin(double seconds) {
    Part part = part(0, 0, 0, List.of(0));
    measure(part, 1);
    int groupsAtOnce = executor.groupsAtOnce(part);
    double epochSeconds = measure(part, groupsAtOnce) / rungs.get(0) / groupsAtOnce;
    int trials = 1;
    while (trials < TuningSpec.MAX_TRIALS && epochs(trials + 1) * epochSeconds <= seconds) {
      trials++;
    }
    return trials;
  }

  private double measure(Part part, int sessions) {
    return train(part, executor.backend().sharedBy(sessions), new Listener() {}, () -> false).get(0).seconds();
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
    TuningScores scores = new TuningScores(folds.size(), spec.config().trainer().watch().isHigherBetter());
    for (TuningTrial trial : known) {
      requireOwn(trial.key());
      if (!scores.add(trial)) {
        throw new InvalidInputException("the network " + trial.key() + " is there twice");
      }
    }
    List<TuningResult.Rung> ladder = new ArrayList<>();
    int[] lastRungs = new int[candidates.size()];
    List<Integer> going = IntStream.range(0, candidates.size()).boxed().toList();
    List<Entry> finalists;
    long reported = 0;
    try {
      for (int rung = 0; rung < rungs.size(); rung++) {
        int current = rung;
        List<Entry> entries = going.stream().map(candidate -> new Entry(candidate, current)).toList();
        reported += train(entries, List.of(0), scores, listener);
        going.forEach(candidate -> lastRungs[candidate] = current);
        List<Entry> ranking = scores.ranking(entries, 1);
        ladder.add(new TuningResult.Rung(rungs.get(rung), ranking.size(), scores.summary(ranking.get(0), 1).mean()));
        going = withBase(ranking, advancing(ranking.size())).stream().map(Entry::candidate).toList();
      }
      finalists = finalists(scores, lastRungs);
      reported += train(finalists, IntStream.range(1, SEEDS).boxed().toList(), scores, listener);
    } catch (CancellationException e) {
      return Optional.empty();
    }
    listener.trained(epochs() - reported);
    return Optional.of(result(scores, ladder, lastRungs, finalists));
  }

  /** Returns the best entries of a ranking, and those of the base candidates. */
  private List<Entry> withBase(List<Entry> ranking, int count) {
    return IntStream.range(0, ranking.size()).filter(i -> i < count || ranking.get(i).candidate() < baseCandidates)
        .mapToObj(ranking::get).toList();
  }

  /** Returns the best candidates, and the best base candidate, each with the epochs of its best rung. */
  private List<Entry> finalists(TuningScores scores, int[] lastRungs) {
    List<Entry> ranking = bestEntries(scores, lastRungs);
    Entry base = ranking.stream().filter(entry -> entry.candidate() < baseCandidates).findFirst().orElseThrow();
    return IntStream.range(0, ranking.size()).filter(i -> i < FINALISTS || ranking.get(i) == base).mapToObj(ranking::get).toList();
  }

  private static List<Entry> bestEntries(TuningScores scores, int[] lastRungs) {
    return scores.ranking(
        IntStream.range(0, lastRungs.length).mapToObj(candidate -> scores.best(candidate, lastRungs[candidate])).toList(), 1);
  }

  private TuningResult result(TuningScores scores, List<TuningResult.Rung> ladder, int[] lastRungs, List<Entry> finalists) {
    List<TuningResult.Standing> standings = new ArrayList<>();
    for (Entry entry : scores.ranking(finalists, SEEDS)) {
      standings.add(standing(entry, lastRungs, scores.summary(entry, SEEDS)));
    }
    for (Entry entry : bestEntries(scores, lastRungs)) {
      if (!finalists.contains(entry)) {
        standings.add(standing(entry, lastRungs, scores.summary(entry, 1)));
      }
    }
    TuningResult.Standing best = standings.get(0);
    TrainConfig winner = at(best.candidate(), best.rung()).with(changes -> changes.columns(spec.config().columns()));
    return new TuningResult(spec, baseCandidates, candidates, ladder, standings, scores.trials(), winner);
  }

  private static TuningResult.Standing standing(Entry entry, int[] lastRungs, Summary score) {
    return new TuningResult.Standing(entry.candidate(), entry.rung(), lastRungs[entry.candidate()], score);
  }

  private void requireOwn(Key key) {
    if (!(key.rung() >= 0 && key.rung() < rungs.size() && key.candidate() >= 0 && key.candidate() < candidates.size()
        && key.fold() >= 0 && key.fold() < folds.size() && key.seed() >= 0 && key.seed() < SEEDS)) {
      throw new InvalidInputException("the network " + key + " is not one of this search");
    }
  }

  /** Trains the networks that are not known yet; returns the number of epochs of all. */
  private long train(List<Entry> entries, List<Integer> seeds, TuningScores scores, Listener listener) {
    List<Part> parts = new ArrayList<>();
    long known = 0;
    long all = 0;
    for (Entry entry : entries) {
      int epochs = rungs.get(entry.rung());
      for (int fold = 0; fold < folds.size(); fold++) {
        int index = fold;
        List<Integer> missing = seeds.stream()
            .filter(seed -> !scores.has(new Key(entry.rung(), entry.candidate(), index, seed))).toList();
        known += (long) (seeds.size() - missing.size()) * epochs;
        all += (long) seeds.size() * epochs;
        if (!missing.isEmpty()) {
          parts.add(part(entry.rung(), entry.candidate(), fold, missing));
        }
      }
    }
    listener.trained(known);
    executor.train(parts, (part, device, stopped) -> {
      List<TuningTrial> trained = train(part, device, listener, stopped);
      trained.forEach(scores::add);
      synchronized (listener) {
        listener.finished(trained);
      }
    });
    return all;
  }

  private Part part(int rung, int candidate, int fold, List<Integer> seeds) {
    PreparedData prepared = prepare(candidate, rung, fold, seeds.get(0));
    return new Part(rung, candidate, fold, seeds, prepared.network(), prepared.fit().training());
  }

  /** Prepares a network as {@code plumb train} does for the training rows of a fold. */
  private PreparedData prepare(int candidate, int rung, int fold, int seed) {
    return PreparedData.of(views.get(fold), at(candidate, rung).with(changes -> changes.seed(spec.config().seed() + seed)));
  }

  /** Returns the configuration of a candidate with the epochs of a rung. */
  private TrainConfig at(int candidate, int rung) {
    int epochs = rungs.get(rung);
    int warmUp = (int) ((long) warmUpEpochs * epochs / rungs.get(rungs.size() - 1));
    return candidates.get(candidate).with(changes -> changes.epochs(epochs).warmUpEpochs(warmUp));
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
