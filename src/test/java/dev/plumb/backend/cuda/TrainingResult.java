package dev.plumb.backend.cuda;

import static dev.plumb.golden.Close.assertSameBits;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Initializer;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The results of a training, of all replicas.
 *
 * @param firstNonFinite steps, as numbers of fp64
 */
public record TrainingResult(
    double[] losses, double[] norms, double[] firstNonFinite, double[] parameters, double[] gradients, double[] moments) {
  /** The seed of the initial parameters. */
  public static final long SEED = 20240607;

  /**
   * Trains replicas from parameters of their own.
   *
   * @param first number of the first replica, for its initial parameters
   */
  public static TrainingResult trained(
      Backend backend, NetworkSpec network, TrainingSpec training, Dataset data, StepChunk chunk, int replicas, int first) {
    try (TrainingSession session = backend.open(network, training, replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, new NumpyRandom(SEED + first + replica)));
      }
      session.bind(data);
      session.run(chunk);
      return of(session, training);
    }
  }

  /** Returns the results of a session's steps so far. */
  public static TrainingResult of(TrainingSession session, TrainingSpec training) {
    StepMetrics metrics = session.sync();
    List<double[]> moments = new ArrayList<>();
    for (Slot slot : new Slot[] {Slot.MOMENT1, Slot.MOMENT2}) {
      if (Slot.stateOf(training.optimizer()).contains(slot)) {
        moments.add(read(session, slot));
      }
    }
    double[] norms = Arrays.stream(metrics.gradientNorms()).flatMapToDouble(step -> Arrays.stream(flat(step))).toArray();
    return new TrainingResult(flat(metrics.loss()), norms, Arrays.stream(metrics.firstNonFinite()).asDoubleStream().toArray(),
        read(session, Slot.PARAMETERS), read(session, Slot.GRADIENTS), flat(moments.toArray(new double[0][])));
  }

  private static double[] read(TrainingSession session, Slot slot) {
    double[][] values = new double[session.replicas()][session.layout().size()];
    for (int replica = 0; replica < values.length; replica++) {
      session.read(slot, replica, values[replica]);
    }
    return flat(values);
  }

  public static double[] flat(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
  }

  public void assertSame(String what, TrainingResult other) {
    assertSameBits(what + ", losses", losses, other.losses);
    assertSameBits(what + ", norms", norms, other.norms);
    assertSameBits(what + ", first steps that are not finite", firstNonFinite, other.firstNonFinite);
    assertSameBits(what + ", parameters", parameters, other.parameters);
    assertSameBits(what + ", gradients", gradients, other.gradients);
    assertSameBits(what + ", moments", moments, other.moments);
  }

  /** Padding may change the sign of a zero, and the order of a product's factors that of a NaN. */
  public TrainingResult withoutSignsOfZeroAndNan() {
    return new TrainingResult(unsigned(losses), unsigned(norms), firstNonFinite, unsigned(parameters), unsigned(gradients),
        unsigned(moments));
  }

  private static double[] unsigned(double[] values) {
    return Arrays.stream(values).map(value -> Double.isNaN(value) ? Double.NaN : value + 0.0).toArray();
  }
}
