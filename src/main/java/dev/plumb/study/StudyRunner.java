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
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * Trains the networks of a study one after the other, each in as many replicas as there are seeds.
 *
 * <p>Replica r draws from the stream seeded seed + r: first the data, of which it uses the base seed's, so that all replicas
 * learn from the same rows; then, network by network, the first weights and the batch orders.
 */
public final class StudyRunner {
  private final Backend backend;
  private final StudySpec spec;
  private final Dataset data;
  private final List<NumpyRandom> streams = new ArrayList<>();
  private double setupSeconds;

  /**
   * @param seeds replicas of each network, at least 1
   * @throws InvalidInputException when a network does not fit the data, or the backend will not train it; nothing has been
   *     trained then
   */
  public StudyRunner(Backend backend, StudySpec spec, int seeds) {
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    StudySpec.requireSeed(spec.seed() + seeds - 1);
    long start = System.nanoTime();
    this.backend = backend;
    this.spec = spec;
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
    setupSeconds += secondsSince(start);
  }

  /** Epochs times networks: what a progress bar counts to. */
  public long totalEpochs() {
    return (long) spec.training().epochs() * spec.networks().size();
  }

  /** @param onProgress is told now and then how many of {@link #totalEpochs()} are done */
  public StudyResult run(LongConsumer onProgress) {
    List<StudyRun> runs = new ArrayList<>();
    for (int i = 0; i < spec.networks().size(); i++) {
      long before = (long) i * spec.training().epochs();
      runs.addAll(train(spec.networks().get(i), done -> onProgress.accept(before + done)));
      onProgress.accept(before + spec.training().epochs());
    }
    return new StudyResult(spec, backend.device(), setupSeconds, runs);
  }

  private List<StudyRun> train(StudyNetwork network, LongConsumer onProgress) {
    long start = System.nanoTime();
    try (TrainingSession session = backend.open(network.network(), spec.training(), streams.size())) {
      List<BatchOrder> orders = new ArrayList<>();
      for (int replica = 0; replica < streams.size(); replica++) {
        NumpyRandom stream = streams.get(replica);
        session.write(Slot.PARAMETERS, replica, spec.initializer().draw(network.network(), stream));
        orders.add(new BatchOrder(data.rows(), spec.training().batchSize(), spec.shuffle(), stream));
      }
      Trainer trainer =
          new Trainer(session, spec.training(), data, orders, spec.lossAtEpochs(), onProgress::accept);
      setupSeconds += secondsSince(start);
      Trainer.Outcome outcome = trainer.train();
      double[] finalLoss = session.evaluate(data).loss();
      List<StudyRun> runs = new ArrayList<>();
      for (int replica = 0; replica < streams.size(); replica++) {
        runs.add(runOf(network, replica, outcome, finalLoss[replica]));
      }
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
        throw new InvalidInputException(refusal.reason() + ": " + refusal.remedy());
      });
    } catch (InvalidInputException e) {
      throw e.at(place + " \"" + network.name() + "\"");
    }
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
