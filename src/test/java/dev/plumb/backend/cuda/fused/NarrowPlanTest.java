package dev.plumb.backend.cuda.fused;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The planner chooses the narrow kernels for the networks that they are for, with tiles that fit a block's shared memory. */
@Tag("cuda")
class NarrowPlanTest {
  private static final NetworkSpec DEEPEST = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
  private static final DeviceLimits H100 = new DeviceLimits(227 << 10, 228 << 10, 1 << 10, 132);

  @Test
  @Tag("host-device")
  void narrowNetworksLaunchTheKernelOfTheirActivationAndOthersTheGeneralOne() {
    assertEquals("fused_narrow_relu_f32", launched(DEEPEST, SGD));
    assertEquals("fused_narrow_linear_f32", launched(NetworkSpec.of(Activation.LINEAR, 3, 8, 1), SGD));
    assertEquals("fused_narrow_leaky_relu_f32", launched(NetworkSpec.of(Activation.LEAKY_RELU, 1, 1, 1), SGD));
    assertEquals("fused_narrow_sigmoid_f32", launched(NetworkSpec.of(Activation.SIGMOID, 3, 8, 1), SGD));
    assertEquals("fused_narrow_tanh_f32", launched(NetworkSpec.of(Activation.TANH, 8, 8, 4), SGD.withClipNorm(1)));
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.TANH, 8, 9, 4), SGD));
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.TANH, 9, 8, 4), SGD));
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.TANH, 8, 8, 5), SGD));
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.TANH, 8, 4), SGD), "no hidden layer");
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 8, 1), SGD), "too deep");
    assertEquals("fused_train_f32", launched(NetworkSpec.of(Activation.GELU, 3, 8, 1), SGD));
    assertEquals("fused_train_f32", launched(DEEPEST, SGD.withDropout(new Dropout(0.1, 1))));
    assertEquals("fused_train_f64", launched(DEEPEST, SGD.withPrecision(Precision.FP64)));
  }

  /** Makes the first launch of a training fail, and returns the name of its kernel from the message. */
  private static String launched(NetworkSpec network, TrainingSpec training) {
    return launched(CudaUnderTest.open(Execution.CHECKED, Order.FORWARD, Planner.FUSED), network, training, 3);
  }

  /** Does the same over a number of rows; closes the backend. */
  static String launched(CudaBackend opened, NetworkSpec network, TrainingSpec training, int rows) {
    return launched(opened, network, training, RandomData.draw(rows, network, training.loss(), new NumpyRandom(1)));
  }

  /** Does the same over some data; closes the backend. */
  static String launched(CudaBackend opened, NetworkSpec network, TrainingSpec training, Dataset data) {
    try (CudaBackend backend = opened) {
      HostDevice.quiet(true);
      TrainingSession session = backend.open(network, training, 1);
      session.bind(data);
      HostDevice.fault(Fault.LAUNCH, 1);
      String message = assertThrows(DeviceFailedException.class,
          () -> session.run(StepChunk.of(1).learningRate(0.01).build())).getMessage();
      return message.replaceFirst("(?s).*?(fused_\\w+) \\(.*", "$1");
    } finally {
      HostDevice.fault(Fault.NONE, 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // batch, rows of a tile, threads, blocks on an H100's multiprocessor by memory
    "1, 32, 32, 8", "32, 32, 32, 8", "33, 40, 64, 7", "64, 64, 64, 5", "128, 128, 128, 2", "400, 400, 416, 1", "600, 320, 320, 1",
    "1000, 352, 352, 1",
  })
  void tilesOfTheNotebooksDeepestNetworkOnAnH100(int batch, int rows, int threads, int blocks) {
    NarrowPlan plan = NarrowPlan.of(DEEPEST, SGD, 1, batch, 1000, H100).orElseThrow();
    assertEquals(rows, plan.rowsOfTile());
    assertEquals(threads, plan.threads());
    assertTrue(plan.memory().bytes() <= H100.sharedMemory(blocks), plan.memory().toString());
    assertTrue(plan.memory().bytes() > H100.sharedMemory(blocks + 1), plan.memory().toString());
    assertEquals(rows, NarrowPlan.of(DEEPEST, SGD, 1024, batch, 1000, H100).orElseThrow().rowsOfTile(), "of many replicas");
  }

  @Test
  void momentsOfAdamFitNextToTheNotebooksRows() {
    TrainingSpec adam = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);
    NarrowPlan plan = NarrowPlan.of(DEEPEST, adam, 1, 400, 400, H100).orElseThrow();
    assertEquals(400, plan.rowsOfTile());
    assertEquals(NarrowPlan.of(DEEPEST, SGD, 1, 400, 400, H100).orElseThrow().memory().bytes() + 2 * 4 * plan.layers().vector(),
        plan.memory().bytes());
  }
}
