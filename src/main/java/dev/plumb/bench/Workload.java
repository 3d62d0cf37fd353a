package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Planner;
import dev.plumb.data.BatchOrder;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudySpec;
import java.util.OptionalInt;

/**
 * A fixed piece of training whose speed is measured in several runs. A run consists of equal laps, so that the workload's
 * performance bound can be measured alternately with it.
 */
public sealed interface Workload {
  /** Returns the short name of this line of the results: W1, G2 132 fp32. */
  String name();

  /** Returns the name on the command line; several lines of the results may share it. */
  default String family() {
    return name();
  }

  /** Returns a one-line description for people. */
  String description();

  Unit unit();

  Precision precision();

  /** Returns the number of networks of one shape that are trained at once. */
  int replicas();

  /** Returns the amount of work in one run, in the quantity that the unit counts. */
  double amount();

  /** Returns the number of equal laps in a run, at least 1. */
  int laps();

  /** Prepares the training on a backend. The preparation is not measured, except what {@link WorkloadRun#lap} does itself. */
  WorkloadRun open(Backend backend);

  /** The unit of a workload's speed. */
  enum Unit {
    /** Seconds per run: less is better. */
    SECONDS("s"),
    SAMPLES("samples/s"),
    GIGAFLOPS("GFLOP/s"),
    NETWORKS("networks/s"),
    /** Microseconds per full-batch step: less is better. */
    MICROSECONDS_PER_EPOCH("us/epoch"),
    /** Less is better. */
    MICROSECONDS_PER_STEP("us/step"),
    /** Epochs of all networks, summed. */
    NETWORK_EPOCHS("network-epochs/s"),
    TERAFLOPS("TFLOP/s");

    private static final double MICROSECONDS = 1e6;

    private final String symbol;

    Unit(String symbol) {
      this.symbol = symbol;
    }

    public String symbol() {
      return symbol;
    }

    /**
     * Returns the speed in this unit.
     *
     * @param amount work done, in the quantity that the unit counts; in SECONDS the number of runs
     */
    double speed(double amount, double seconds) {
      return switch (this) {
        case SECONDS -> seconds / amount;
        case MICROSECONDS_PER_EPOCH, MICROSECONDS_PER_STEP -> seconds * MICROSECONDS / amount;
        default -> amount / seconds;
      };
    }
  }

  /** A whole study, from its random numbers to its last evaluation, as {@code plumb study} runs it; measured in seconds. */
  record StudyWorkload(String name, String description, StudySpec spec) implements Workload {
    @Override
    public Unit unit() {
      return Unit.SECONDS;
    }

    @Override
    public Precision precision() {
      return spec.training().precision();
    }

    @Override
    public int replicas() {
      return 1;
    }

    @Override
    public double amount() {
      return 1;
    }

    @Override
    public int laps() {
      return 1;
    }

    /** Returns 6 operations per weight and sample: a multiplication and an addition each for forward, dW and dX. */
    double operations() {
      double weights = spec.networks().stream().map(StudyNetwork::network).mapToDouble(StudyWorkload::weights).sum();
      return 6 * weights * spec.samples() * spec.training().epochs();
    }

    /** Returns the number of weights, without biases. */
    static double weights(NetworkSpec network) {
      double weights = 0;
      for (int l = 0; l < network.layerCount(); l++) {
        weights += (double) network.layer(l).in() * network.layer(l).out();
      }
      return weights;
    }

    @Override
    public WorkloadRun open(Backend backend) {
      return new WorkloadRun.StudyRun(backend, name, spec);
    }
  }

  /**
   * The training steps of one session, without opening it: replicas of one network on the same data, batches in row order. Data
   * and initial weights come from {@link TrainingInputs}.
   *
   * @param training its epochs are one run
   * @param samples number of rows
   * @param bound what limits the speed on a CPU
   * @param laps number of laps; divides the number of epochs
   */
  record StepsWorkload(
      String name,
      String description,
      NetworkSpec network,
      TrainingSpec training,
      int replicas,
      TrainingInputs.Source source,
      int samples,
      Bound bound,
      Unit unit,
      int laps)
      implements Workload {
    /** The lower bound on the time of a step. */
    public enum Bound {
      /** The time of the step's matrix products. */
      PRODUCTS,
      /** The time of the products' multiplications and additions at the processor's arithmetic peak. */
      MULTIPLY_ADDS
    }

    public StepsWorkload {
      if (training.epochs() % laps != 0) {
        throw new IllegalArgumentException(training.epochs() + " epochs cannot be divided into " + laps + " equal laps");
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
        default -> throw new IllegalStateException(unit + " is not a unit of a StepsWorkload");
      };
    }

    /** Returns the operations of one lap: 6 per weight and sample, as in {@link StudyWorkload#operations}. */
    double operationsPerLap() {
      return 6 * StudyWorkload.weights(network) * samples * training.epochs() * replicas / laps;
    }

    int batch() {
      return training.batchSize().orElse(samples);
    }

    int stepsPerLap() {
      return training.epochs() / laps * new BatchOrder(samples, training.batchSize(), false, null).stepsPerEpoch();
    }

    @Override
    public WorkloadRun open(Backend backend) {
      TrainingInputs inputs = new TrainingInputs(network, training.loss(), source, samples);
      return WorkloadRun.SessionRun.open(backend, name, inputs, training, replicas, stepsPerLap(), OptionalInt.empty());
    }
  }

  /**
   * The training steps of one session on a GPU: replicas of one network on the same rows, batches in row order. Besides its speed
   * it has a result, the loss after a fixed number of steps, which shows whether two programs train alike.
   *
   * @param family name that several lines of the results share: G2
   * @param variant name of the line within its family: 132 fp32
   * @param description of the whole family
   * @param training its number of epochs is not used
   * @param planner the planner requested
   * @param stepsPerLap number of steps enqueued at once
   * @param stepsToLoss number of steps after which the loss over all rows is reported
   * @param boundByProducts whether the matrix products of a step are measured as its bound
   */
  record GpuWorkload(
      String family,
      String variant,
      String description,
      TrainingInputs inputs,
      TrainingSpec training,
      int replicas,
      Planner planner,
      Unit unit,
      int stepsPerLap,
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

    /** Returns the amount of one lap; in workloads measured in epochs, an epoch is one step. */
    @Override
    public double amount() {
      return switch (unit) {
        case MICROSECONDS_PER_EPOCH, MICROSECONDS_PER_STEP -> stepsPerLap;
        case NETWORK_EPOCHS -> (double) stepsPerLap * replicas;
        case TERAFLOPS -> stepsPerLap * operationsPerStep() / 1e12;
        default -> throw new IllegalStateException(unit + " is not a unit of a GpuWorkload");
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

    /** Returns the floating-point operations of a step's matrix products, of all replicas. */
    double operationsPerStep() {
      return operationsPerStep(network(), batch()) * replicas;
    }

    /**
     * Returns the floating-point operations of a step's matrix products in one network: per weight and row 2 for forward, 2 for
     * the weight's gradient and 2 for the gradient with respect to the layer's inputs, which the first layer does not need.
     */
    static double operationsPerStep(NetworkSpec network, int batch) {
      double firstLayerWeights = (double) network.layer(0).in() * network.layer(0).out();
      return (6 * StudyWorkload.weights(network) - 2 * firstLayerWeights) * batch;
    }

    @Override
    public WorkloadRun open(Backend backend) {
      return WorkloadRun.SessionRun.open(
          backend, name(), inputs, training, replicas, stepsPerLap, OptionalInt.of(stepsToLoss));
    }
  }
}
