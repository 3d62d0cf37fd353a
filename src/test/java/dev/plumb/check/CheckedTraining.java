package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;

/** A small training with three replicas, whose steps a checked backend checks. */
final class CheckedTraining {
  static final long SEED = 271828;
  static final int REPLICAS = 3;
  static final int STEPS = 8;
  static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 5, 4, 2);
  static final TrainingSpec TRAINING =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withClipNorm(0.5);
  static final Dataset DATA = RandomData.draw(13, NETWORK, Loss.MSE, new NumpyRandom(SEED));

  private CheckedTraining() {}

  /** Runs STEPS steps with a check every so many. */
  static void check(Backend device, int every, CheckListener listener) {
    try (CheckedBackend checked = new CheckedBackend(device, new ReferenceBackend(), every, listener)) {
      run(checked, StepChunk.of(STEPS).learningRate(0.01).build());
    }
  }

  static void run(CheckedBackend checked, StepChunk chunk) {
    run(checked, TRAINING, chunk);
  }

  static void run(CheckedBackend checked, TrainingSpec training, StepChunk chunk) {
    try (TrainingSession session = checked.open(NETWORK, training, REPLICAS)) {
      start(session);
      session.run(chunk);
      session.sync();
    }
  }

  static void start(TrainingSession session) {
    for (int replica = 0; replica < session.replicas(); replica++) {
      session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(NETWORK, new NumpyRandom(SEED + replica)));
    }
    session.bind(DATA);
  }

  /** Draws parameters of a network whose hidden units all have the same bias, large enough to saturate them. */
  static double[] withHiddenBias(NetworkSpec network, double bias, NumpyRandom stream) {
    double[] parameters = Initializer.PYTORCH.draw(network, stream);
    for (int layer = 0; layer < network.layerCount() - 1; layer++) {
      ParameterLayout.Slice slice = ParameterLayout.of(network).bias(layer);
      Arrays.fill(parameters, slice.offset(), slice.offset() + slice.size(), bias);
    }
    return parameters;
  }
}
