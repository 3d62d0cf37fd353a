package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests of loss, correct predictions and outputs for rows outside of training. */
interface EvaluationContract extends Contract {
  @ParameterizedTest
  @EnumSource(Loss.class)
  default void evaluationIsTheLossOfAStepOnTheSameRows(Loss loss) {
    Dataset data = data(NETWORK, loss, 33);
    try (TrainingSession session = started(NETWORK, training(loss, OptimizerSpec.Sgd.DEFAULT), data)) {
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      double[] loss0 = session.sync().loss()[0];
      double[] parameters = read(session, Slot.PARAMETERS, 0);
      assertRelativeToLargest("loss", loss0, session.evaluate(data).loss(), rounding());
      assertSameBits("parameters", parameters, read(session, Slot.PARAMETERS, 0));
      assertEquals(1, session.stepsTaken());
    }
  }

  @Test
  default void predictionsDoNotDependOnTheOtherRows() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      double[] all = predict(session, data);
      for (int row = 0; row < data.rows(); row++) {
        double[] one = predict(session, pick(data, new int[] {row}));
        assertRelativeToLargest("row " + row, Arrays.copyOfRange(all, row * 2, row * 2 + 2), one, rounding());
      }
      assertThrows(IllegalArgumentException.class, () -> session.predict(0, data, new double[5]));
    }
  }

  @Test
  default void predictionsAreTheLossesOutputs() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      double[] predicted = predict(session, data);
      double sum = 0;
      for (int i = 0; i < predicted.length; i++) {
        double difference = predicted[i] - data.target(i / 2, i % 2);
        sum += difference * difference;
      }
      assertRelativeToLargest("mse", new double[] {sum / predicted.length}, session.evaluate(data).loss(), rounding());
    }
  }

  @Test
  default void correctPredictionsAreCountedByClassAndByOutput() {
    // Without hidden layers and weights, the outputs are the biases: class 1 for every row; and z = -1, 2, 0.5.
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 3);
    double[] parameters = {0, 0, 0, -1, 2, 0.5};
    Dataset classes = Dataset.ofClasses(1, 3, new double[4], new int[] {1, 0, 1, 2});
    try (TrainingSession session = session(network, training(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      assertArrayEquals(new long[] {2}, session.evaluate(classes).correct());
    }
    Dataset targets = Dataset.ofTargets(1, 3, new double[2], new double[] {0, 1, 1, 1, 1, 0});
    try (TrainingSession session = session(network, training(Loss.BINARY_CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      assertArrayEquals(new long[] {4}, session.evaluate(targets).correct());
    }
    try (TrainingSession session = session(network, sgd(), 1)) {
      assertEquals(0, session.evaluate(targets).correct().length);
    }
  }

  @Test
  default void correctPredictionsAreCountedPerReplica() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 3);
    Dataset classes = Dataset.ofClasses(1, 3, new double[6], new int[] {0, 1, 1, 2, 2, 2});
    try (TrainingSession session = session(network, training(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 3)) {
      for (int replica = 0; replica < 3; replica++) {
        double[] parameters = new double[6];
        parameters[3 + replica] = 1;
        session.write(Slot.PARAMETERS, replica, parameters);
      }
      assertArrayEquals(new long[] {1, 2, 3}, session.evaluate(classes).correct());
    }
  }

  /** A comparison with NaN is false: argmax keeps NaN in the first place and skips it elsewhere. */
  @ParameterizedTest
  @CsvSource({"0, 5, 0", "1, 0, 0", "1, 3, 3", "2, 34, 34", "34, 2, 2", "9, 25, 25"})
  default void nanIsTheLargestOnlyInTheFirstPlace(int nan, int largest, int predicted) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 40);
    double[] parameters = new double[80];
    parameters[40 + largest] = 1;
    parameters[40 + nan] = Double.NaN;
    try (TrainingSession session = session(network, training(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      Dataset row = Dataset.ofClasses(1, 40, new double[1], new int[] {predicted});
      assertArrayEquals(new long[] {1}, session.evaluate(row).correct());
    }
  }

  @Test
  default void tiesGoToTheFirstClassAndToNo() {
    // All logits are 0: argmax takes the first class, and a probability of exactly one half is not above it, nor a target.
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 1, 3);
    Dataset classes = Dataset.ofClasses(1, 3, new double[3], new int[] {0, 0, 2});
    try (TrainingSession session = session(network, training(Loss.CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 1)) {
      assertArrayEquals(new long[] {2}, session.evaluate(classes).correct());
    }
    Dataset targets = Dataset.ofTargets(1, 3, new double[1], new double[] {0, 1, 0.5});
    try (TrainingSession session = session(network, training(Loss.BINARY_CROSS_ENTROPY, OptimizerSpec.Sgd.DEFAULT), 1)) {
      assertArrayEquals(new long[] {2}, session.evaluate(targets).correct());
    }
  }
}
