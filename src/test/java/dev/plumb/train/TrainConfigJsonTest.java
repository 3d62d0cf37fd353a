package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.RowWeights;
import dev.plumb.data.ClassWeights;
import dev.plumb.data.Missing;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.random.NumpyRandom;
import java.util.TreeMap;
import java.util.Optional;
import java.util.Map;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrainConfigJsonTest {
  static Stream<TrainConfig> configs() {
    TrainConfig all = TrainConfig.DEFAULT.with(c -> c.columns(TrainConfig.DEFAULT.columns().withTargets("y, \"z\"").withFeatures("a", "b").withExcluded("c")
            .withCategorical("b", "c, d").withTask(Task.CLASSIFICATION).withStandardize(false).withMissing(Missing.DROP))
        .validation(0.25).hidden(7, 5).activation(Activation.SILU).normalization(Normalization.LAYER).residual(true).initializer(Initializer.NOTEBOOK).loss(Loss.BINARY_CROSS_ENTROPY)
        .learningRate(1.0 / 3).warmUpEpochs(2).epochs(9).batchSize(OptionalInt.empty()).shuffle(false).clipNorm(0.1)
        .dropout(0.3).earlyStopping(4).calibrate(true).precision(Precision.FP64).seed(4294967295L).splitSeed(0));
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

  @ParameterizedTest
  @MethodSource("configs")
  void differencesAreReadAsTheConfiguration(TrainConfig config) {
    assertEquals(config, TrainConfigJson.parse(TrainConfigJson.difference(config)));
  }

  @Test
  void differenceHasOnlyTheChangedKeys() {
    assertEquals("{}", TrainConfigJson.difference(TrainConfig.DEFAULT));
    assertEquals("{\"layers\":[64,32],\"optimizer\":{\"type\":\"sgd\",\"momentum\":0.9,\"nesterov\":true,\"weightDecay\":0.0},"
        + "\"batchSize\":null,\"seed\":7}", TrainConfigJson.difference(TrainConfig.DEFAULT.with(c -> c.hidden(64, 32)
            .optimizer(new OptimizerSpec.Sgd(0.9, true, 0)).batchSize(OptionalInt.empty()).seed(7))));
  }

  /** Changes each key with probability 1/2; every key is changed in some configuration. */
  @Test
  void differencesOfRandomConfigurationsAreReadAsTheConfigurations() {
    Set<String> changed = new TreeSet<>();
    for (int i = 0; i < 500; i++) {
      TrainConfig config = random(new Random(i));
      String difference = TrainConfigJson.difference(config);
      assertEquals(config, TrainConfigJson.parse(difference), difference);
      assertFalse(difference.contains("\n"), difference);
      TrainConfigJson.lines(config).forEach((key, value) -> {
        boolean differs = !value.equals(TrainConfigJson.lines(TrainConfig.DEFAULT).get(key));
        assertEquals(differs, difference.contains("\"" + key + "\":"), key + " in " + difference);
        if (differs) {
          changed.add(key);
        }
      });
    }
    assertEquals(TrainConfigJson.lines(TrainConfig.DEFAULT).keySet(), changed);
  }

  private static TrainConfig random(Random random) {
    return TrainConfig.DEFAULT.with(c -> {
      List<Runnable> changes = List.of(
          () -> c.format = c.format.withDelimiter(";\t |'".charAt(random.nextInt(5))),
          () -> c.format = c.format.withHeader(random.nextBoolean()),
          () -> c.format = c.format.withNaValues(List.of("-", "n, a", "\"\n\\é").subList(0, random.nextInt(4))),
          () -> c.columns = c.columns.withTargets("y", "\"z\"\\ {\u0001").withStandardize(random.nextBoolean()),
          () -> c.columns = c.columns.withFeatures("a", "b's"),
          () -> c.columns = c.columns.withExcluded("id", "x,\n\"y\""),
          () -> c.columns = c.columns.withCategorical("seed", "\ud83d\ude00"),
          () -> c.columns = c.columns.withTask(Task.values()[random.nextInt(2)]),
          () -> c.columns = c.columns.withMissing(Missing.values()[random.nextInt(Missing.values().length)]),
          () -> c.validation(random.nextDouble()),
          () -> c.hidden(random.ints(random.nextInt(4), 1, 99).boxed().toList()),
          () -> c.activation(Activation.values()[random.nextInt(Activation.values().length)]),
          () -> c.normalization(Normalization.values()[random.nextInt(Normalization.values().length)]),
          () -> c.residual(random.nextBoolean()),
          () -> c.initializer(Initializer.values()[random.nextInt(Initializer.values().length)]),
          () -> c.loss(Loss.values()[random.nextInt(Loss.values().length)]),
          () -> c.optimizer(List.of(new OptimizerSpec.Sgd(random.nextDouble(), false, random.nextDouble()),
              new OptimizerSpec.Adam(random.nextDouble(), random.nextDouble(), 1e-9, random.nextDouble(), random.nextBoolean()),
              new OptimizerSpec.RmsProp(random.nextDouble(), 1e-300, random.nextDouble())).get(random.nextInt(3))),
          () -> c.learningRate(random.nextDouble() * 1e-50),
          () -> c.schedule(List.of(new Schedule.Step(1 + random.nextInt(9), 0.1), new Schedule.Cosine(random.nextDouble()),
              new Schedule.Exponential(0.5), new Schedule.Plateau(random.nextInt(9), 0.5, random.nextDouble()),
              Schedule.Constant.DEFAULT).get(random.nextInt(5))),
          () -> c.epochs(1 + random.nextInt(1000)),
          () -> c.batchSize(random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(1 + random.nextInt(99))),
          () -> c.shuffle(false),
          () -> c.calibrate(true),
          () -> c.clipNorm(1e-3 + random.nextDouble()),
          () -> c.dropout(random.nextDouble()),
          () -> c.earlyStopping(random.nextInt(99)),
          () -> c.weights(new RowWeights(Optional.of("w \"quoted\""), Optional.empty())),
          () -> c.weights(new RowWeights(c.weights.column(), Optional.of(random.nextBoolean() ? ClassWeights.BALANCED
              : new ClassWeights(new TreeMap<>(Map.of("a=b,c", random.nextDouble(), "d", 1e-7)))))),
          () -> c.watch(Metric.values()[1 + random.nextInt(Metric.values().length - 1)]),
          () -> c.precision(Precision.values()[random.nextInt(Precision.values().length)]),
          () -> c.seed(random.nextInt() & NumpyRandom.MAX_SEED),
          () -> c.splitSeed(random.nextInt() & NumpyRandom.MAX_SEED),
          () -> c.warmUpEpochs(c.epochs / 2));
      changes.stream().filter(change -> random.nextBoolean()).forEach(Runnable::run);
    });
  }

  @Test
  void absentKeysHaveTheDefault() {
    assertEquals(TrainConfig.DEFAULT, TrainConfigJson.parse("{}"));
  }

  @Test
  void linesContainTheValueOfEveryKey() {
    assertEquals("[ 7, 5 ]", TrainConfigJson.lines(TrainConfig.DEFAULT.with(c -> c.hidden(7, 5))).get("layers"));
    assertEquals("\"auto\"", TrainConfigJson.lines(TrainConfig.DEFAULT).get("epochs"));
    assertEquals("200", TrainConfigJson.lines(TrainConfig.DEFAULT.with(c -> c.epochs(200))).get("epochs"));
    assertEquals(34, TrainConfigJson.lines(TrainConfig.DEFAULT).size());
    assertTrue(TrainConfigJson.lines(TrainConfig.DEFAULT).get("optimizer").contains("\"beta2\": 0.999"));
  }
}
