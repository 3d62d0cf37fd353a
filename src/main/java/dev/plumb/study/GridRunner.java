package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * A run of a grid study: trains its networks in groups, networks of one shape as replicas of one session. A group is small enough
 * to take little memory and to lose little time if the run is killed.
 */
public final class GridRunner {
  /** Enough to keep many cores busy, and few enough to lose little. */
  private static final int CPU_REPLICAS = 32;

  /** A GPU needs several blocks for each of its multiprocessors. */
  private static final int CUDA_REPLICAS = 1024;

  private static final int REFERENCE_REPLICAS = 4;

  /** Memory limit of a group; a single network may take more. */
  private static final double PIECE_BYTES = 256e6;

  /** A listener of the progress. Called by several threads, but not at the same time. */
  public interface Watcher {
    boolean stopRequested();

    /** Called with the finished networks of one group. */
    void finished(List<GridRow> rows);

    /** @param seconds of the estimate that are done since the last call, as a progress bar counts them */
    void worked(double seconds);
  }

  private final Backend backend;
  private final GridStudy study;
  private final Dataset data;

  /** @throws InvalidInputException when a cell does not fit the data, or the backend will not train it */
  public GridRunner(Backend backend, GridStudy study) {
    this.backend = backend;
    this.study = study;
    data = NotebookData.draw(study.spec().samples(), new NumpyRandom(study.spec().seed()));
    for (GridStudy.Cell cell : study.cells()) {
      try {
        data.requireFits(cell.network(), study.spec().training().loss());
        backend.refusal(cell.network(), study.spec().training(), 1).ifPresent(refusal -> {
          throw refusal.toException();
        });
      } catch (InvalidInputException e) {
        throw e.at("cell " + (cell.index() + 1) + " \"" + cell.name() + "\"");
      }
    }
  }

  /** Returns the numerics of all networks, on which the last bits of results depend. */
  public Numerics numerics() {
    return study.cells().stream().map(GridStudy.Cell::network).distinct()
        .map(network -> backend.numerics(network, study.spec().training(), data.rows()))
        .reduce(Numerics::and).orElseThrow();
  }

  Dataset data() {
    return data;
  }

  Backend backend() {
    return backend;
  }

  GridStudy study() {
    return study;
  }

  /**
   * Returns the networks that are not done, in groups.
   *
   * @param done the numbers of the finished networks
   */
  List<ReplicaGroup> pieces(BitSet done) {
    Map<Object, List<Integer>> groups = new LinkedHashMap<>();
    boolean byCell = study.spec().training().dropout().isPresent();
    for (int number = done.nextClearBit(0); number < study.networks(); number = done.nextClearBit(number + 1)) {
      GridStudy.Cell cell = study.cellOf(number);
      groups.computeIfAbsent(byCell ? (Object) cell.index() : cell.network(), key -> new ArrayList<>()).add(number);
    }
    List<ReplicaGroup> pieces = new ArrayList<>();
    for (List<Integer> group : groups.values()) {
      int groupSize = maxReplicas(study.cellOf(group.get(0)).network());
      int from = 0;
      for (int i = 1; i <= group.size(); i++) {
        boolean gap = i < group.size() && byCell && group.get(i) != group.get(i - 1) + 1;
        if (i == group.size() || i - from == groupSize || gap) {
          pieces.add(new ReplicaGroup(study, group.subList(from, i).stream().mapToInt(Integer::intValue).toArray()));
          from = i;
        }
      }
    }
    return pieces;
  }

  /** Returns the maximum number of networks in a group, which is lower for large networks. */
  int maxReplicas(NetworkSpec network) {
    int maxReplicas = switch (backend.device().kind()) {
      case CPU -> CPU_REPLICAS;
      case CUDA -> CUDA_REPLICAS;
      case REFERENCE -> REFERENCE_REPLICAS;
    };
    return (int) Math.max(1, Math.min(maxReplicas, PIECE_BYTES / replicaBytes(network)));
  }

  /** Returns the approximate memory of one network in training: parameters, gradients, moments, a copy; three values per unit. */
  double replicaBytes(NetworkSpec network) {
    double units = network.widths().stream().mapToDouble(Integer::doubleValue).sum();
    double rows = study.spec().training().batchSize().orElse(study.spec().samples());
    return 8 * (5.0 * ParameterLayout.of(network).size() + 3 * rows * units) + 3000;
  }

  int sessionsAtOnce(ReplicaGroup piece) {
    return Math.max(1, backend.sessionsAtOnce(piece.network(), piece.training(), piece.numbers().length));
  }

  /**
   * Trains the networks that are not done.
   *
   * @return whether all are done now; false when it was stopped, which loses the groups in training
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public boolean run(BitSet done, GridEstimate estimate, Watcher watcher) {
    List<ReplicaGroup> large = new ArrayList<>();
    List<ReplicaGroup> small = new ArrayList<>();
    for (ReplicaGroup piece : pieces(done)) {
      (sessionsAtOnce(piece) == 1 ? large : small).add(piece);
    }
    try {
      for (ReplicaGroup piece : large) {
        train(piece, estimate, watcher, () -> false);
      }
      trainAtOnce(small, estimate, watcher);
      return true;
    } catch (CancellationException e) {
      return false;
    }
  }

  private interface Failed {
    boolean elsewhere();
  }

  private void train(ReplicaGroup piece, GridEstimate estimate, Watcher watcher, Failed failed) {
    double perEpoch = estimate.seconds(piece) / study.spec().training().epochs();
    int[] before = new int[1];
    List<GridRow> rows = piece.train(backend, data, epochs -> {
      if (failed.elsewhere() || watcher.stopRequested()) {
        throw new CancellationException();
      }
      synchronized (watcher) {
        watcher.worked(perEpoch * (epochs - before[0]));
      }
      before[0] = epochs;
    });
    synchronized (watcher) {
      watcher.worked(perEpoch * (study.spec().training().epochs() - before[0]));
      watcher.finished(rows);
    }
  }

  private void trainAtOnce(List<ReplicaGroup> pieces, GridEstimate estimate, Watcher watcher) {
    if (pieces.isEmpty()) {
      return;
    }
    AtomicBoolean failed = new AtomicBoolean();
    List<Supplier<Boolean>> trainings = new ArrayList<>();
    for (ReplicaGroup piece : pieces) {
      trainings.add(() -> {
        train(piece, estimate, watcher, failed::get);
        return true;
      });
    }
    ExecutorService pool = Executors.newFixedThreadPool(pieces.stream().mapToInt(this::sessionsAtOnce).min().orElseThrow());
    ParallelTrainings.run(pool, trainings, () -> failed.set(true), "while networks of a grid were in training");
  }
}
