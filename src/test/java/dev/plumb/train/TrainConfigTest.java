package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Task;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TrainConfigTest {
  @Test
  void constantsAreCheckedInTheWidestPrecisionUntilThePrecisionIsKnown() {
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.learningRate(1e-60));
    String message = assertThrows(InvalidInputException.class, config::requireInRange).getMessage();
    assertTrue(message.startsWith("learningRate 1.0E-60 is too small for fp32"), message);
    config.with(c -> c.precision(Precision.FP64)).requireInRange();
  }

  @Test
  void specificationHasTheLossOfTheTaskTheSeedInItsDropoutAndABatchWithinTheRows() {
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.dropout(0.25)).with(c -> c.seed(7));
    TrainingSpec spec = config.fit(Task.CLASSIFICATION, 20).training();
    assertEquals(Loss.CROSS_ENTROPY, spec.loss());
    assertEquals(Precision.FP32, spec.precision());
    assertEquals(Optional.of(new Dropout(0.25, 7)), spec.dropout());
    assertEquals(OptionalInt.of(20), spec.batchSize());
    assertEquals(OptionalInt.of(32), config.fit(Task.REGRESSION, 100).training().batchSize());
  }

  @Test
  void valuesAreCheckedTogetherSoTheirOrderDoesNotMatter() {
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.warmUpEpochs(300).epochs(400));
    assertEquals(300, config.trainer().warmUpEpochs());
    assertThrows(InvalidInputException.class, () -> config.with(c -> c.epochs(299)));
    assertThrows(InvalidInputException.class, () -> config.with(c -> c.splitSeed(-1)));
  }
}
