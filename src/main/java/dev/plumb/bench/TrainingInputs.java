package dev.plumb.bench;

import dev.plumb.bench.StepsWorkload.Source;
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
 * Rows and first weights of a workload: the rows from the stream seeded {@link #SEED}, the first weights of replica r from the stream
 * seeded SEED + 1 + r. They are drawn when they are first needed and kept while there is memory for them, because a large network's
 * take seconds and several measurements start from the same ones.
 */
public final class TrainingInputs {
  static final long SEED = 42;

  private final NetworkSpec network;
  private final Loss loss;
  private final Source source;
  private final int samples;
  private SoftReference<Dataset> data = new SoftReference<>(null);
  private SoftReference<List<double[]>> firstParameters = new SoftReference<>(null);

  /** @param samples rows of the data */
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
    Dataset known = data.get();
    if (known == null) {
      NumpyRandom stream = new NumpyRandom(SEED);
      known = source == Source.NOTEBOOK
          ? NotebookData.draw(samples, stream)
          : RandomData.draw(samples, network, loss, stream);
      data = new SoftReference<>(known);
    }
    return known;
  }

  /** Returns the first parameters of replicas 0 to replicas - 1. */
  List<double[]> firstParameters(int replicas) {
    List<double[]> known = firstParameters.get();
    if (known == null) {
      known = new ArrayList<>();
      firstParameters = new SoftReference<>(known);
    }
    Initializer initializer = source == Source.NOTEBOOK ? Initializer.NOTEBOOK : Initializer.PYTORCH;
    for (int replica = known.size(); replica < replicas; replica++) {
      known.add(initializer.draw(network, new NumpyRandom(SEED + 1 + replica)));
    }
    return List.copyOf(known.subList(0, replicas));
  }
}
