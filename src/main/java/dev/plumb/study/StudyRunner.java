package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Numerics;
import dev.plumb.data.Dataset;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.train.TrainListener;
import dev.plumb.train.TrainingInterruptedException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * The engine of all studies: trains trials in groups, those of one network shape as replicas of one session, several groups at
 * once if the backend recommends it. A group is small enough to take little memory and to lose little time if the run is killed.
 */
public final class StudyRunner {
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
     * @param epochs that all trials of a group have trained since the last call for that group; negative if the group's device has
     *     failed and the group will be trained from the start
     */
    default void trained(TrialGroup group, int epochs) {}
  }

  private final TrialExecutor executor;
  private final Backend backend;
  private final Study study;
  private final Dataset data;
  private final TrialStarts starts;
  private double setupSeconds;

  /** Prepares a study on one device; see {@link #StudyRunner(TrialExecutor, Study)}. */
  public StudyRunner(Backend backend, Study study) {
    this(TrialExecutor.on(backend), study);
  }

  /**
   * Prepares a study: its data and its streams. Leaves out devices whose results would have other last bits.
   *
   * @param executor trains the study; closed by the caller
   * @throws InvalidInputException when a cell does not fit the data, or the backend will not train it; nothing has been trained then
   */
  public StudyRunner(TrialExecutor executor, Study study) {
    long start = System.nanoTime();
    this.executor = executor;
    backend = executor.backend();
    this.study = study;
    data = study.data().training(study.seed());
    for (Study.Cell cell : study.cells()) {
      try {
        data.requireFits(cell.network(), study.training().loss());
        study.training().requireFits(cell.network(), data.rows());
        backend.refusal(cell.network(), study.training(), 1).ifPresent(refusal -> {
          throw refusal.toException();
        });
      } catch (InvalidInputException e) {
        throw e.at(!study.isList() ? "cell " + (cell.index() + 1) + " \"" + cell.name() + "\""
            : "networks[" + cell.index() + "] \"" + cell.name() + "\"");
      }
    }
    executor.leaveOutOtherNumerics(this::numerics);
    starts = new TrialStarts(study);
    setupSeconds = (System.nanoTime() - start) / 1e9;
  }

  /** Returns the numerics of all networks, on which the last bits of results depend. */
  public Numerics numerics() {
    return numerics(backend);
  }

  /** Returns the device that trains the study, or a description of all devices. */
  public DeviceInfo device() {
    return executor.device();
  }

  private Numerics numerics(Backend backend) {
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
    // No more than a device's share, so that all devices have something to train.
    int maxGroup = (study.trials() - done.cardinality() + executor.deviceCount() - 1) / executor.deviceCount();
    for (int trial = done.nextClearBit(0); trial < study.trials(); trial = done.nextClearBit(trial + 1)) {
      Study.Cell cell = study.cellOf(trial);
      shapes.computeIfAbsent(byCell ? (Object) cell.index() : cell.network(), key -> new ArrayList<>()).add(trial);
    }
    List<TrialGroup> groups = new ArrayList<>();
    for (List<Integer> trials : shapes.values()) {
      int groupSize = Math.min(maxGroup, maxReplicas(study.cellOf(trials.get(0)).network()));
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
    return ReplicaGroup.maxSize(backend, replicaBytes(network));
  }

  /** Returns the approximate memory of one network in training. */
  double replicaBytes(NetworkSpec network) {
    return ReplicaGroup.networkBytes(network, study.training().batchSize().orElse(study.data().rows()));
  }

  boolean isRemote() {
    return executor.isRemote();
  }

  int groupsAtOnce(TrialGroup group) {
    return executor.groupsAtOnce(group);
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
    return new StudyResult(study, executor.device(), setupSeconds, rows);
  }

  /**
   * Trains the trials that are not done. Each finished trial is reported once, also if a device fails and others continue.
   *
   * @return whether all are done now; false when it was stopped, which loses the groups in training
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public boolean run(BitSet done, Listener listener) {
    try {
      executor.train(groups(done), new ListenedTrainer(listener));
      return true;
    } catch (CancellationException e) {
      return false;
    }
  }

  /** Returns what trains groups for another process. */
  TrialWorker worker() {
    return new TrialWorker() {
      @Override
      public Numerics numerics() {
        return StudyRunner.this.numerics();
      }

      @Override
      public Results train(String text, Backend device, BooleanSupplier stopped) {
        TrialGroup group = new TrialGroup(study, TrialWorker.numbers(text));
        List<TrialRow> rows = new ArrayList<>();
        StudyRunner.this.train(group, device, rows::addAll, stopped);
        return Results.of(bytes(rows), bytes(rows.stream().map(row -> row.withSeconds(0)).toList()));
      }
    };
  }

  private static byte[] bytes(List<TrialRow> rows) {
    return rows.stream().map(TrialRow::line).collect(Collectors.joining("\n")).getBytes(StandardCharsets.UTF_8);
  }

  /** Trains groups and reports to a listener. */
  private final class ListenedTrainer implements TrialExecutor.GroupTrainer<TrialGroup> {
    private final Listener listener;

    ListenedTrainer(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void train(TrialGroup group, Backend device, BooleanSupplier stopped) {
      StudyRunner.this.train(group, device, listener, stopped);
    }

    @Override
    public String text(TrialGroup group) {
      return Arrays.stream(group.numbers()).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    @Override
    public void received(TrialGroup group, byte[] results) {
      List<TrialRow> rows =
          new String(results, StandardCharsets.UTF_8).lines().map(line -> TrialRow.parse(line, study)).toList();
      synchronized (listener) {
        listener.finished(rows);
        listener.trained(group, study.training().epochs());
      }
    }

    @Override
    public boolean stopRequested() {
      return listener.stopRequested();
    }
  }

  private void train(TrialGroup group, Backend backend, Listener listener, BooleanSupplier failedElsewhere) {
    int epochs = study.training().epochs();
    int stepsPerEpoch = study.stepsPerEpoch();
    int[] before = new int[1];
    if (failedElsewhere.getAsBoolean() || listener.stopRequested()) {
      throw new CancellationException();
    }
    TrainListener progress = new TrainListener() {
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
    };
    Optional<List<TrialRow>> rows;
    try {
      rows = group.train(backend, data, starts, progress);
    } catch (DeviceFailedException | DeviceUnavailableException e) {
      synchronized (listener) {
        listener.trained(group, -before[0]);
      }
      throw e;
    }
    synchronized (listener) {
      listener.finished(rows.orElseThrow(CancellationException::new));
      listener.trained(group, epochs - before[0]);
    }
  }
}
