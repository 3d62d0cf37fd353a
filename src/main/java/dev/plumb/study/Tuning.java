package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.TuningScores.Entry;
import dev.plumb.study.TuningTrial.Key;
import dev.plumb.train.Automatic;
import dev.plumb.train.DataView;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * A hyperparameter search by random search with successive halving (Jamieson and Talwalkar 2016). The first candidates are the
 * base configuration, with each of the values that {@link FoldSelection} chooses from if it would; the others are drawn. All
 * candidates are trained for a ninth of the epochs, the best third of them for a third, and the best third of these for all
 * epochs; each time from the beginning, with the learning-rate schedule of these epochs. The base candidates advance too, but
 * no candidate whose score is worse than one rung before does.
 *
 * <p>A candidate's score is that of its best rung. The best three candidates and the best base candidate are trained from two more
 * seeds for the epochs of that rung, and the best mean over folds and seeds wins.
 *
 * <p>Up to {@value FoldSelection#MAX_ROWS} rows, the candidates are judged by five folds, which are divided again for each seed;
 * otherwise by held-out rows. The encoding is fitted to the training rows of each fold. The result depends on the specification
 * and the data only.
 */
public final class Tuning {
  /** Number of seeds of the finalists. */
  static final int SEEDS = 3;
  /** The best of this many candidates advances to the next rung. */
  private static final int ETA = 3;
  /** Minimum number of epochs of the first rung, if there are others. */
  private static final int MIN_EPOCHS = 5;
  private static final int FINALISTS = 3;
  /** With drawn learning rates and batch sizes, twice as many epochs rarely had better scores on tables of up to 2,000 rows. */
  private static final int MAX_AUTOMATIC_EPOCHS = 100;

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
  private record Part(Entry entry, int fold, List<Integer> seeds, NetworkSpec network, TrainingSpec training)
      implements ReplicaGroup {
    @Override
    public int size() {
      return seeds.size();
    }
  }

  private final TrialExecutor executor;
  private final TuningSpec spec;
  private final TuningRows rows;
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
    rows = new TuningRows(table, spec, base, backend.dataPrecision(base.precision()), SEEDS);
    int epochs = rows.first().fit().training().epochs();
    rungs = rungs(given.automatic().contains(Automatic.EPOCHS) ? Math.min(epochs, MAX_AUTOMATIC_EPOCHS) : epochs, spec.rungs());
    warmUpEpochs = rows.first().fit().warmUpEpochs();
    List<TrainConfig> bases = spec.baseCandidates(base, rows.folds() > 1 && FoldSelection.selects(table, given));
    baseCandidates = bases.size();
    candidates = spec.candidates(bases, base).stream().map(this::withFittingBatches).toList();
    List<PreparedData> all = IntStream.range(0, candidates.size()).mapToObj(i -> prepare(new Entry(i, rungs.size() - 1), 0, 0)).toList();
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
    while (rows.hasSingleRow(size)) {
      size++;
    }
    int fitting = size;
    return config.with(changes -> changes.batchSize(fitting));
  }

  public TuningSpec spec() {
    return spec;
  }

  /** Returns the view of the first fold's training rows. */
  public DataView view() {
    return rows.part(0, 0).training();
  }

  /** Returns the rows that are used. */
  public Table table() {
    return rows.table();
  }

  /** Returns the number of rows that are dropped because a value is missing. */
  public int droppedRows() {
    return rows.droppedRows();
  }

  /** Returns the number of folds; 1 if the candidates are judged by held-out rows. */
  public int folds() {
    return rows.folds();
  }

  /** Returns the number of judging rows, over all folds. */
  public int judgingRows() {
    return rows.judgingRows();
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
      epochs += (long) going * rows.folds() * rungs.get(rung);
      going = Math.min(going, advancing(going) + baseCandidates);
    }
    int finalists = Math.min(trials, FINALISTS + 1);
    return epochs + (long) finalists * (SEEDS - 1) * rows.folds() * rungs.get(rungs.size() - 1);
  }

  private static int advancing(int candidates) {
    return (candidates + ETA - 1) / ETA;
  }

  /**
   * Returns the number of trials whose training takes about a time. Trains candidate 0 to measure its speed; the average
   * candidate may be faster or slower.
   */
  public int trialsWithin(double seconds) {
    Part part = part(new Entry(0, 0), 0, List.of(0));
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
    TuningScores scores = new TuningScores(rows.folds(), spec.config().trainer().watch().isHigherBetter());
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
        going = withBase(ranking, advancing(ranking.size())).stream().filter(scores::hasImproved).map(Entry::candidate).toList();
        if (going.isEmpty()) {
          break;
        }
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
    TrainConfig winner = at(new Entry(best.candidate(), best.rung())).with(changes -> changes.columns(spec.config().columns()));
    return new TuningResult(spec, baseCandidates, candidates, ladder, standings, scores.trials(), winner);
  }

  private static TuningResult.Standing standing(Entry entry, int[] lastRungs, Summary score) {
    return new TuningResult.Standing(entry.candidate(), entry.rung(), lastRungs[entry.candidate()], score);
  }

  private void requireOwn(Key key) {
    if (!(key.rung() >= 0 && key.rung() < rungs.size() && key.candidate() >= 0 && key.candidate() < candidates.size()
        && key.fold() >= 0 && key.fold() < rows.folds() && key.seed() >= 0 && key.seed() < SEEDS)) {
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
      for (int fold = 0; fold < rows.folds(); fold++) {
        int index = fold;
        List<Integer> missing = seeds.stream()
            .filter(seed -> !scores.has(new Key(entry.rung(), entry.candidate(), index, seed))).toList();
        known += (long) (seeds.size() - missing.size()) * epochs;
        all += (long) seeds.size() * epochs;
        if (rows.areSharedBySeeds() && !missing.isEmpty()) {
          parts.add(part(entry, fold, missing));
        } else {
          missing.forEach(seed -> parts.add(part(entry, index, List.of(seed))));
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

  private Part part(Entry entry, int fold, List<Integer> seeds) {
    PreparedData prepared = prepare(entry, fold, seeds.get(0));
    return new Part(entry, fold, seeds, prepared.network(), prepared.fit().training());
  }

  /** Prepares a network as {@code plumb train} does for the training rows of a fold. */
  private PreparedData prepare(Entry entry, int fold, int seed) {
    return PreparedData.of(rows.part(fold, seed).training(), at(entry).with(changes -> changes.seed(spec.config().seed() + seed)));
  }

  /** Returns the configuration of a candidate with the epochs of a rung. */
  private TrainConfig at(Entry entry) {
    int epochs = rungs.get(entry.rung());
    int warmUp = (int) ((long) warmUpEpochs * epochs / rungs.get(rungs.size() - 1));
    return candidates.get(entry.candidate()).with(changes -> changes.epochs(epochs).warmUpEpochs(warmUp));
  }

  private List<TuningTrial> train(Part part, Backend device, Listener listener, BooleanSupplier stopped) {
    if (stopped.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    long start = System.nanoTime();
    Entry entry = part.entry();
    List<PreparedData> networks = part.seeds().stream().map(seed -> prepare(entry, part.fold(), seed)).toList();
    List<TrainerState> states = FoldTraining.train(networks, device, listener, stopped);
    double seconds = (System.nanoTime() - start) / 1e9 / part.size();
    return IntStream.range(0, states.size()).mapToObj(i -> {
      int seed = part.seeds().get(i);
      double score = score(networks.get(i), states.get(i), rows.part(part.fold(), seed).judging(), device);
      return new TuningTrial(entry.rung(), entry.candidate(), part.fold(), seed, score, states.get(i).epochs(), seconds);
    }).toList();
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
