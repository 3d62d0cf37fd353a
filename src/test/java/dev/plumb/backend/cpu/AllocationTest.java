package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step makes no objects: the thread's own count of allocated bytes does not grow with the number of steps. */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Maximum number of bytes for a chunk of 2,000 steps. */
  private static final long MAX_BYTES = 64 * 1024;

  @ParameterizedTest
  @CsvSource({
    "ROWS, FP64, SGD, MSE, RELU, 0", "ROWS, FP32, ADAM, CROSS_ENTROPY, SIGMOID, 0.5",
    "ROWS, FP64, RMSPROP, BINARY_CROSS_ENTROPY, GELU, 0.1",
    "PRODUCTS, FP32, SGD, CROSS_ENTROPY, RELU, 0", "PRODUCTS, FP64, ADAMW, HUBER, SILU, 0.3",
    "JAVA_PRODUCTS, FP32, SGD, MSE, TANH, 0",
  })
  void stepAllocatesNothing(Method method, Precision precision, OptimizerSpec.Kind optimizer, Loss loss, Activation activation,
      double dropout) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 8, 8, 2);
    TrainingSpec training = training(precision, optimizer, loss, dropout);
    Dataset data = RandomData.draw(40, network, loss, new NumpyRandom(3));
    assertStepAllocatesNothing(method, network, training, data);
    assertStepAllocatesNothing(method, network, training, data.withWeights(RandomWeights.draw(40, new NumpyRandom(4))));
  }

  @ParameterizedTest
  @CsvSource({
    "ROWS, FP64, BATCH, 0.1", "ROWS, FP32, LAYER, 0", "PRODUCTS, FP32, BATCH, 0", "PRODUCTS, FP64, LAYER, 0.1",
  })
  void stepOfANormalizedNetworkAllocatesNothing(Method method, Precision precision, Normalization normalization, double dropout) {
    NetworkSpec network = NetworkSpec.of(Activation.GELU, 3, 8, 8, 2).withNormalization(normalization).withResidual(true);
    TrainingSpec training = training(precision, OptimizerSpec.Kind.SGD, Loss.MSE, dropout);
    assertStepAllocatesNothing(method, network, training, RandomData.draw(40, network, Loss.MSE, new NumpyRandom(3)));
  }

  private static TrainingSpec training(Precision precision, OptimizerSpec.Kind optimizer, Loss loss, double dropout) {
    TrainingSpec plain =
        TrainingSpec.of(loss, OptimizerSpec.defaultOf(optimizer), 1e-4, 1).withPrecision(precision).withClipNorm(1);
    return dropout == 0 ? plain : plain.withDropout(new Dropout(dropout, 7));
  }

  private static void assertStepAllocatesNothing(Method method, NetworkSpec network, TrainingSpec training, Dataset data) {
    try (TrainingSession session = CpuUnderTest.open(new CpuOptions(1, method)).open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, Initializer.PYTORCH.draw(network, new NumpyRandom(1)));
      session.bind(data);
      int[][] batches = new int[2000][];
      Arrays.setAll(batches, step -> step % 2 == 0 ? null : new int[] {step % 40, 7, 8});
      StepChunk few = StepChunk.of(20).learningRate(1e-4).batches(Arrays.copyOf(batches, 20)).build();
      StepChunk many = StepChunk.of(2000).learningRate(1e-4).batches(batches).build();
      allocatedBy(session, few);
      // The Vector API allocates objects until it is compiled, which takes longer on a busy machine.
      for (int i = 0; i < 50 && allocatedBy(session, many) > MAX_BYTES; i++) {}
      long byFew = allocatedBy(session, few);
      long byMany = allocatedBy(session, many);
      // One object of the smallest size in each step would be 16 bytes times 1980.
      assertTrue(byMany - byFew < 1980 * 16 / 4, byFew + " bytes for 20 steps, " + byMany + " for 2000");
      assertTrue(byMany <= MAX_BYTES, byMany + " bytes for a chunk");
    }
  }

  private static long allocatedBy(TrainingSession session, StepChunk chunk) {
    long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    session.run(chunk);
    long after = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    session.sync();
    return after - before;
  }
}
