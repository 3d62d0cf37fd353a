package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.data.Dataset;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.train.TrainListener;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The engine of all studies: trains trials in groups, those of one network shape as replicas of one session, several groups at
 * once if the backend recommends it. A group is small enough to take little memory and to lose little time if the run is killed.
 */
public final class StudyRunner {
  /** Enough to keep many cores busy, and few enough to lose little. */
  private static final int CPU_REPLICAS = 32;

  /** A GPU needs several blocks for each of its multiprocessors. */
  private static final int CUDA_REPLICAS = 1024;

  private static final int REFERENCE_REPLICAS = 4;

  /** Memory limit of a group; a single network may take more. */
  private static final double GROUP_BYTES = 256e6;

  /** A listener of the progress. Called by several threads, but not at the same time. */
  public interface Listener {
    /** Returns true to stop the study, which loses the groups in training. */
    default boolean stopRequested() {
      return false;
    }

    /** Called with the finished trials of one group. */
    void finished(List<TrialRow> rows);

    /**
     * Called from time to time.
     *
     * @param epochs that all trials of a group have trained since the last call for that group
     */
    default void trained(TrialGroup group, int epochs) {}
  }

  private final Backend backend;
  private final Study study;
  private final Dataset data;
  private final TrialStarts starts;
  private double setupSeconds;

  /**
   * Prepares a study: its data and its streams.
   *
   * @throws InvalidInputException when a cell does not fit the data, or the backend will not train it; nothing has been trained then
   */
  public StudyRunner(Backend backend, Study study) {
    long start = System.nanoTime();
    this.backend = backend;
    this.study = study;
    data = study.data().training(study.seed());
    for (Study.Cell cell : study.cells()) {
      try {
        data.requireFits(cell.network(), study.training().loss());
        backend.refusal(cell.network(), study.training(), 1).ifPresent(refusal -> {
          throw refusal.toException();
        });
      } catch (InvalidInputException e) {
        throw e.at(!study.isList() ? "cell " + (cell.index() + 1) + " \"" + cell.name() + "\""
            : "networks[" + cell.index() + "] \"" + cell.name() + "\"");
      }
    }
    starts = new TrialStarts(study);
    setupSeconds = (System.nanoTime() - start) / 1e9;
  }

  /** Returns the numerics of all networks, on which the last bits of results depend. */
  public Numerics numerics() {
    return study.cells().stream().map(Study.Cell::network).distinct()
        .map(network -> backend.numerics(network, study.training(), data.rows()))
        .reduce(Numerics::and).orElseThrow();
  }

  Dataset data() {
    return data;
  }

  Backend backend() {
    return backend;
  }

  Study study() {
    return study;
  }

  TrialStarts starts() {
    return starts;
  }

  /**
   * Returns the trials that are not done, in groups.
   *
   * @param done the numbers of the finished trials
   */
  List<TrialGroup> groups(BitSet done) {
    Map<Object, List<Integer>> shapes = new LinkedHashMap<>();
    boolean byCell = study.training().dropout().isPresent();
    for (int trial = done.nextClearBit(0); trial < study.trials(); trial = done.nextClearBit(trial + 1)) {
      Study.Cell cell = study.cellOf(trial);
      shapes.computeIfAbsent(byCell ? (Object) cell.index() : cell.network(), key -> new ArrayList<>()).add(trial);
    }
    List<TrialGroup> groups = new ArrayList<>();
    for (List<Integer> trials : shapes.values()) {
      int groupSize = maxReplicas(study.cellOf(trials.get(0)).network());
      int from = 0;
      for (int i = 1; i <= trials.size(); i++) {
        boolean gap = i < trials.size() && byCell && trials.get(i) != trials.get(i - 1) + 1;
        if (i == trials.size() || i - from == groupSize || gap) {
          groups.add(new TrialGroup(study, trials.subList(from, i).stream().mapToInt(Integer::intValue).toArray()));
          from = i;
        }
      }
    }
    return groups;
  }

  /** Returns the maximum number of trials in a group, which is lower for large networks. */
  int maxReplicas(NetworkSpec network) {
    int maxReplicas = switch (backend.device().kind()) {
      case CPU -> CPU_REPLICAS;
      case CUDA -> CUDA_REPLICAS;
      case REFERENCE -> REFERENCE_REPLICAS;
    };
    return (int) Math.max(1, Math.min(maxReplicas, GROUP_BYTES / replicaBytes(network)));
  }

  /** Returns the approximate memory of one network in training: parameters, gradients, moments, a copy; three values per unit. */
  double replicaBytes(NetworkSpec network) {
    double units = network.widths().stream().mapToDouble(Integer::doubleValue).sum();
    double rows = study.training().batchSize().orElse(study.data().rows());
    return 8 * (5.0 * ParameterLayout.of(network).size() + 3 * rows * units) + 3000;
  }

  int sessionsAtOnce(TrialGroup group) {
    return Math.max(1, backend.sessionsAtOnce(group.network(), group.training(), group.numbers().length));
  }

  /**
   * Trains all trials.
   *
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public StudyResult run() {
    return run((group, epochs) -> {});
  }

  /** Receives the epochs that a group has trained since the last call. */
  public interface Progress {
    void trained(TrialGroup group, int epochs);
  }

  /**
   * Trains all trials.
   *
   * @param progress called by several threads, but not at the same time
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public StudyResult run(Progress progress) {
    TrialRow[] rows = new TrialRow[study.trials()];
    run(new BitSet(), new Listener() {
      @Override
      public void finished(List<TrialRow> finishedRows) {
        finishedRows.forEach(row -> rows[row.trial()] = row);
      }

      @Override
      public void trained(TrialGroup group, int epochs) {
        progress.trained(group, epochs);
      }
    });
    return result(rows);
  }

  /** Returns the result of the study with the rows that are known. */
  public StudyResult result(TrialRow[] rows) {
    return new StudyResult(study, backend.device(), setupSeconds, rows);
  }

  /**
   * Trains the trials that are not done, the groups of the largest networks first, so that none of them runs last.
   *
   * @return whether all are done now; false when it was stopped, which loses the groups in training
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public boolean run(BitSet done, Listener listener) {
    List<TrialGroup> large = new ArrayList<>();
    List<TrialGroup> small = new ArrayList<>();
    for (TrialGroup group : groups(done)) {
      (sessionsAtOnce(group) == 1 ? large : small).add(group);
    }
    small.sort(Comparator.comparingInt(group -> -ParameterLayout.of(group.network()).size()));
    try {
      for (TrialGroup group : large) {
        train(group, listener, () -> false);
      }
      trainAtOnce(small, listener);
      return true;
    } catch (CancellationException e) {
      return false;
    }
  }

  private void train(TrialGroup group, Listener listener, BooleanSupplier failedElsewhere) {
    int epochs = study.training().epochs();
    int stepsPerEpoch = study.stepsPerEpoch();
    int[] before = new int[1];
    if (failedElsewhere.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    Optional<List<TrialRow>> rows = group.train(backend, data, starts, new TrainListener() {
      @Override
      public void stepsFinished(long steps, long totalSteps) {
        report((int) (steps / stepsPerEpoch));
      }

      private void report(int reached) {
        synchronized (listener) {
          listener.trained(group, reached - before[0]);
        }
        before[0] = reached;
      }

      @Override
      public boolean stopRequested() {
        return failedElsewhere.getAsBoolean() || listener.stopRequested();
      }
    });
    synchronized (listener) {
      listener.finished(rows.orElseThrow(CancellationException::new));
      listener.trained(group, epochs - before[0]);
    }
  }

  private void trainAtOnce(List<TrialGroup> groups, Listener listener) {
    if (groups.isEmpty()) {
      return;
    }
    AtomicBoolean failed = new AtomicBoolean();
    List<Supplier<Boolean>> trainings = new ArrayList<>();
    for (TrialGroup group : groups) {
      trainings.add(() -> {
        train(group, listener, failed::get);
        return true;
      });
    }
    int threads = groups.stream().mapToInt(this::sessionsAtOnce).min().orElseThrow();
    ExecutorService pool = Executors.newFixedThreadPool(Math.min(threads, groups.size()));
    ParallelTrainings.run(pool, trainings, () -> failed.set(true), "while networks of a study were in training");
  }
}
