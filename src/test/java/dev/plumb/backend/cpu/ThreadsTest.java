package dev.plumb.backend.cpu;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.data.RandomWeights;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Threads change the time that a training takes, and nothing else. */
class ThreadsTest {
  @ParameterizedTest
  @CsvSource({
    "ROWS, FP64, 3-7-5-2, 6", "ROWS, FP32, 3-7-5-2, 6",
    "PRODUCTS, FP64, 40-300-257-13, 1", "PRODUCTS, FP32, 40-300-257-13, 2",
    "PRODUCTS, FP32, 784-512-512-10, 1", "PRODUCTS, FP32, 33-63-65-3, 5",
    "JAVA_PRODUCTS, FP32, 40-300-257-13, 1",
  })
  void numberOfThreadsChangesNoBit(Method method, Precision precision, String widths, int replicas) {
    int[] units = Arrays.stream(widths.split("-")).mapToInt(Integer::parseInt).toArray();
    NetworkSpec network = NetworkSpec.of(Activation.GELU, units);
    TrainingSpec plain = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1).withPrecision(precision);
    TrainingSpec clipped = plain.withClipNorm(0.1);
    Dataset data = RandomData.draw(77, network, Loss.MSE, new NumpyRandom(5));
    for (TrainingSpec training : List.of(plain, clipped, clipped.withDropout(new Dropout(0.3, 11)))) {
      assertSameForAnyNumberOfThreads(method, network, training, replicas, data);
    }
    assertSameForAnyNumberOfThreads(method, network, plain, replicas, data.withWeights(RandomWeights.draw(77, new NumpyRandom(6))));
  }

  private static void assertSameForAnyNumberOfThreads(
      Method method, NetworkSpec network, TrainingSpec training, int replicas, Dataset data) {
    double[][] one = trained(new CpuOptions(1, method), network, training, replicas, data);
    for (int threads : new int[] {2, 5}) {
      double[][] more = trained(new CpuOptions(threads, method), network, training, replicas, data);
      for (int i = 0; i < one.length; i++) {
        assertSameBits(threads + " threads, vector " + i, one[i], more[i]);
      }
    }
  }

  /** Parameters of each replica, then losses, norms, predictions and the evaluation. */
  private static double[][] trained(
      CpuOptions options, NetworkSpec network, TrainingSpec training, int replicas, Dataset data) {
    double[][] result = new double[replicas + 4][];
    try (TrainingSession session = CpuUnderTest.open(options).open(network, training, replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        session.write(Slot.PARAMETERS, replica, Initializer.PYTORCH.draw(network, new NumpyRandom(replica)));
      }
      session.bind(data);
      int[] some = {5, 3, 70, 9, 11, 0, 1, 2, 3};
      session.run(StepChunk.of(4).learningRate(0.01).batches(new int[][] {null, some, {7}, null}).recordAll().build());
      StepMetrics metrics = session.sync();
      for (int replica = 0; replica < replicas; replica++) {
        result[replica] = new double[session.layout().size()];
        session.read(Slot.PARAMETERS, replica, result[replica]);
      }
      result[replicas] = Arrays.stream(metrics.loss()).flatMapToDouble(Arrays::stream).toArray();
      result[replicas + 1] = metrics.gradientNorms()[3][replicas - 1];
      result[replicas + 2] = new double[77 * network.outputs()];
      session.predict(replicas - 1, data, result[replicas + 2]);
      result[replicas + 3] = session.evaluate(data).loss();
    }
    return result;
  }

  @Test
  void everyTaskIsDoneOnceInEveryRound() {
    AtomicIntegerArray done = new AtomicIntegerArray(37);
    try (ThreadTeam team = new ThreadTeam(4)) {
      for (int round = 0; round < 2000; round++) {
        team.run(1 + round % 37, (task, member) -> {
          assertTrue(member >= 0 && member < 4);
          done.incrementAndGet(task);
        });
      }
    }
    for (int task = 0; task < 37; task++) {
      int expected = 0;
      for (int round = 0; round < 2000; round++) {
        expected += task < 1 + round % 37 ? 1 : 0;
      }
      assertEquals(expected, done.get(task), "task " + task);
    }
  }

  @Test
  void failureInAnyThreadIsThrownAndTheTeamGoesOn() {
    try (ThreadTeam team = new ThreadTeam(3)) {
      for (int failing = 0; failing < 20; failing++) {
        int task = failing;
        IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> team.run(20, (number, member) -> {
          if (number == task) {
            throw new IllegalStateException("task " + number);
          }
        }));
        assertEquals("task " + task, thrown.getMessage());
        AtomicIntegerArray done = new AtomicIntegerArray(5);
        team.run(5, (number, member) -> done.incrementAndGet(number));
        for (int i = 0; i < 5; i++) {
          assertEquals(1, done.get(i));
        }
      }
    }
  }

  @Test
  void sessionBelongsToTheThreadThatOpenedIt() throws InterruptedException {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 3, 2);
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (TrainingSession session = CpuUnderTest.open(CpuOptions.standard()).open(network, training, 1)) {
      Throwable[] thrown = new Throwable[1];
      Thread other = new Thread(session::sync);
      other.setUncaughtExceptionHandler((thread, e) -> thrown[0] = e);
      other.start();
      other.join();
      assertTrue(thrown[0] instanceof IllegalStateException, String.valueOf(thrown[0]));
    }
  }
}
