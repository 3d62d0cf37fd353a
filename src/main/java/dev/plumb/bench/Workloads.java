package dev.plumb.bench;

import dev.plumb.bench.StepsWorkload.Bound;
import dev.plumb.bench.StepsWorkload.Source;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.StudySpec;
import java.util.List;

/** The workloads of {@code plumb bench}. They stay as they are: figures are compared over the years. */
public final class Workloads {
  private Workloads() {}

  public static List<Workload> standard() {
    return List.of(
        new StudyWorkload("W1", "the notebook's five networks, 400 rows, 1000 epochs, fp64: the whole study", StudySpec.notebook()),
        new StepsWorkload("W2", "784-512-512-10, relu, cross_entropy, 10240 rows in batches of 128, 5 epochs, fp32",
            NetworkSpec.of(Activation.RELU, 784, 512, 512, 10),
            single(Loss.CROSS_ENTROPY, 0.05, 5).withBatchSize(128),
            1, Source.RANDOM, 10_240, Bound.PRODUCTS, Unit.SAMPLES, 5),
        new StepsWorkload("W3",
            "1024-2048-2048-1024, relu, mse, 40 steps of all 256 rows, fp32; a step counts as 6 operations a parameter and row",
            NetworkSpec.of(Activation.RELU, 1024, 2048, 2048, 1024),
            single(Loss.MSE, 0.5, 40),
            1, Source.RANDOM, 256, Bound.PRODUCTS, Unit.GIGAFLOPS, 4),
        new StepsWorkload("W4", "256 networks 3-8-8-8-8-1, relu, mse, the notebook's 400 rows, 1000 epochs, fp32: one session",
            NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 1),
            single(Loss.MSE, 0.01, 1000),
            256, Source.NOTEBOOK, 400, Bound.MULTIPLY_ADDS, Unit.NETWORKS, 10));
  }

  private static TrainingSpec single(Loss loss, double learningRate, int epochs) {
    return TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, learningRate, epochs).withPrecision(Precision.FP32);
  }
}
