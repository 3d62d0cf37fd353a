package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingSpecTest {
  private static final TrainingSpec SPEC = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 10);

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
  void learningRateMustBeFiniteAndNotNegative(double rate) {
    assertRefused("learningRate " + rate, () -> TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, rate, 10));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void epochsAndBatchSizeMustBeAtLeastOne(int number) {
    assertRefused("epochs " + number, () -> TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, number));
    assertRefused("batchSize " + number, () -> SPEC.withBatchSize(number));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void clipNormMustBeFiniteAndPositive(double norm) {
    assertRefused("clipNorm " + norm, () -> SPEC.withClipNorm(norm));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, 30, Double.NaN})
  void dropoutMustBeAProbabilityBelowOne(double probability) {
    assertRefused("dropout " + probability + " must be at least 0 and below 1", () -> new Dropout(probability, 1));
  }

  @Test
  void withMethodsKeepTheOtherValues() {
    Dropout dropout = new Dropout(0.5, 7);
    TrainingSpec one = SPEC.withDropout(dropout).withBatchSize(3).withClipNorm(2).withPrecision(Precision.FP32);
    assertEquals(one, SPEC.withPrecision(Precision.FP32).withClipNorm(2).withBatchSize(3).withDropout(dropout));
    assertEquals(Optional.of(dropout), one.dropout());
  }

  @Test
  void batchMayBeAsLargeAsTheDataButNotLarger() {
    assertDoesNotThrow(() -> SPEC.withBatchSize(7).requireFits(7));
    assertRefused("batchSize 8 is larger than the data, which has 7 rows", () -> SPEC.withBatchSize(8).requireFits(7));
  }

  @Test
  void optimizersRefuseHyperparametersOutOfRange() {
    assertRefused("momentum 1.0", () -> new OptimizerSpec.Sgd(1, false, 0));
    assertRefused("nesterov needs a momentum", () -> new OptimizerSpec.Sgd(0, true, 0));
    assertRefused("weightDecay -1.0", () -> new OptimizerSpec.Sgd(0, false, -1));
    assertRefused("beta1 NaN", () -> new OptimizerSpec.Adam(Double.NaN, 0.9, 1e-8, 0, false));
    assertRefused("beta2 1.5", () -> new OptimizerSpec.Adam(0.9, 1.5, 1e-8, 0, true));
    assertRefused("epsilon Infinity", () -> new OptimizerSpec.RmsProp(0.9, Double.POSITIVE_INFINITY, 0));
    assertRefused("alpha -0.5", () -> new OptimizerSpec.RmsProp(-0.5, 1e-8, 0));
  }

  /** 2^128 is the first power of two beyond single precision, 2^-150 the first that is rounded to 0. */
  @ParameterizedTest
  @ValueSource(doubles = {0x1p128, 1e300, 0x1p-150, 1e-300})
  void hyperparametersMustBeInTheRangeOfThePrecision(double constant) {
    assertRefusedIn(Precision.FP32, "learningRate " + constant,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, constant, 10));
    assertRefusedIn(Precision.TF32, "clipNorm " + constant, SPEC.withClipNorm(constant));
    assertRefusedIn(Precision.BF16, "weightDecay " + constant,
        TrainingSpec.of(Loss.MSE, new OptimizerSpec.Sgd(0.9, true, constant), 0.1, 10));
    assertRefusedIn(Precision.FP32, "epsilon " + constant,
        TrainingSpec.of(Loss.MSE, new OptimizerSpec.Adam(0.9, 0.99, constant, 0, true), 0.1, 10));
    assertRefusedIn(Precision.FP32, "epsilon " + constant,
        TrainingSpec.of(Loss.MSE, new OptimizerSpec.RmsProp(0.9, constant, 0), 0.1, 10));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, Float.MIN_VALUE, Float.MAX_VALUE})
  void singlePrecisionNumbersAreInRange(double constant) {
    TrainingSpec spec = TrainingSpec.of(Loss.MSE, new OptimizerSpec.Adam(0.9, 0.99, constant, constant, false), constant, 10);
    assertEquals(constant, spec.withPrecision(Precision.FP32).learningRate());
  }

  private static void assertRefusedIn(Precision precision, String part, TrainingSpec spec) {
    assertRefused(part + " is too ", () -> spec.withPrecision(precision));
  }

  private static void assertRefused(String part, Runnable construction) {
    String message = assertThrows(InvalidInputException.class, construction::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
