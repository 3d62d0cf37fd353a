package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests of bit-for-bit equality: repeated runs, chunks, checkpoints, replicas. */
interface BitForBitContract extends Contract {
  @ParameterizedTest
  @MethodSource(OPTIMIZERS)
  default void sameInputsGiveTheSameBits(OptimizerSpec optimizer) {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    TrainingSpec training = training(Loss.MSE, optimizer);
    try (TrainingSession one = started(NETWORK, training, data);
        TrainingSession two = started(NETWORK, training, data)) {
      StepChunk chunk = StepChunk.of(11).learningRate(0.01).recordAll().build();
      one.run(chunk);
      two.run(chunk);
      assertSameBits("losses", flat(one.sync().loss()), flat(two.sync().loss()));
      assertSameBits("parameters", read(one, Slot.PARAMETERS, 0), read(two, Slot.PARAMETERS, 0));
    }
  }

  @ParameterizedTest
  @MethodSource(OPTIMIZERS)
  default void chunkingDoesNotMatter(OptimizerSpec optimizer) {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    TrainingSpec training = training(Loss.MSE, optimizer);
    try (TrainingSession atOnce = started(NETWORK, training, data);
        TrainingSession inParts = started(NETWORK, training, data)) {
      atOnce.run(StepChunk.of(10).learningRate(0.01).recordAll().build());
      for (int steps : new int[] {1, 2, 7}) {
        inParts.run(StepChunk.of(steps).learningRate(0.01).recordAll().build());
      }
      assertSameBits("losses", flat(atOnce.sync().loss()), flat(inParts.sync().loss()));
      for (Slot slot : Slot.stateOf(optimizer)) {
        assertSameBits(slot.name(), read(atOnce, slot, 0), read(inParts, slot, 0));
      }
    }
  }

  @ParameterizedTest
  @MethodSource(OPTIMIZERS)
  default void resumedTrainingEqualsUninterruptedTraining(OptimizerSpec optimizer) {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    TrainingSpec training = training(Loss.MSE, optimizer);
    StepChunk half = StepChunk.of(5).learningRate(0.01).build();
    try (TrainingSession whole = started(NETWORK, training, data);
        TrainingSession first = started(NETWORK, training, data);
        TrainingSession second = session(NETWORK, training, 1)) {
      whole.run(half);
      whole.run(half);
      first.run(half);
      first.sync();
      for (Slot slot : Slot.stateOf(optimizer)) {
        second.write(slot, 0, read(first, slot, 0));
      }
      second.stepsTaken(first.stepsTaken());
      second.bind(data);
      second.run(half);
      second.sync();
      assertEquals(10, second.stepsTaken());
      for (Slot slot : Slot.stateOf(optimizer)) {
        assertSameBits(slot.name(), read(whole, slot, 0), read(second, slot, 0));
      }
    }
  }

  @ParameterizedTest
  @MethodSource(OPTIMIZERS)
  default void replicaEqualsTheSameNetworkTrainedSeparately(OptimizerSpec optimizer) {
    int replicas = 5;
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSpec training = training(Loss.MSE, optimizer).withClipNorm(0.5);
    double[][] rates = {{0.01, 0.02, 0.03, 0.04, 0.05}};
    int[][][] batches = new int[4][replicas][];
    NumpyRandom stream = new NumpyRandom(SEED);
    for (int[][] ofStep : batches) {
      Arrays.setAll(ofStep, replica -> Arrays.copyOf(stream.permutation(13), 7));
    }
    try (TrainingSession together = session(NETWORK, training, replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        together.write(Slot.PARAMETERS, replica, weights(NETWORK, SEED + replica));
      }
      together.bind(data);
      together.run(StepChunk.of(4).learningRates(rates).replicaBatches(batches).recordAll().build());
      StepMetrics metrics = together.sync();
      for (int replica = 0; replica < replicas; replica++) {
        try (TrainingSession alone = session(NETWORK, training, 1)) {
          alone.write(Slot.PARAMETERS, 0, weights(NETWORK, SEED + replica));
          alone.bind(data);
          int k = replica;
          int[][] own = Arrays.stream(batches).map(ofStep -> ofStep[k]).toArray(int[][]::new);
          alone.run(StepChunk.of(4).learningRate(rates[0][k]).batches(own).recordAll().build());
          StepMetrics ownMetrics = alone.sync();
          for (int step = 0; step < 4; step++) {
            assertAsAlone("loss of replica " + k, ownMetrics.loss()[step], new double[] {metrics.loss()[step][k]});
            assertAsAlone("norms of replica " + k, ownMetrics.gradientNorms()[step][0], metrics.gradientNorms()[step][k]);
          }
          for (Slot slot : Slot.stateOf(optimizer)) {
            assertAsAlone(slot + " of replica " + k, read(alone, slot, 0), read(together, slot, k));
          }
          assertAsAlone("evaluation of replica " + k,
              alone.evaluate(data).loss(), new double[] {together.evaluate(data).loss()[k]});
          assertAsAlone("prediction of replica " + k, predict(alone, data), predict(together, k, data));
          for (Tap where : Tap.of(NETWORK.layer(0))) {
            assertAsAlone(where + " of replica " + k, tap((Tapped) alone, where, 0, 7),
                tap((Tapped) together, NETWORK, where, 0, k, 7));
          }
        }
      }
    }
  }
}
