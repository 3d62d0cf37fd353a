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
import dev.plumb.train.TrainerSpec;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * A hyperparameter search by random search with successive halving (Jamieson and Talwalkar 2016). The first candidates are the
 * base configuration, with each of the values that {@link FoldSelection} chooses from if it would; the others are drawn. A rung
 * trains up to a quarter of the candidates of the rung before, and the base candidates, for three times the epochs; each time from
 * the beginning, with the learning-rate schedule of these epochs. A candidate advances if it is among so many best of all
 * candidates, each with the score of its best rung, or a base candidate; but not if its score is worse than one rung before.
 *
 * <p>A candidate's score is that of its best rung. The best two drawn candidates and the best base candidate are trained from a
 * second seed for the epochs of that rung, with held-out rows or up to three folds also from a third seed. The better drawn one
 * wins if it is better than the base candidate by more than {@value TuningResult#MIN_STANDARD_ERRORS} standard errors of the
 * difference; otherwise the base candidate wins: a stricter form of the one-standard-error rule (Breiman et al. 1984).
 *
 * <p>Up to {@value FoldSelection#MAX_ROWS} rows, the candidates are judged by five folds, which are divided again for each seed;
 * otherwise by held-out rows. The encoding is fitted to the training rows of each fold. The result depends on the specification
 * and the data only.
 */
public final class Tuning {
  /** A rung has this many times the epochs of the rung before. */
  private static final int EPOCHS_RATIO = 3;
  /** Minimum number of epochs of the first rung, if there are others. */
  private static final int MIN_EPOCHS = 5;
  /**
   * Maximum number of epochs of the last rung but one if the epochs are automatic. On most tables of up to 2,000 rows, 200 epochs had
   * worse scores than 66, on others better ones: few candidates are trained for so many, and only if they still improve.
   */
  private static final int MAX_EPOCHS_BEFORE_LAST = 66;

  /** A listener of the progress. Called by several threads, but not at the same time. */
  public interface Listener extends CrossValidation.Listener {
    /** Called with each trained network. */
    default void finished(TuningTrial trial) {}
  }

  /** The network of a candidate, fold and seed. */
  private record Group(Entry entry, int fold, int seed, NetworkSpec network, TrainingSpec training) implements ReplicaGroup {
    @Override
    public int size() {
      return 1;
    }
  }

  private final TrialExecutor executor;
  private final TuningSpec spec;
  private final TuningRows rows;
  private final List<TrainConfig> candidates;
  private final HalvingLadder ladder;
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
    rows = new TuningRows(table, spec, base, backend.dataPrecision(base.precision()));
    int epochs = rows.first().fit().training().epochs();
    boolean hasLongRung = given.automatic().contains(Automatic.EPOCHS) && epochs > MAX_EPOCHS_BEFORE_LAST;
    List<Integer> rungs = rungs(hasLongRung ? MAX_EPOCHS_BEFORE_LAST : epochs, spec.rungs());
    if (hasLongRung && spec.rungs() > 1) {
      rungs.add(epochs);
    }
    List<TrainConfig> bases = spec.baseCandidates(base, rows.folds() > 1 && FoldSelection.selects(table, given));
    candidates = spec.candidates(bases, base).stream().map(this::withFittingBatches).toList();
    ladder = new HalvingLadder(bases.size(), candidates.size(), rungs, HalvingLadder.seeds(rows.folds()));
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
    while (rungs.size() < maxRungs && rungs.get(0) / EPOCHS_RATIO >= MIN_EPOCHS) {
      rungs.add(0, rungs.get(0) / EPOCHS_RATIO);
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
    return ladder.rungs();
  }

  /** Returns the numerics of the trainings on the first device. */
  public Numerics numerics() {
    return numerics;
  }

  /** Returns the maximum number of epochs over all networks. */
  public long epochs() {
    return rows.folds() * ladder.maxEpochs();
  }

  /**
   * Returns the number of trials whose training and scoring take about a time. Trains candidate 0, for a twentieth of this time and
   * at most five seconds, to measure its speed; the average candidate may be faster or slower.
   */
  public int trialsWithin(double seconds) {
    Group group = group(new Entry(0, 0), 0, 0);
    int groupsAtOnce = executor.groupsAtOnce(group);
    double epochSeconds = epochSeconds(group, executor.backend().sharedBy(groupsAtOnce), Math.min(5, seconds / 20)) / groupsAtOnce;
    int trials = 1;
    while (trials < TuningSpec.MAX_TRIALS && rows.folds() * epochSeconds * ladder.withCandidates(trials + 1).maxEpochs() <= seconds) {
      trials++;
    }
    return trials;
  }

  /** Returns the time of an epoch in the fastest of several trainings: the first ones are slow, until C2 has compiled. */
  private double epochSeconds(Group group, Backend device, double seconds) {
    double best = Double.POSITIVE_INFINITY;
    long first = System.nanoTime();
    do {
      long start = System.nanoTime();
      TuningTrial trained = train(group, device, new Listener() {}, () -> false);
      best = Math.min(best, (System.nanoTime() - start) / 1e9 / Math.max(1, trained.epochs()));
    } while (System.nanoTime() - first < seconds * 1e9);
    return best;
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
    TuningScores scores =
        new TuningScores(rows.folds(), rows.judgingShare(), spec.config().trainer().watch().isHigherBetter());
    for (TuningTrial trial : known) {
      requireOwn(trial.key());
      if (!scores.add(trial)) {
        throw new InvalidInputException("the network " + trial.key() + " is there twice");
      }
    }
    long[] reported = new long[1];
    HalvingLadder.Outcome outcome;
    try {
      outcome = ladder.climb(scores, (entries, seeds) -> reported[0] += train(entries, seeds, scores, listener));
    } catch (CancellationException e) {
      return Optional.empty();
    }
    listener.trained(epochs() - reported[0]);
    TuningResult.Standing best = outcome.standings().get(0);
    TrainConfig winner =
        at(new Entry(best.candidate(), best.rung())).with(changes -> changes.columns(spec.config().columns()));
    return Optional.of(new TuningResult(
        spec, ladder.baseCandidates(), candidates, outcome.rungs(), outcome.standings(), scores.trials(), winner));
  }

  private void requireOwn(Key key) {
    if (!(key.rung() >= 0 && key.rung() < ladder.rungs().size() && key.candidate() >= 0 && key.candidate() < candidates.size()
        && key.fold() >= 0 && key.fold() < rows.folds() && key.seed() >= 0 && key.seed() < ladder.seeds())) {
      throw new InvalidInputException("the network " + key + " is not one of this search");
    }
  }

  /** Trains the networks that are not known yet; returns the number of epochs of all. */
  private long train(List<Entry> entries, List<Integer> seeds, TuningScores scores, Listener listener) {
    List<Group> groups = new ArrayList<>();
    long known = 0;
    long all = 0;
    for (Entry entry : entries) {
      int epochs = ladder.rungs().get(entry.rung());
      for (int seed : seeds) {
        for (int fold = 0; fold < rows.folds(); fold++) {
          all += epochs;
          if (scores.has(new Key(entry.rung(), entry.candidate(), fold, seed))) {
            known += epochs;
          } else {
            groups.add(group(entry, fold, seed));
          }
        }
      }
    }
    listener.trained(known);
    executor.train(groups, new ScoredTrainer(scores, listener));
    return all;
  }

  /** Trains networks and adds their scores. */
  private final class ScoredTrainer implements TrialExecutor.GroupTrainer<Group> {
    private final TuningScores scores;
    private final Listener listener;

    ScoredTrainer(TuningScores scores, Listener listener) {
      this.scores = scores;
      this.listener = listener;
    }

    @Override
    public void train(Group group, Backend device, BooleanSupplier stopped) {
      finished(Tuning.this.train(group, device, listener, stopped));
    }

    @Override
    public String text(Group group) {
      return group.entry().candidate() + " " + group.entry().rung() + " " + group.fold() + " " + group.seed();
    }

    @Override
    public void received(Group group, byte[] results) {
      finished(TuningTrial.parse(new String(results, StandardCharsets.UTF_8)));
      synchronized (listener) {
        listener.trained(group.training().epochs());
      }
    }

    private void finished(TuningTrial trial) {
      scores.add(trial);
      synchronized (listener) {
        listener.finished(trial);
      }
    }

    @Override
    public boolean stopRequested() {
      return listener.stopRequested();
    }
  }

  /** Returns what trains networks for another process. */
  TrialWorker worker() {
    return new TrialWorker() {
      @Override
      public Numerics numerics() {
        return numerics;
      }

      @Override
      public Results train(String text, Backend device, BooleanSupplier stopped) {
        int[] numbers = TrialWorker.numbers(text);
        Group group = group(new Entry(numbers[0], numbers[1]), numbers[2], numbers[3]);
        TuningTrial trial = Tuning.this.train(group, device, new Listener() {}, stopped);
        return Results.of(bytes(trial), bytes(trial.withSeconds(0)));
      }
    };
  }

  private Group group(Entry entry, int fold, int seed) {
    PreparedData prepared = prepare(entry, fold, seed);
    return new Group(entry, fold, seed, prepared.network(), prepared.fit().training());
  }

  /** Prepares a network as {@code plumb train} does for the training rows of a fold. */
  private PreparedData prepare(Entry entry, int fold, int seed) {
    return PreparedData.of(rows.part(fold, seed).training(), at(entry).with(changes -> changes.seed(spec.config().seed() + seed)));
  }

  /** Returns the configuration of a candidate with the epochs of a rung. */
  private TrainConfig at(Entry entry) {
    int epochs = ladder.rungs().get(entry.rung());
    TrainerSpec fit = rows.first().fit();
    int warmUp = (int) ((long) fit.warmUpEpochs() * epochs / fit.training().epochs());
    return candidates.get(entry.candidate()).with(changes -> changes.epochs(epochs).warmUpEpochs(warmUp));
  }

  private TuningTrial train(Group group, Backend device, Listener listener, BooleanSupplier stopped) {
    if (stopped.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    long start = System.nanoTime();
    Entry entry = group.entry();
    PreparedData prepared = prepare(entry, group.fold(), group.seed());
    TrainerState state = FoldTraining.train(List.of(prepared), device, listener, stopped).get(0);
    double seconds = (System.nanoTime() - start) / 1e9;
    double score = score(prepared, state, rows.part(group.fold(), group.seed()).judging(), device);
    return new TuningTrial(entry.rung(), entry.candidate(), group.fold(), group.seed(), score, state.epochs(), seconds);
  }

  private static byte[] bytes(TuningTrial trial) {
    return trial.line().getBytes(StandardCharsets.UTF_8);
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
