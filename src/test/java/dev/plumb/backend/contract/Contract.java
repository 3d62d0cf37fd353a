package dev.plumb.backend.contract;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.golden.Close;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.stream.Stream;

/** The fixtures of the suite: a network of irregular sizes, data and weights from one seed, and methods to open sessions. */
interface Contract {
  /** For {@code @MethodSource}: interfaces do not hand on their static methods. */
  String OPTIMIZERS = "dev.plumb.backend.contract.Contract#optimizers";

  long SEED = 20240607;
  NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 7, 2, 2);

  /** Open for the time of one test. */
  Backend backend();

  /** The precision that the sessions of this suite are opened with. */
  Precision precision();

  /**
   * Returns whether a network that is trained with others gets the same bits as on its own. A GPU's cuBLAS may select another
   * kernel for many products than for one, with another order of additions.
   */
  default boolean replicasAreExact(NetworkSpec network) {
    return true;
  }

  /** Compares vectors of a replica of {@link #NETWORK}. */
  default void assertAsAlone(String what, double[] alone, double[] together) {
    assertAsAlone(NETWORK, what, alone, together);
  }

  /** Compares bits where replicas are exact; otherwise accepts what rounding leaves after a few steps. */
  default void assertAsAlone(NetworkSpec network, String what, double[] alone, double[] together) {
    if (replicasAreExact(network)) {
      Close.assertSameBits(what, alone, together);
    } else {
      // In bf16 a sum in another order has mostly the same rounded factors.
      Close.assertRelativeToLargest(what, alone, together, (precision() == Precision.BF16 ? 4 : 100) * rounding());
    }
  }

  /** How far an output may be from the same computed in another order, relative to the largest. */
  double rounding();

  static Stream<OptimizerSpec> optimizers() {
    return Stream.of(
        OptimizerSpec.Sgd.DEFAULT,
        new OptimizerSpec.Sgd(0.9, false, 0.01),
        new OptimizerSpec.Sgd(0.9, true, 0),
        OptimizerSpec.Adam.DEFAULT,
        OptimizerSpec.Adam.DEFAULT_W,
        OptimizerSpec.RmsProp.DEFAULT);
  }

  default TrainingSpec sgd() {
    return training(Loss.MSE, OptimizerSpec.Sgd.DEFAULT);
  }

  default TrainingSpec training(Loss loss, OptimizerSpec optimizer) {
    return TrainingSpec.of(loss, optimizer, 0.01, 1).withPrecision(precision());
  }

  default TrainingSession session(NetworkSpec network, TrainingSpec training, int replicas) {
    return backend().open(network, training, replicas);
  }

  /** One replica with weights written and data bound. */
  default TrainingSession started(NetworkSpec network, TrainingSpec training, Dataset data) {
    TrainingSession session = session(network, training, 1);
    session.write(Slot.PARAMETERS, 0, weights(network, SEED));
    session.bind(data);
    return session;
  }

  /** Numbers that any precision holds exactly, all different. */
  default double[] distinct(int size, Slot slot, int replica) {
    double[] values = new double[size];
    Arrays.setAll(values, i -> i * 0.5 + 1000 * slot.ordinal() + 300 * replica);
    return values;
  }

  default double[] weights(NetworkSpec network, long seed) {
    return Initializer.PYTORCH.draw(network, new NumpyRandom(seed));
  }

  default Dataset data(NetworkSpec network, Loss loss, int rows) {
    return RandomData.draw(rows, network, loss, new NumpyRandom(SEED));
  }

  default Dataset pick(Dataset data, int[] rows) {
    double[] x = new double[rows.length * data.features()];
    double[] y = new double[rows.length * data.outputs()];
    for (int i = 0; i < x.length; i++) {
      x[i] = data.feature(rows[i / data.features()], i % data.features());
    }
    for (int i = 0; i < y.length; i++) {
      y[i] = data.target(rows[i / data.outputs()], i % data.outputs());
    }
    return Dataset.ofTargets(data.features(), data.outputs(), x, y);
  }

  default double[] predict(TrainingSession session, Dataset data) {
    return predict(session, 0, data);
  }

  default double[] predict(TrainingSession session, int replica, Dataset data) {
    double[] out = new double[data.rows() * NETWORK.outputs()];
    session.predict(replica, data, out);
    return out;
  }

  default double[] tap(Tapped taps, Tap where, int layer, int batch) {
    return tap(taps, NETWORK, where, layer, 0, batch);
  }

  default double[] tap(Tapped taps, NetworkSpec network, Tap where, int layer, int replica, int batch) {
    double[] out = new double[batch * network.layer(layer).out()];
    taps.tap(where, layer, replica, out);
    return out;
  }

  default double[] read(TrainingSession session, Slot slot, int replica) {
    double[] out = new double[session.layout().size()];
    session.read(slot, replica, out);
    return out;
  }

  default double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }

  default double[] flat(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
  }
}
