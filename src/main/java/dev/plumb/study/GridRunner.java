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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Trains the networks of a grid, piece by piece: networks of one shape as replicas of one session, few enough that a piece takes
 * little memory and, when it is lost, little time.
 */
public final class GridRunner {
  /** Enough to keep many cores busy, little enough to be lost. */
  private static final int CPU_REPLICAS = 32;

  /** A card needs a block for each of its processors, several times. */
  private static final int CUDA_REPLICAS = 1024;

  private static final int REFERENCE_REPLICAS = 4;

  /** What a piece may take; a single network may take more. */
  private static final double PIECE_BYTES = 256e6;

  /** Who wants to know how it goes. Called by several threads, but not at the same time. */
  public interface Watcher {
    boolean stopRequested();

    /** Networks that are finished, in one piece. */
    void finished(List<GridRow> rows);

    /** @param seconds of the estimate that are done since the last call */
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

  /** Returns what decides the last bits of all networks. */
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
   * The networks that are not done, cut into pieces.
   *
   * @param done by their numbers
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
      int most = mostReplicas(study.cellOf(group.get(0)).network());
      int from = 0;
      for (int i = 1; i <= group.size(); i++) {
        boolean gap = i < group.size() && byCell && group.get(i) != group.get(i - 1) + 1;
        if (i == group.size() || i - from == most || gap) {
          pieces.add(new ReplicaGroup(study, group.subList(from, i).stream().mapToInt(Integer::intValue).toArray()));
          from = i;
        }
      }
    }
    return pieces;
  }

  /** Networks of a piece at most: fewer where they are large. */
  int mostReplicas(NetworkSpec network) {
    int most = switch (backend.device().kind()) {
      case CPU -> CPU_REPLICAS;
      case CUDA -> CUDA_REPLICAS;
      case REFERENCE -> REFERENCE_REPLICAS;
    };
    return (int) Math.max(1, Math.min(most, PIECE_BYTES / replicaBytes(network)));
  }

  /** About what one network takes in training: its parameters, gradients, two moments and a copy; three values of every unit. */
  double replicaBytes(NetworkSpec network) {
    double units = network.widths().stream().mapToDouble(Integer::doubleValue).sum();
    double rows = study.spec().training().batchSize().orElse(study.spec().samples());
    return 8 * (5.0 * ParameterLayout.of(network).size() + 3 * rows * units) + 3000;
  }

  int sessionsAtOnce(ReplicaGroup piece) {
    return Math.max(1, backend.sessionsAtOnce(piece.network(), piece.training(), piece.numbers().length));
  }

  /**
   * Trains what is not done.
   *
   * @return whether all is done now; false when it was stopped, and what was in training then is lost
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public boolean run(BitSet done, GridEstimate estimate, Watcher watcher) {
    List<ReplicaGroup> alone = new ArrayList<>();
    List<ReplicaGroup> small = new ArrayList<>();
    for (ReplicaGroup piece : pieces(done)) {
      (sessionsAtOnce(piece) == 1 ? alone : small).add(piece);
    }
    try {
      for (ReplicaGroup piece : alone) {
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
    ExecutorService pool = Executors.newFixedThreadPool(pieces.stream().mapToInt(this::sessionsAtOnce).min().orElseThrow());
    try {
      List<Future<?>> trainings = new ArrayList<>();
      for (ReplicaGroup piece : pieces) {
        trainings.add(pool.submit(() -> {
          try {
            train(piece, estimate, watcher, failed::get);
          } catch (RuntimeException | Error e) {
            failed.set(true);
            throw e;
          }
        }));
      }
      RuntimeException stopped = null;
      for (Future<?> training : trainings) {
        try {
          training.get();
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error;
          }
          RuntimeException cause = (RuntimeException) e.getCause();
          // What failed is the reason; those that were told to stop because of it are not.
          stopped = stopped == null || stopped instanceof CancellationException ? cause : stopped;
        }
      }
      if (stopped != null) {
        throw stopped;
      }
    } catch (InterruptedException e) {
      failed.set(true);
      WorkerPools.awaitEnd(pool);
      Thread.currentThread().interrupt();
      throw new TrainingInterruptedException("while networks of a grid were in training");
    } finally {
      pool.shutdown();
    }
  }
}
