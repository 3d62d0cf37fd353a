package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Missing;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrainConfigJsonTest {
  static Stream<TrainConfig> configs() {
    TrainConfig all = TrainConfig.DEFAULT.with(c -> c.columns(TrainConfig.DEFAULT.columns().withTargets("y, \"z\"").withFeatures("a", "b")
            .withCategorical("b", "c, d").withTask(Task.CLASSIFICATION).withStandardize(false).withMissing(Missing.DROP))
        .validation(0.25).hidden(7, 5).activation(Activation.SILU).initializer(Initializer.NOTEBOOK).loss(Loss.BINARY_CROSS_ENTROPY)
        .learningRate(1.0 / 3).warmUpEpochs(2).epochs(9).batchSize(OptionalInt.empty()).shuffle(false).clipNorm(0.1)
        .dropout(0.3).earlyStopping(4).precision(Precision.FP64).seed(4294967295L).splitSeed(0));
    TextFormat none = TextFormat.DEFAULT;
    return Stream.of(TrainConfig.DEFAULT, all, all.with(c -> c.hidden()),
        all.with(c -> c.format(none.withDelimiter('\t').withHeader(false).withNaValues(List.of()))),
        all.with(c -> c.format(none.withDelimiter(' ').withHeader(true).withNaValues(List.of("-", "n, a")))),
        all.with(c -> c.optimizer(new OptimizerSpec.Sgd(0.9, true, 0.1)).schedule(new Schedule.Step(7, 0.3))),
        all.with(c -> c.optimizer(new OptimizerSpec.Adam(0.8, 0.9, 1e-6, 0.2, true)).schedule(new Schedule.Cosine(1e-5))),
        all.with(c -> c.optimizer(new OptimizerSpec.RmsProp(0.9, 1e-7, 0)).schedule(new Schedule.Exponential(0.9))),
        all.with(c -> c.schedule(new Schedule.Plateau(3, 0.2, 1e-6))), all.with(c -> c.schedule(Schedule.Constant.DEFAULT)));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void configurationsAreReadAsTheyWereWritten(TrainConfig config) {
    assertEquals(config, TrainConfigJson.parse(TrainConfigJson.text(config)));
  }

  @Test
  void absentKeysHaveTheDefault() {
    assertEquals(TrainConfig.DEFAULT, TrainConfigJson.parse("{}"));
  }

  @Test
  void linesContainTheValueOfEveryKey() {
    assertEquals("[ 7, 5 ]", TrainConfigJson.lines(TrainConfig.DEFAULT.with(c -> c.hidden(7, 5))).get("layers"));
    assertEquals("200", TrainConfigJson.lines(TrainConfig.DEFAULT).get("epochs"));
    assertEquals(27, TrainConfigJson.lines(TrainConfig.DEFAULT).size());
    assertTrue(TrainConfigJson.lines(TrainConfig.DEFAULT).get("optimizer").contains("\"beta2\": 0.999"));
  }
}
