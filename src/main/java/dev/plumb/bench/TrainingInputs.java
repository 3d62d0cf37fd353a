package dev.plumb.bench;

import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.RandomData;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.random.NumpyRandom;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.List;

/**
 * The rows and initial weights of a workload: the rows from the random stream with seed {@value #SEED}, the initial weights of
 * replica r from the stream with seed {@value #SEED} + 1 + r. They are drawn when first needed and cached while memory allows:
 * those of a large network take seconds, and several measurements start from the same ones.
 */
public final class TrainingInputs {
  static final long SEED = 42;

  /** The origin of rows and initial weights. */
  public enum Source {
    /** The notebook's function, and its initializer. */
    NOTEBOOK,
    /** Random numbers, and PyTorch's initializer. */
    RANDOM
  }

  private final NetworkSpec network;
  private final Loss loss;
  private final Source source;
  private final int samples;
  private SoftReference<Dataset> data = new SoftReference<>(null);
  private SoftReference<List<double[]>> initialParameters = new SoftReference<>(null);

  /** @param samples number of rows */
  public TrainingInputs(NetworkSpec network, Loss loss, Source source, int samples) {
    this.network = network;
    this.loss = loss;
    this.source = source;
    this.samples = samples;
  }

  NetworkSpec network() {
    return network;
  }

  int samples() {
    return samples;
  }

  Dataset data() {
    Dataset cached = data.get();
    if (cached == null) {
      NumpyRandom stream = new NumpyRandom(SEED);
      cached = source == Source.NOTEBOOK
          ? NotebookData.draw(samples, stream)
          : RandomData.draw(samples, network, loss, stream);
      data = new SoftReference<>(cached);
    }
    return cached;
  }

  /** Returns the initial parameters of replicas 0 to replicas - 1. */
  List<double[]> initialParameters(int replicas) {
    List<double[]> cached = initialParameters.get();
    if (cached == null) {
      cached = new ArrayList<>();
      initialParameters = new SoftReference<>(cached);
    }
    Initializer initializer = source == Source.NOTEBOOK ? Initializer.NOTEBOOK : Initializer.PYTORCH;
    for (int replica = cached.size(); replica < replicas; replica++) {
      cached.add(initializer.draw(network, new NumpyRandom(SEED + 1 + replica)));
    }
    return List.copyOf(cached.subList(0, replicas));
  }
}
