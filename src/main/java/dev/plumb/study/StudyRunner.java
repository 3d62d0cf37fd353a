package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A run of a study: trains each network in one replica per seed, several networks at once if the backend recommends it.
 *
 * <p>Replica r draws from the stream with seed + r: first the data, which is thrown away except for the base seed, so that all
 * replicas train on the same rows; then, network by network, the initial weights and the batch orders.
 */
public final class StudyRunner {
  private final Backend backend;
  private final StudySpec spec;
  private final List<Integer> lossAtEpochs;
  private final Dataset data;
  private final List<NumpyRandom> streams = new ArrayList<>();
  private double setupSeconds;

  /**
   * @param seeds replicas of each network, at least 1
   * @throws InvalidInputException when a network does not fit the data, or the backend will not train it; nothing has been
   *     trained then
   */
  public StudyRunner(Backend backend, StudySpec spec, int seeds) {
    this(backend, spec, seeds, List.of());
  }

  /** @param curveEpochs further epochs whose loss is kept; they change no other number */
  public StudyRunner(Backend backend, StudySpec spec, int seeds, List<Integer> curveEpochs) {
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    StudySpec.requireSeed(spec.seed() + seeds - 1);
    long start = System.nanoTime();
    this.backend = backend;
    this.spec = spec;
    lossAtEpochs = Stream.concat(spec.lossAtEpochs().stream(), curveEpochs.stream()).distinct().sorted().toList();
    Dataset baseData = null;
    for (int replica = 0; replica < seeds; replica++) {
      NumpyRandom stream = new NumpyRandom(spec.seed() + replica);
      if (replica == 0) {
        baseData = NotebookData.draw(spec.samples(), stream);
      } else {
        NotebookData.skip(spec.samples(), stream);
      }
      streams.add(stream);
    }
    data = baseData;
    for (int i = 0; i < spec.networks().size(); i++) {
      requireTrainable(spec.networks().get(i), "networks[" + i + "]");
    }
    addSetupSeconds(start);
  }

  /** Returns epochs times networks, the total of a progress bar. */
  public long totalEpochs() {
    return (long) spec.training().epochs() * spec.networks().size();
  }

  /**
   * Trains all networks.
   *
   * @param onProgress receives from time to time how many of {@link #totalEpochs()} are done
   * @throws TrainingInterruptedException soon after the thread is interrupted
   */
  public StudyResult run(LongConsumer onProgress) {
    EpochCount epochs = new EpochCount(onProgress, spec.networks().size());
    int atOnce = networksAtOnce();
    List<List<StudyRun>> runs = new ArrayList<>();
    if (atOnce == 1) {
      for (int i = 0; i < spec.networks().size(); i++) {
        runs.add(train(draw(i), epochs));
      }
    } else {
      runs = trainAtOnce(atOnce, epochs);
    }
    return new StudyResult(spec, backend.device(), setupSeconds, runs.stream().flatMap(List::stream).toList());
  }

  /** Returns 1 if shuffled batches draw from the stream that the next network's weights come from. */
  private int networksAtOnce() {
    if (orders().get(0).drawsFromStream()) {
      return 1;
    }
    return spec.networks().stream()
        .mapToInt(network -> backend.sessionsAtOnce(network.network(), spec.training(), streams.size()))
        .map(sessions -> Math.min(sessions, spec.networks().size()))
        .min()
        .orElse(1);
  }

  /** Trains in several threads, the largest networks first, so that no large one runs last. */
  private List<List<StudyRun>> trainAtOnce(int threads, EpochCount epochs) {
    List<Drawn> drawn = new ArrayList<>();
    for (int i = 0; i < spec.networks().size(); i++) {
      drawn.add(draw(i));
    }
    List<Drawn> largestFirst = new ArrayList<>(drawn);
    largestFirst.sort(Comparator.comparingInt((Drawn network) -> -network.parameters().get(0).length));
    List<List<StudyRun>> runs = new ArrayList<>(Collections.nCopies(drawn.size(), null));
    List<Supplier<List<StudyRun>>> trainings = new ArrayList<>();
    largestFirst.forEach(network -> trainings.add(() -> train(network, epochs)));
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    // If one training fails, the others are interrupted.
    List<List<StudyRun>> trained =
        ParallelTrainings.run(pool, trainings, pool::shutdownNow, "while networks of a study were in training");
    for (int i = 0; i < trained.size(); i++) {
      runs.set(largestFirst.get(i).index(), trained.get(i));
    }
    return runs;
  }

  /** A network of the study with its initial weights, drawn from the same streams one network after the other. */
  private record Drawn(int index, List<double[]> parameters) {}

  private Drawn draw(int index) {
    List<double[]> parameters = new ArrayList<>();
    for (NumpyRandom stream : streams) {
      parameters.add(spec.initializer().draw(spec.networks().get(index).network(), stream));
    }
    return new Drawn(index, parameters);
  }

  private List<BatchOrder> orders() {
    return streams.stream()
        .map(stream -> new BatchOrder(data.rows(), spec.training().batchSize(), spec.shuffle(), stream))
        .toList();
  }

  private List<StudyRun> train(Drawn drawn, EpochCount epochs) {
    long start = System.nanoTime();
    StudyNetwork network = spec.networks().get(drawn.index());
    try (TrainingSession session = backend.open(network.network(), spec.training(), streams.size())) {
      for (int replica = 0; replica < streams.size(); replica++) {
        session.write(Slot.PARAMETERS, replica, drawn.parameters().get(replica));
      }
      Trainer trainer = new Trainer(
          session, spec.training(), data, orders(), lossAtEpochs, done -> epochs.done(drawn.index(), done));
      addSetupSeconds(start);
      Trainer.Outcome outcome = trainer.train();
      double[] finalLoss = session.evaluate(data).loss();
      List<StudyRun> runs = new ArrayList<>();
      for (int replica = 0; replica < streams.size(); replica++) {
        runs.add(runOf(network, replica, outcome, finalLoss[replica]));
      }
      epochs.done(drawn.index(), spec.training().epochs());
      return runs;
    }
  }

  private StudyRun runOf(StudyNetwork network, int replica, Trainer.Outcome outcome, double finalLoss) {
    SortedMap<Integer, Double> lossAtEpoch = new TreeMap<>();
    outcome.lossAtEpoch().forEach((epoch, losses) -> lossAtEpoch.put(epoch, losses[replica]));
    int diverged = outcome.divergedAtEpoch()[replica];
    if (diverged == 0 && !Double.isFinite(finalLoss)) {
      diverged = spec.training().epochs();
    }
    return new StudyRun(
        network.name(),
        network.network(),
        spec.seed() + replica,
        lossAtEpoch,
        finalLoss,
        outcome.gradientNorms()[replica],
        outcome.seconds() / streams.size(),
        diverged == 0 ? OptionalInt.empty() : OptionalInt.of(diverged));
  }

  private void requireTrainable(StudyNetwork network, String place) {
    try {
      data.requireFits(network.network(), spec.training().loss());
      backend.refusal(network.network(), spec.training(), streams.size()).ifPresent(refusal -> {
        throw refusal.toException();
      });
    } catch (InvalidInputException e) {
      throw e.at(place + " \"" + network.name() + "\"");
    }
  }

  private synchronized void addSetupSeconds(long start) {
    setupSeconds += (System.nanoTime() - start) / 1e9;
  }

  /** The number of finished epochs of each network; safe for several threads. */
  private static final class EpochCount {
    private final LongConsumer onProgress;
    private final long[] done;

    EpochCount(LongConsumer onProgress, int networks) {
      this.onProgress = onProgress;
      done = new long[networks];
    }

    synchronized void done(int network, long epochs) {
      done[network] = epochs;
      onProgress.accept(Arrays.stream(done).sum());
    }
  }
}
