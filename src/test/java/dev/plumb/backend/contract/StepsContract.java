package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests of a step and its recorded metrics. */
interface StepsContract extends Contract {
  @Test
  default void lossIsReportedBeforeTheUpdate() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      double before = session.evaluate(data).loss()[0];
      session.run(StepChunk.of(1).learningRate(0.1).recordAll().build());
      double reported = session.sync().loss()[0][0];
      double after = session.evaluate(data).loss()[0];
      assertRelativeToLargest("loss", new double[] {before}, new double[] {reported}, rounding());
      assertTrue(after < before, "the step should have lowered the loss: " + before + " to " + after);
    }
  }

  @Test
  default void onlyRecordedStepsAreReportedAndOnlyOnce() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      session.run(StepChunk.of(7).learningRate(0.01).record(2).record(6).build());
      session.run(StepChunk.of(3).learningRate(0.01).record(0).build());
      StepMetrics metrics = session.sync();
      assertArrayEquals(new long[] {2, 6, 7}, metrics.steps());
      assertEquals(3, metrics.loss().length);
      assertEquals(3, metrics.gradientNorms().length);
      assertEquals(NETWORK.layerCount(), metrics.gradientNorms()[0][0].length);
      assertArrayEquals(new long[] {-1}, metrics.firstNonFinite());
      assertEquals(0, session.sync().steps().length);
      assertEquals(10, session.stepsTaken());
    }
  }

  @Test
  default void normsAreRecordedOnlyWhereTheyAreAskedFor() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession all = started(NETWORK, sgd(), data); TrainingSession some = started(NETWORK, sgd(), data)) {
      all.run(StepChunk.of(5).learningRate(0.1).recordAll().build());
      some.run(StepChunk.of(5).learningRate(0.1).recordLosses().record(1).build());
      StepMetrics ofAll = all.sync();
      StepMetrics ofSome = some.sync();
      assertArrayEquals(ofAll.steps(), ofSome.steps());
      for (int step = 0; step < 5; step++) {
        assertSameBits("loss of step " + step, ofAll.loss()[step], ofSome.loss()[step]);
        assertSameBits("norms of step " + step, step == 1 ? ofAll.gradientNorms()[1][0] : new double[0],
            ofSome.gradientNorms()[step][0]);
      }
      assertSameBits("parameters", read(all, Slot.PARAMETERS, 0), read(some, Slot.PARAMETERS, 0));
    }
  }

  @Test
  default void gradientNormsCoverOnlyWeightsAndAreTakenBeforeClipping() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd().withClipNorm(1e-3), data)) {
      session.run(StepChunk.of(1).learningRate(0.1).recordAll().build());
      double[] reported = session.sync().gradientNorms()[0][0];
      double[] gradients = read(session, Slot.GRADIENTS, 0);
      double[] expected = new double[NETWORK.layerCount()];
      for (int layer = 0; layer < expected.length; layer++) {
        ParameterLayout.Slice slice = session.layout().weight(layer);
        expected[layer] = norm(Arrays.copyOfRange(gradients, slice.offset(), slice.offset() + slice.size()));
      }
      assertRelativeToLargest("gradient norms", expected, reported, rounding());
      assertTrue(norm(gradients) > 1e-2, "the gradient should be far above the clipping norm");
    }
  }

  @Test
  default void clippedStepIsAsLongAsTheClipNorm() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd().withClipNorm(0.01), data)) {
      double[] before = read(session, Slot.PARAMETERS, 0);
      session.run(StepChunk.of(1).learningRate(1).build());
      session.sync();
      double[] after = read(session, Slot.PARAMETERS, 0);
      double[] step = new double[before.length];
      Arrays.setAll(step, i -> after[i] - before[i]);
      // PyTorch divides by the norm + 1e-6: a little below the norm asked for.
      assertEquals(0.01, norm(step), 1e-6 + 100 * rounding());
    }
  }

  @ParameterizedTest
  @MethodSource(OPTIMIZERS)
  default void zeroLearningRateDoesNotChangeParameters(OptimizerSpec optimizer) {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, training(Loss.MSE, optimizer), data)) {
      double[] before = read(session, Slot.PARAMETERS, 0);
      session.run(StepChunk.of(3).learningRate(0).build());
      session.sync();
      assertSameBits("parameters", before, read(session, Slot.PARAMETERS, 0));
    }
  }

  @Test
  default void everyStepHasItsOwnLearningRate() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession atOnce = started(NETWORK, sgd(), data);
        TrainingSession oneByOne = started(NETWORK, sgd(), data)) {
      double[][] rates = {{0.1}, {0.0}, {0.03}};
      atOnce.run(StepChunk.of(3).learningRates(rates).build());
      for (double[] rate : rates) {
        oneByOne.run(StepChunk.of(1).learningRate(rate[0]).build());
        oneByOne.sync();
      }
      assertSameBits("parameters", read(oneByOne, Slot.PARAMETERS, 0), read(atOnce, Slot.PARAMETERS, 0));
      double[] once = read(atOnce, Slot.PARAMETERS, 0);
      try (TrainingSession constant = started(NETWORK, sgd(), data)) {
        constant.run(StepChunk.of(3).learningRate(0.1).build());
        assertFalse(Arrays.equals(once, read(constant, Slot.PARAMETERS, 0)), "the rates should matter");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"RELU, 0", "LEAKY_RELU, 0.01", "ELU, 1", "SIGMOID, 0.25", "SILU, 0.5", "GELU, 0.5", "SOFTPLUS, 0.5", "TANH, 1"})
  default void derivativesAtZeroAreTorchs(Activation activation, double derivative) {
    // The hidden unit's weight and bias are 0, so that its Z is 0 exactly; the output's weight is 1.
    NetworkSpec network = NetworkSpec.of(activation, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {3});
    try (TrainingSession session = session(network, sgd(), 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {0, 0, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      session.sync();
      double[] above = tap((Tapped) session, network, Tap.DELTA, 1, 0, 1);
      assertRelativeToLargest(activation.key() + "'(0)", new double[] {derivative * above[0]},
          tap((Tapped) session, network, Tap.DELTA, 0, 0, 1), rounding());
    }
  }

  /** Where a careless formula overflows or cancels; expected figures of Python's math module (exp, expm1, log1p, erfc). */
  @ParameterizedTest
  @CsvSource({
    "SIGMOID, -40, 4.248354255291589e-18", "SIGMOID, 1000, 1", "SOFTPLUS, -40, 4.248354255291589e-18", "SOFTPLUS, 1000, 1000",
    "ELU, -1e-7, -9.9999995e-8", "ELU, -1000, -1", "GELU, -5, -1.4332578593959731e-6", "GELU, 1000, 1000", "TANH, 1000, 1",
    "SILU, -40, -1.6993417021166355e-16", "SILU, 1000, 1000",
  })
  default void activationsFarFromZeroAreExact(Activation activation, double z, double expected) {
    NetworkSpec network = NetworkSpec.of(activation, 1, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[] {1}, new double[] {0});
    try (TrainingSession session = session(network, sgd(), 1)) {
      session.write(Slot.PARAMETERS, 0, new double[] {z, 0, 1, 0});
      session.bind(data);
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      session.sync();
      assertRelativeToLargest(activation.key() + " at " + z, new double[] {expected},
          tap((Tapped) session, network, Tap.POST, 0, 0, 1), 10 * rounding());
    }
  }

  @Test
  default void kinksOfTheLossesAreTorchs() {
    // One weight and one bias, both 0, so that the output is 0 on three rows with targets 0, 1 and -1: differences 0, -1, 1.
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 1);
    Dataset data = Dataset.ofTargets(1, 1, new double[3], new double[] {0, 1, -1});
    for (Loss loss : List.of(Loss.MAE, Loss.HUBER)) {
      try (TrainingSession session = session(network, training(loss, OptimizerSpec.Sgd.DEFAULT), 1)) {
        session.bind(data);
        session.run(StepChunk.of(1).learningRate(0).recordAll().build());
        double expectedLoss = loss == Loss.MAE ? 2.0 / 3 : 1.0 / 3;
        assertRelativeToLargest(loss.key(), new double[] {expectedLoss}, session.sync().loss()[0], rounding());
        assertRelativeToLargest(loss.key() + "'", new double[] {0, -1.0 / 3, 1.0 / 3},
            tap((Tapped) session, network, Tap.DELTA, 0, 0, 3), rounding());
      }
    }
  }
}
