package dev.plumb.bench;

import dev.plumb.backend.Planner;
import dev.plumb.bench.TrainingInputs.Source;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StepsWorkload.Bound;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.bench.Workload.Unit;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.StudySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The workloads of {@code plumb bench}. They must not change: results are compared over years. */
public final class Workloads {
  private Workloads() {}

  /** Returns the workloads of every device. */
  public static List<Workload> standard() {
    return List.of(
        new StudyWorkload("W1", "the notebook's five networks, 400 rows, 1000 epochs, fp64: the whole study", StudySpec.notebook()),
        new StepsWorkload("W2", "784-512-512-10, relu, cross_entropy, 10240 rows in batches of 128, 5 epochs, fp32",
            NetworkSpec.of(Activation.RELU, 784, 512, 512, 10),
            single(Loss.CROSS_ENTROPY, 0.05, 5).withBatchSize(128),
            1, Source.RANDOM, 10_240, Bound.PRODUCTS, Unit.SAMPLES, 5),
        new StepsWorkload("W3",
            "1024-2048-2048-1024, relu, mse, 40 steps of all 256 rows, fp32; a step counts as 6 operations per parameter and row",
            NetworkSpec.of(Activation.RELU, 1024, 2048, 2048, 1024),
            single(Loss.MSE, 0.5, 40),
            1, Source.RANDOM, 256, Bound.PRODUCTS, Unit.GIGAFLOPS, 4),
        new StepsWorkload("W4", "256 networks 3-8-8-8-8-1, relu, mse, the notebook's 400 rows, 1000 epochs, fp32: one session",
            NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 1),
            single(Loss.MSE, 0.01, 1000),
            256, Source.NOTEBOOK, 400, Bound.MULTIPLY_ADDS, Unit.NETWORKS, 10));
  }

  /**
   * Returns the workloads of a GPU.
   *
   * @param reduced whether to make them small enough for the CPU that replaces the GPU in tests; their descriptions then say so
   */
  public static List<Workload> gpu(boolean reduced) {
    return Stream.of(smallNetwork(reduced), manyNetworks(reduced), batches(reduced), wideLayers(reduced))
        .flatMap(List::stream).toList();
  }

  /** Returns G1: a network bound by kernel launches, not by arithmetic, with each planner. */
  private static List<Workload> smallNetwork(boolean reduced) {
    int stepsPerLap = reduced ? 2 : 1000;
    int stepsToLoss = 100;
    String description = "one network 3-8x8-1 (eight hidden layers of 8 units), relu, in one line sigmoid, mse, sgd 0.01, all of"
        + " the notebook's 400 rows in a step, fp32; loss after " + stepsToLoss + " epochs";
    TrainingSpec training = single(Loss.MSE, 0.01, 1);
    TrainingInputs relu = notebook(Activation.RELU);
    return List.of(
        new GpuWorkload("G1", "fused", description, relu, training, 1, Planner.FUSED,
            Unit.MICROSECONDS_PER_EPOCH, stepsPerLap, stepsToLoss, false),
        new GpuWorkload("G1", "layered", description, relu, training, 1, Planner.LAYERED,
            Unit.MICROSECONDS_PER_EPOCH, stepsPerLap, stepsToLoss, false),
        new GpuWorkload("G1", "sigmoid fused", description, notebook(Activation.SIGMOID), training, 1, Planner.FUSED,
            Unit.MICROSECONDS_PER_EPOCH, stepsPerLap, stepsToLoss, false));
  }

  /** Returns G2: different numbers of G1's networks, among them one per multiprocessor of an H200. */
  private static List<Workload> manyNetworks(boolean reduced) {
    List<Integer> counts = reduced ? List.of(1, 2, 5, 33) : List.of(1, 132, 1024, 16_384);
    int stepsToLoss = 100;
    String description = counts.stream().map(String::valueOf).collect(Collectors.joining(", "))
        + " networks of G1 (relu) with different initial weights in one session, fp32 and fp64; loss after "
        + stepsToLoss + " epochs, mean over networks" + reduced(reduced, "1, 132, 1024, 16384 networks");
    TrainingInputs inputs = notebook(Activation.RELU);
    List<Workload> lines = new ArrayList<>();
    for (Precision precision : List.of(Precision.FP32, Precision.FP64)) {
      for (int count : counts) {
        lines.add(new GpuWorkload("G2", count + " " + precision.key(), description, inputs,
            single(Loss.MSE, 0.01, 1).withPrecision(precision), count, Planner.AUTO, Unit.NETWORK_EPOCHS,
            reduced ? 2 : count > 2000 ? 100 : 1000, stepsToLoss, false));
      }
    }
    return lines;
  }

  private static TrainingInputs notebook(Activation activation) {
    return new TrainingInputs(NetworkSpec.of(activation, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1), Loss.MSE, Source.NOTEBOOK, 400);
  }

  /** Returns G3: mini-batches of W2's network. */
  private static List<Workload> batches(boolean reduced) {
    int hidden = reduced ? 32 : 512;
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 784, hidden, hidden, 10);
    int rows = reduced ? 256 : 10_240;
    int stepsToLoss = rows / 128;
    String description = network.shape() + ", relu, cross_entropy, sgd 0.05, " + rows + " rows in batches of 128, fp32, TF32 and"
        + " bf16; loss after " + stepsToLoss + " steps" + reduced(reduced, "784-512-512-10, 10240 rows, 80 steps");
    TrainingInputs inputs = new TrainingInputs(network, Loss.CROSS_ENTROPY, Source.RANDOM, rows);
    return Stream.of(Precision.FP32, Precision.TF32, Precision.BF16)
        .<Workload>map(precision -> new GpuWorkload("G3", precision.key(), description, inputs,
            single(Loss.CROSS_ENTROPY, 0.05, 1).withBatchSize(128).withPrecision(precision), 1, Planner.LAYERED,
            Unit.MICROSECONDS_PER_STEP, reduced ? stepsToLoss : 10 * stepsToLoss, stepsToLoss, true))
        .toList();
  }

  /** Returns G4: layers so wide that only their matrix products matter; 134 million weights. */
  private static List<Workload> wideLayers(boolean reduced) {
    int width = reduced ? 64 : 4096;
    int stepsToLoss = reduced ? 2 : 10;
    String description = "eight layers of " + width + "x" + width + ", relu, mse, sgd 0.5, all " + width + " rows in a step, fp32,"
        + " TF32 and bf16; a step counts as 2 operations per weight and row for each of forward, dW and dX, without the first layer's dX;"
        + " loss after " + stepsToLoss + " steps" + reduced(reduced, "4096x4096, 4096 rows, 10 steps");
    TrainingInputs inputs = new TrainingInputs(
        NetworkSpec.of(Activation.RELU, width, width, width, width, width, width, width, width, width),
        Loss.MSE, Source.RANDOM, width);
    return Stream.of(Precision.FP32, Precision.TF32, Precision.BF16)
        .<Workload>map(precision -> new GpuWorkload("G4", precision.key(), description, inputs,
            single(Loss.MSE, 0.5, 1).withPrecision(precision), 1, Planner.LAYERED, Unit.TERAFLOPS, 2, stepsToLoss, true))
        .toList();
  }

  private static String reduced(boolean reduced, String fullSize) {
    return reduced ? " (reduced; on a GPU: " + fullSize + ")" : "";
  }

  private static TrainingSpec single(Loss loss, double learningRate, int epochs) {
    return TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, learningRate, epochs).withPrecision(Precision.FP32);
  }
}
