package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Folds;
import dev.plumb.data.Folds.Fold;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.TargetLeaks;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.Calibration;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A cross-validation: trains on the training rows of each fold exactly as {@code plumb train} does on a table of these rows, and
 * scores its test rows as {@code plumb evaluate} does. The encoding is fitted for each fold. The networks of a fold, which differ
 * in their seed, are replicas of one session; several folds are trained at once if the backend recommends it.
 */
public final class CrossValidation {
  /** Maximum number of encoded values and parameters that are kept from the check of the folds until their training: 64 MiB. */
  private static final long MAX_KEPT_VALUES = 1 << 23;

  /** A listener of the progress. Called by several threads, but not at the same time. */
  public interface Listener {
    /** Returns true to stop the cross-validation. */
    default boolean stopRequested() {
      return false;
    }

    /**
     * Called from time to time.
     *
     * @param epochs number of epochs, over all networks, since the last call; of a network that ends early, all epochs
     */
    default void trained(long epochs) {}
  }

  /** Networks of one fold that are trained as replicas of one session. */
  private record Group(Fold fold, List<PreparedData> networks) {
    PreparedData first() {
      return networks.get(0);
    }
  }

  /**
   * Networks of a fold that are trained together.
   *
   * @param firstSeed index of the first seed
   */
  private record Part(Fold fold, int firstSeed, int size, NetworkSpec network, TrainingSpec training) implements ReplicaGroup {}

  private final TrialExecutor executor;
  private final Backend backend;
  private final CrossValidationSpec spec;
  private final Table table;
  private final int droppedRows;
  private final TargetEncoding target;
  private final List<Fold> folds;
  private final List<Part> parts = new ArrayList<>();
  private final PreparedData firstPrepared;
  /** The prepared training of the first seed of each fold, as far as there is room. */
  private final Map<Fold, PreparedData> prepared = new ConcurrentHashMap<>();

  /**
   * Divides a table into folds, and checks that each can be trained and scored.
   *
   * @param executor trains the networks; closed by the caller
   * @throws InvalidInputException when the table cannot be divided, a fold does not suit the configuration, or the backend does not
   *     support a training
   */
  public CrossValidation(TrialExecutor executor, Table table, CrossValidationSpec spec) {
    this.executor = executor;
    backend = executor.backend();
    EncodingOptions given = spec.config().columns();
    EncodingOptions columns = spec.folds().resolve(table, given, spec.config().weights());
    // A fold's training is not preceded by a choice of its own.
    this.spec = spec.withConfig(spec.config().with(changes -> changes.columns(columns).validation(spec.config().validation())));
    this.table = columns.handleMissing(table, spec.config().weights());
    droppedRows = table.rows() - this.table.rows();
    target = TableEncoding.fit(this.table, columns).target();
    folds = Folds.of(this.table, columns, spec.folds(), new NumpyRandom(spec.foldSeed()));
    PreparedData first = null;
    long values = 0;
    for (Fold fold : folds) {
      PreparedData training = at(fold, () -> check(fold));
      first = first == null ? training : first;
      values += (long) this.table.rows() * (training.network().inputs() + 1) + 4L * ParameterLayout.of(training.network()).size();
      if (values <= MAX_KEPT_VALUES) {
        prepared.put(fold, training);
      }
      TrainingSpec fit = training.fit().training();
      int most = Math.min(spec.seeds(), ReplicaGroup.maxSize(backend,
          ReplicaGroup.networkBytes(training.network(), fit.batchSize().orElse(training.view().training().rows()))));
      for (int seed = 0; seed < spec.seeds(); seed += most) {
        parts.add(new Part(fold, seed, Math.min(most, spec.seeds() - seed), training.network(), fit));
      }
    }
    executor.leaveOutOtherNumerics(this::numerics);
    firstPrepared = first;
  }

  /** Returns the specification, with all columns and the task filled in. */
  public CrossValidationSpec spec() {
    return spec;
  }

  /** Returns the maximum number of epochs over all networks. */
  public long epochs() {
    return (long) spec.trainings() * firstPrepared.fit().training().epochs();
  }

  /** Returns the rows that are divided into folds. */
  public Table table() {
    return table;
  }

  /** Returns the number of rows that are dropped because a value is missing. */
  public int droppedRows() {
    return droppedRows;
  }

  /** Returns the target columns and, for classes, the names of all classes in the table. */
  public TargetEncoding target() {
    return target;
  }

  /** Returns the first training: that of the first fold and seed. */
  public PreparedData first() {
    return firstPrepared;
  }

  /** Returns the names of the features that determine a target exactly. */
  public List<String> leaks() {
    return TargetLeaks.find(table, spec.config().columns());
  }

  /**
   * Trains and scores all networks.
   *
   * @return empty when the listener has stopped it
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public Optional<CrossValidationResult> run(Listener listener) {
    Map<Part, List<FoldResult>> results = new ConcurrentHashMap<>();
    try {
      executor.train(parts, new PartTrainer(listener, results));
    } catch (CancellationException e) {
      return Optional.empty();
    }
    return Optional.of(new CrossValidationResult(spec, table, droppedRows, target, executor.device(),
        parts.stream().flatMap(part -> results.get(part).stream()).toList()));
  }

  /** Trains parts and keeps their results. */
  private final class PartTrainer implements TrialExecutor.GroupTrainer<Part> {
    private final Listener listener;
    private final Map<Part, List<FoldResult>> results;

    PartTrainer(Listener listener, Map<Part, List<FoldResult>> results) {
      this.listener = listener;
      this.results = results;
    }

    @Override
    public void train(Part part, Backend device, BooleanSupplier stopped) {
      results.put(part, CrossValidation.this.train(part, device, listener, stopped));
    }

    @Override
    public String text(Part part) {
      return folds.indexOf(part.fold()) + " " + part.firstSeed() + " " + part.size();
    }

    @Override
    public void received(Part part, byte[] received) {
      results.put(part, FoldResult.read(part.fold(), received));
      synchronized (listener) {
        listener.trained((long) part.size() * part.training().epochs());
      }
    }

    @Override
    public boolean stopRequested() {
      return listener.stopRequested();
    }
  }

  /** Returns what trains parts for another process. */
  TrialWorker worker() {
    return new TrialWorker() {
      @Override
      public Numerics numerics() {
        return CrossValidation.this.numerics(backend);
      }

      @Override
      public Results train(String text, Backend device, BooleanSupplier stopped) {
        int[] numbers = TrialWorker.numbers(text);
        Fold fold = folds.get(numbers[0]);
        Part any = parts.stream().filter(part -> part.fold() == fold).findFirst().orElseThrow();
        Part part = new Part(fold, numbers[1], numbers[2], any.network(), any.training());
        List<FoldResult> results = CrossValidation.this.train(part, device, new Listener() {}, stopped);
        return Results.of(FoldResult.write(results), FoldResult.write(results.stream().map(FoldResult::withoutTime).toList()));
      }
    };
  }

  private Numerics numerics(Backend device) {
    return parts.stream()
        .map(part -> device.numerics(part.network(), part.training(), part.fold().training().length))
        .reduce(Numerics::and).orElseThrow();
  }

  private PreparedData check(Fold fold) {
    Group group = prepare(fold, 0, 1);
    FoldTraining.requireScorable(group.first(), table.rows(fold.test()));
    group.first().requireFits();
    Calibration.require(group.first(), Optional.empty());
    backend.refusal(group.first().network(), group.first().fit().training(), 1).ifPresent(refusal -> {
      throw refusal.toException();
    });
    return group.first();
  }

  private Group prepare(Fold fold, int firstSeed, int count) {
    PreparedData kept = firstSeed == 0 ? prepared.remove(fold) : null;
    PreparedData first = kept != null ? kept : PreparedData.of(
        table.rows(fold.training()), spec.config(firstSeed), backend.dataPrecision(spec.config().precision()));
    List<PreparedData> networks = new ArrayList<>(List.of(first));
    for (int i = 1; i < count; i++) {
      networks.add(PreparedData.of(first.view(), spec.config(firstSeed + i)));
    }
    return new Group(fold, networks);
  }

  private List<FoldResult> train(Part part, Backend device, Listener listener, BooleanSupplier failedElsewhere) {
    if (failedElsewhere.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    long start = System.nanoTime();
    Group group = prepare(part.fold(), part.firstSeed(), part.size());
    List<TrainerState> states = FoldTraining.train(group.networks(), device, listener, failedElsewhere);
    double seconds = (System.nanoTime() - start) / 1e9 / part.size();
    Table test = table.rows(part.fold().test());
    return IntStream.range(0, states.size()).mapToObj(i -> score(group, device, i, states.get(i), test, seconds)).toList();
  }

  private FoldResult score(Group group, Backend device, int replica, TrainerState state, Table test, double seconds) {
    PreparedData training = group.networks().get(replica);
    FoldTraining.Scored scored = FoldTraining.score(training, state, test, device);
    return new FoldResult(group.fold(), training.config().seed(), training.view().validation().map(rows -> rows.rows()).orElse(0),
        state.end().orElseThrow(), state.epochs(), state.bestEpoch(), scored.scores(), scored.predictions(), seconds);
  }

  /** Returns what the supplier returns; its error message gets the fold in front. */
  private <T> T at(Fold fold, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw e.at((spec.folds().repeats() > 1 ? "repeat " + fold.repeat() + ", " : "") + "fold " + fold.number());
    }
  }
}
