package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A session takes the memory that it says, and no more the longer it trains. */
class MemoryTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** What the JVM and JUnit do meanwhile came to less than 100 kB of heap. */
  private static final long UNSTEADY = 1 << 20;

  @ParameterizedTest
  @CsvSource({"ROWS, FP64", "ROWS, FP32", "PRODUCTS, FP64", "PRODUCTS, FP32"})
  void memoryIsFlatOverAHundredThousandSteps(Method method, Precision precision) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 2, 3, 1);
    int[][] batches = {null, {5, 1}, {0, 2, 4, 6, 8}};
    int[][] ofSteps = new int[10_000][];
    for (int step = 0; step < ofSteps.length; step++) {
      ofSteps[step] = batches[step % batches.length];
    }
    StepChunk chunk = StepChunk.of(ofSteps.length).learningRate(1e-4).batches(ofSteps).build();
    try (TrainingSession session =
        opened(method, precision, 2, network, RandomData.draw(9, network, Loss.MSE, new NumpyRandom(3)))) {
      run(session, chunk, 1);
      long bytes = ((MemoryFootprint) session).bytes();
      long heap = heap();
      // The Vector API makes objects until it is compiled, which takes its time on a busy machine.
      long perStep = Long.MAX_VALUE;
      for (int i = 0; i < 10; i++) {
        Map<Long, Long> allocated = allocated();
        run(session, chunk, 1);
        perStep = Math.min(perStep, allocatedSince(allocated) / chunk.steps());
      }
      long grown = heap() - heap;
      assertEquals(110_000, session.stepsTaken());
      // The smallest object there is takes 16.
      assertTrue(perStep < 4, perStep + " bytes allocated a step");
      assertTrue(grown < UNSTEADY, "the heap grew by " + grown + " bytes");
      assertEquals(bytes, ((MemoryFootprint) session).bytes());
    }
  }

  /** Almost nothing that a session allocates before its first steps is thrown away, so that the two are comparable. */
  @ParameterizedTest
  @CsvSource({
    "ROWS, FP64, 2, NONE", "ROWS, FP32, 1, NONE", "PRODUCTS, FP64, 1, NONE", "PRODUCTS, FP32, 2, NONE",
    "ROWS, FP32, 1, BATCH", "ROWS, FP64, 1, LAYER", "PRODUCTS, FP64, 1, BATCH", "PRODUCTS, FP32, 2, LAYER",
  })
  void sessionIsAsLargeAsWhatItAllocates(Method method, Precision precision, int replicas, Normalization normalization) {
    NetworkSpec network = normalization == Normalization.NONE
        ? NetworkSpec.of(Activation.GELU, 50, 300, 200, 10)
        : NetworkSpec.of(Activation.GELU, 50, 200, 200, 10).withNormalization(normalization).withResidual(true);
    Dataset data = RandomData.draw(3000, network, Loss.MSE, new NumpyRandom(3));
    long said = 0;
    long taken = 0;
    // The first session also allocates what a process needs once, and the Vector API allocates objects until it is compiled.
    for (int i = 0; i < 10 && (i < 2 || differs(taken, said)); i++) {
      Map<Long, Long> before = allocated();
      try (TrainingSession session = opened(method, precision, replicas, network, data)) {
        run(session, StepChunk.of(1).learningRate(1e-4).build(), 1);
        session.evaluate(data);
        taken = allocatedSince(before);
        said = ((MemoryFootprint) session).bytes();
      }
    }
    assertTrue(said > 20 * UNSTEADY, said + " bytes are too few to be measured");
    assertFalse(differs(taken, said), taken + " bytes taken, " + said + " said");
  }

  private static boolean differs(long taken, long said) {
    return Math.abs(taken - said) >= said / 20;
  }

  /** With two threads; parameters are zeros, which take as long. */
  private static TrainingSession opened(
      Method method, Precision precision, int replicas, NetworkSpec network, Dataset data) {
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 1e-4, 1).withPrecision(precision);
    TrainingSession session = CpuUnderTest.open(new CpuOptions(2, method)).open(network, training, replicas);
    session.bind(data);
    return session;
  }

  private static void run(TrainingSession session, StepChunk chunk, int times) {
    for (int i = 0; i < times; i++) {
      session.run(chunk);
      session.sync();
    }
  }

  /** What each thread has allocated so far, by its id: those of a session are not this one. */
  private static Map<Long, Long> allocated() {
    Map<Long, Long> bytes = new HashMap<>();
    for (long id : THREADS.getAllThreadIds()) {
      bytes.put(id, THREADS.getThreadAllocatedBytes(id));
    }
    return bytes;
  }

  /** By the threads that live still; those of a session closed before end at any time. */
  private static long allocatedSince(Map<Long, Long> before) {
    return allocated().entrySet().stream()
        .mapToLong(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0L))
        .filter(bytes -> bytes > 0)
        .sum();
  }

  /** What is left of the heap when all garbage is gone. */
  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
