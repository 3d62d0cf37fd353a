package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.data.BatchOrder;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.OptionalInt;

/**
 * The steps of one session, without its opening: replicas of one network on the same data, batches in the order of the rows.
 * Data and first weights are those of {@link TrainingInputs}.
 *
 * @param training its epochs are a run
 * @param samples rows of the data
 * @param bound what bounds its speed
 * @param laps into which the epochs can be divided
 */
public record StepsWorkload(
    String name,
    String what,
    NetworkSpec network,
    TrainingSpec training,
    int replicas,
    Source source,
    int samples,
    Bound bound,
    Unit unit,
    int laps)
    implements Workload {
  /** Where rows and first weights come from. */
  public enum Source {
    /** The notebook's function, and its weights. */
    NOTEBOOK,
    /** Numbers without meaning, and PyTorch's weights. */
    RANDOM
  }

  /** What a step cannot be faster than. */
  public enum Bound {
    /** The matrix products of the step alone. */
    PRODUCTS,
    /** The multiplications and additions of the products at the rate of the processor's registers. */
    MULTIPLY_ADDS
  }

  public StepsWorkload {
    if (training.epochs() % laps != 0) {
      throw new IllegalArgumentException(training.epochs() + " epochs do not make " + laps + " laps");
    }
  }

  @Override
  public Precision precision() {
    return training.precision();
  }

  @Override
  public double amount() {
    return switch (unit) {
      case SECONDS -> 1;
      case SAMPLES -> (double) samples * training.epochs() * replicas;
      case GIGAFLOPS -> 6.0 * ParameterLayout.of(network).size() * samples * training.epochs() * replicas / 1e9;
      case NETWORKS -> replicas;
      default -> throw new IllegalStateException(unit + " is a unit of a GPU's workloads");
    };
  }

  /** Of one lap; 6 a weight and sample, as in {@link StudyWorkload}. */
  double operationsOfLap() {
    return 6 * StudyWorkload.weights(network) * samples * training.epochs() * replicas / laps;
  }

  int batch() {
    return training.batchSize().orElse(samples);
  }

  int stepsOfLap() {
    return training.epochs() / laps * order().stepsPerEpoch();
  }

  private BatchOrder order() {
    return new BatchOrder(samples, training.batchSize(), false, null);
  }

  @Override
  public Course open(Backend backend) {
    return SessionCourse.open(backend, name, inputs(), training, replicas, stepsOfLap(), OptionalInt.empty());
  }

  private TrainingInputs inputs() {
    return new TrainingInputs(network, training.loss(), source, samples);
  }
}
