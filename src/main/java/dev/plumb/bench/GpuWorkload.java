package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Planner;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.OptionalInt;

/**
 * The steps of one session on a GPU: replicas of one network on the same rows, batches in the order of the rows. Besides its speed it
 * has a result, the loss after a fixed number of steps, so that two programs can show that they trained the same.
 *
 * @param family name that several lines share: G2
 * @param variant what distinguishes the line: 132 fp32
 * @param what is trained in the whole family, in one line
 * @param training its number of epochs is not used
 * @param planner that is asked for
 * @param stepsOfLap enqueued at once
 * @param stepsToLoss after which the loss over all rows is reported
 * @param boundByProducts whether the matrix products of a step are its bound
 */
public record GpuWorkload(
    String family,
    String variant,
    String what,
    TrainingInputs inputs,
    TrainingSpec training,
    int replicas,
    Planner planner,
    Unit unit,
    int stepsOfLap,
    int stepsToLoss,
    boolean boundByProducts)
    implements Workload {

  @Override
  public String name() {
    return family + " " + variant;
  }

  @Override
  public Precision precision() {
    return training.precision();
  }

  /** Of one lap; an epoch of these workloads that are counted in epochs is one step. */
  @Override
  public double amount() {
    return switch (unit) {
      case MICROSECONDS_PER_EPOCH, MICROSECONDS_PER_STEP -> stepsOfLap;
      case NETWORK_EPOCHS -> (double) stepsOfLap * replicas;
      case TERAFLOPS -> stepsOfLap * operationsOfStep() / 1e12;
      default -> throw new IllegalStateException(unit + " is no unit of a GPU's workload");
    };
  }

  @Override
  public int laps() {
    return 1;
  }

  NetworkSpec network() {
    return inputs.network();
  }

  int batch() {
    return training.batchSize().orElse(inputs.samples());
  }

  /**
   * Returns the floating-point operations of a step's matrix products: per weight and row 2 for forward, 2 for the weight's gradient
   * and 2 for the gradient with respect to the layer's inputs, which the first layer does not need. Everything else is left out.
   */
  double operationsOfStep() {
    return operationsOfStep(network(), batch()) * replicas;
  }

  /** As above, of one replica. */
  static double operationsOfStep(NetworkSpec network, int batch) {
    double ofFirstLayer = (double) network.layer(0).in() * network.layer(0).out();
    return (6 * StudyWorkload.weights(network) - 2 * ofFirstLayer) * batch;
  }

  @Override
  public Course open(Backend backend) {
    return SessionCourse.open(backend, name(), inputs, training, replicas, stepsOfLap, OptionalInt.of(stepsToLoss));
  }
}
