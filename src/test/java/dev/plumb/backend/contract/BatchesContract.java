package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import org.junit.jupiter.api.Test;

/** Tests that a step uses the rows of its batch. */
interface BatchesContract extends Contract {
  @Test
  default void batchIsItsRowsAndNothingElse() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    int[] rows = {12, 0, 5, 5};
    try (TrainingSession fromAll = started(NETWORK, sgd(), data);
        TrainingSession fromFew = started(NETWORK, sgd(), pick(data, rows))) {
      fromAll.run(StepChunk.of(1).learningRate(0.1).batches(new int[][] {rows}).recordAll().build());
      fromFew.run(StepChunk.of(1).learningRate(0.1).recordAll().build());
      assertSameBits("loss", fromFew.sync().loss()[0], fromAll.sync().loss()[0]);
      assertSameBits("gradients", read(fromFew, Slot.GRADIENTS, 0), read(fromAll, Slot.GRADIENTS, 0));
      assertSameBits("parameters", read(fromFew, Slot.PARAMETERS, 0), read(fromAll, Slot.PARAMETERS, 0));
    }
  }

  @Test
  default void everyReplicaHasTheLabelsOfItsOwnBatch() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 3);
    Dataset data = Dataset.ofClasses(1, 3, new double[3], new int[] {0, 1, 2});
    try (TrainingSession session = session(network, training(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 3)) {
      for (int replica = 0; replica < 3; replica++) {
        session.write(Slot.PARAMETERS, replica, new double[] {0, 0, 0, 0, 1, 2});
      }
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0).replicaBatches(new int[][][] {{{2}, {0}, {1}}}).recordAll().build());
      double logSum = Math.log(1 + Math.exp(1) + Math.exp(2));
      assertRelativeToLargest(
          "losses", new double[] {logSum - 2, logSum, logSum - 1}, session.sync().loss()[0], rounding());
    }
  }

  @Test
  default void batchSizesMayDifferFromStepToStep() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    int[][] batches = {{0, 1, 2, 3, 4}, {5}, null, {6, 7, 8}};
    try (TrainingSession atOnce = started(NETWORK, sgd(), data);
        TrainingSession oneByOne = started(NETWORK, sgd(), data)) {
      atOnce.run(StepChunk.of(4).learningRate(0.1).batches(batches).recordAll().build());
      double[][] losses = atOnce.sync().loss();
      for (int step = 0; step < batches.length; step++) {
        oneByOne.run(StepChunk.of(1).learningRate(0.1).batches(new int[][] {batches[step]}).recordAll().build());
        assertSameBits("loss of step " + step, oneByOne.sync().loss()[0], losses[step]);
      }
      assertSameBits("parameters", read(oneByOne, Slot.PARAMETERS, 0), read(atOnce, Slot.PARAMETERS, 0));
    }
  }

  @Test
  default void rowsThatAreNotThereAreRefused() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      for (int row : new int[] {-1, 13}) {
        StepChunk chunk = StepChunk.of(1).learningRate(0.1).batches(new int[][] {{0, row}}).build();
        assertThrows(IllegalArgumentException.class, () -> session.run(chunk));
      }
      assertEquals(0, session.stepsTaken());
    }
  }

  @Test
  default void dataCanBeReplaced() {
    Dataset small = data(NETWORK, Loss.MSE, 2);
    Dataset large = data(NETWORK, Loss.MSE, 33);
    try (TrainingSession session = started(NETWORK, sgd(), small)) {
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      session.sync();
      session.bind(large);
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      double loss = session.sync().loss()[0][0];
      assertRelativeToLargest("loss", session.evaluate(large).loss(), new double[] {loss}, rounding());
    }
  }
}
