package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import java.util.EnumSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AutomaticTest {
  @ParameterizedTest
  @CsvSource({"1, 200", "6000, 200", "6001, 200", "12000, 100", "54000, 22", "60000, 20", "100000000, 20"})
  void epochsFallWithTheNumberOfRows(int rows, int epochs) {
    assertEquals(epochs, TrainConfig.DEFAULT.forRows(rows, true).trainer().training().epochs());
  }

  @ParameterizedTest
  @CsvSource({"1, 0.003, 1", "1000, 0.003, 0.520833", "5792, 0.003, 0.092081", "5792, 0.03, 0.009208", "900000, 0.003, 0.005926"})
  void learningRateTimesDecayTimesStepsIsConstant(int rows, double rate, double decay) {
    OptimizerSpec optimizer =
        TrainConfig.DEFAULT.with(c -> c.learningRate(rate)).forRows(rows, true).trainer().training().optimizer();
    assertEquals(OptimizerSpec.Kind.ADAMW, optimizer.kind());
    assertEquals(decay, optimizer.weightDecay(), 1e-6);
  }

  @ParameterizedTest
  @CsvSource({"20, 32", "32, 32", "33, 33", "64, 32", "65, 33", "1057, 34", "1, 32"})
  void defaultBatchSizeLeavesNoSingleRowForBatchNormalization(int rows, int batch) {
    TrainConfig normalized = TrainConfig.DEFAULT.with(c -> c.normalization(Normalization.BATCH));
    assertEquals(OptionalInt.of(batch), normalized.forRows(rows, true).trainer().training().batchSize());
    assertEquals(OptionalInt.of(32), TrainConfig.DEFAULT.forRows(rows, true).trainer().training().batchSize());
    assertEquals(OptionalInt.of(16), normalized.with(c -> c.batchSize(16)).forRows(rows, true).trainer().training().batchSize());
  }

  @Test
  void valuesThatAreSetAreNotAutomatic() {
    Map<Automatic, Consumer<TrainConfig.Changes>> setters = Map.of(Automatic.VALIDATION, c -> c.validation(0.1),
        Automatic.EPOCHS, c -> c.epochs(200), Automatic.WEIGHT_DECAY, c -> c.optimizer(OptimizerSpec.Adam.DEFAULT_W),
        Automatic.DROPOUT, c -> c.dropout(0), Automatic.EARLY_STOPPING, c -> c.earlyStopping(50));
    assertEquals(EnumSet.allOf(Automatic.class), TrainConfig.DEFAULT.automatic());
    setters.forEach((value, setter) -> {
      Set<Automatic> others = EnumSet.complementOf(EnumSet.of(value));
      TrainConfig changed = TrainConfig.DEFAULT.with(setter);
      assertEquals(others, changed.automatic());
      assertEquals(changed, TrainConfigJson.parse(TrainConfigJson.text(changed)));
      assertEquals(TrainConfig.DEFAULT, changed.with(c -> c.automatic(value)));
    });
  }

  @Test
  void nothingIsAutomaticOnceTheRowsAreKnown() {
    TrainConfig given = TrainConfig.DEFAULT.with(c -> c.epochs(7).dropout(0.5).earlyStopping(3));
    TrainConfig fixed = given.forRows(100, false);
    assertEquals(Set.of(), fixed.automatic());
    assertEquals(7, fixed.trainer().training().epochs());
    assertEquals(3, fixed.trainer().patience());
    assertEquals(0, TrainConfig.DEFAULT.forRows(100, false).trainer().patience(), "no early stopping without validation rows");
    assertEquals(50, TrainConfig.DEFAULT.forRows(100, true).trainer().patience());
    assertEquals(fixed, fixed.forRows(1_000_000, true));
  }

  @Test
  void warmUpIsNoLongerThanTheTraining() {
    assertEquals(30, TrainConfig.DEFAULT.with(c -> c.warmUpEpochs(30)).forRows(1_000_000, true).trainer().training().epochs());
  }

  @Test
  void onlyAdamwHasAnAutomaticWeightDecay() {
    TrainConfig config = TrainConfigJson.parse("{\"epochs\": 3, \"optimizer\": {\"type\": \"adamw\", \"weightDecay\": \"auto\"}}");
    assertTrue(config.automatic().contains(Automatic.WEIGHT_DECAY));
    InvalidInputException thrown = assertThrows(InvalidInputException.class,
        () -> TrainConfigJson.parse("{\"optimizer\": {\"type\": \"sgd\", \"weightDecay\": \"auto\"}}"));
    assertTrue(thrown.getMessage().endsWith(
        "weightDecay, line 1: can be \"auto\" only for optimizer adamw; it must be a number for sgd"), thrown.getMessage());
  }
}
