package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Column;
import dev.plumb.data.Table;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.train.TrainConfig;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchSpaceTest {
  private static List<TrainConfig> candidates(SearchSpace space, int trials) {
    return candidates(new TuningSpec(TrainConfig.DEFAULT, space, trials, OptionalInt.empty(), 3));
  }

  private static List<TrainConfig> candidates(TuningSpec spec) {
    return spec.candidates(spec.baseCandidates(spec.config(), false), spec.config());
  }

  @Test
  void drawsOfTheDefaultSpaceAreWithinItsRanges() {
    List<TrainConfig> drawn = candidates(SearchSpace.DEFAULT, 2000);
    assertEquals(TrainConfig.DEFAULT, drawn.get(0));
    List<TrainConfig> others = drawn.subList(1, drawn.size());
    double[] rates = others.stream().mapToDouble(config -> config.trainer().training().learningRate()).sorted().toArray();
    assertTrue(rates[0] >= 3e-4 && rates[0] < 3.2e-4 && rates[rates.length - 1] <= 3e-2 && rates[rates.length - 1] > 2.8e-2);
    assertEquals(3e-3, rates[1000], 5e-4, "the median of a logarithmic range is the geometric mean of its limits");
    assertTrue(others.stream().allMatch(config -> config.trainer().training().optimizer().weightDecay() >= 0.01
        && config.trainer().training().optimizer().weightDecay() <= 10));
    double[] dropouts = others.stream()
        .mapToDouble(config -> config.trainer().training().dropout().map(Dropout::probability).orElse(0.0)).sorted().toArray();
    assertEquals(List.of(0.0, 0.1, 0.3), Arrays.stream(dropouts).distinct().boxed().toList());
    assertEquals(0.5, Arrays.stream(dropouts).filter(dropout -> dropout == 0).count() / 1999.0, 0.05);
    assertEquals(Set.of(16, 32, 64, 128), others.stream().map(config -> config.trainer().training().batchSize().getAsInt())
        .collect(Collectors.toSet()));
    assertEquals(Set.of(16, 32, 64, 128), others.stream().map(config -> config.hidden().get(0)).collect(Collectors.toSet()));
    assertEquals(12, others.stream().map(TrainConfig::hidden).distinct().count());
    assertTrue(others.stream().allMatch(config -> new HashSet<>(config.hidden()).size() == 1 && config.hidden().size() <= 3));
    assertEquals(EnumSet.of(Activation.RELU, Activation.LEAKY_RELU, Activation.TANH, Activation.SILU),
        others.stream().map(TrainConfig::activation).collect(Collectors.toSet()));
    assertEquals(EnumSet.allOf(Normalization.class), others.stream().map(TrainConfig::normalization).collect(Collectors.toSet()));
    assertEquals(2, others.stream().map(TrainConfig::residual).distinct().count());
  }

  @Test
  void largeTablesHaveWiderNetworksAndLargerBatches() {
    Table large = Table.of(List.of(Column.ofNumbers("x", new double[FoldSelection.MAX_ROWS + 1])));
    assertEquals(SearchSpace.DEFAULT, SearchSpace.defaultFor(TrainConfig.DEFAULT, large.rows(new int[FoldSelection.MAX_ROWS])));
    List<TrainConfig> drawn = candidates(SearchSpace.defaultFor(TrainConfig.DEFAULT, large), 200).stream().skip(1).toList();
    assertEquals(Set.of(32, 64, 128, 256), drawn.stream().map(config -> config.hidden().get(0)).collect(Collectors.toSet()));
    assertEquals(Set.of(32, 64, 128, 256), drawn.stream().map(config -> config.trainer().training().batchSize().getAsInt())
        .collect(Collectors.toSet()));
  }

  @Test
  void fixingOneHyperparameterLeavesTheDrawsOfTheOthers() {
    List<TrainConfig> all = candidates(SearchSpace.DEFAULT, 50);
    List<TrainConfig> some = candidates(SearchSpace.DEFAULT.without(Set.of(Hyperparameter.ACTIVATION, Hyperparameter.WIDTH)), 50);
    for (int i = 1; i < 50; i++) {
      TrainConfig one = all.get(i);
      TrainConfig other = some.get(i);
      assertEquals(TrainConfig.DEFAULT.activation(), other.activation());
      assertEquals(100, other.hidden().get(0));
      assertEquals(one.hidden().size(), other.hidden().size());
      assertEquals(one, other.with(c -> c.activation(one.activation()).hidden(one.hidden())));
    }
  }

  @Test
  void columnsHaveThePlainTextOfEachHyperparameter() {
    assertEquals(List.of("learning rate", "layers", "activation", "weight decay", "dropout", "batch size", "normalization", "residual"),
        TuningColumn.ALL.stream().map(TuningColumn::name).toList());
    TrainConfig config = TrainConfig.DEFAULT.with(changes -> changes.learningRate(3e-4).hidden(64, 32).activation(Activation.TANH)
        .optimizer(OptimizerSpec.Adam.DEFAULT_W.withWeightDecay(10)).dropout(0.25).batchSize(OptionalInt.empty())
        .normalization(Normalization.LAYER).residual(true));
    assertEquals(List.of("0.0003", "64,32", "tanh", "10", "0.25", "all", "layer", "yes"), texts(config));
    assertEquals(List.of("1.0E-7", "none", "tanh", "10", "0", "24", "layer", "no"), texts(config.with(changes -> changes
        .learningRate(1e-7).hidden(List.of()).dropout(0).batchSize(24).residual(false))));
    assertEquals(List.of("other", "2", "auto"), Stream.of(Hyperparameter.WIDTH.text(config), Hyperparameter.DEPTH.text(config),
        Hyperparameter.WEIGHT_DECAY.text(TrainConfig.DEFAULT)).toList());
  }

  private static List<String> texts(TrainConfig config) {
    return TuningColumn.ALL.stream().map(column -> column.text().apply(config)).toList();
  }

  @Test
  void everyKindOfDistributionIsReadAndWritten() {
    String text = "{\"learningRate\":{\"log\":[1.0E-4,0.03]},\"width\":{\"linear\":[3,5]},\"depth\":2,\"activation\":\"tanh\","
        + "\"dropout\":{\"linear\":[0.0,0.5]},\"batchSize\":{\"log\":[8,64]},\"residual\":{\"choice\":[true]}}";
    TuningSpec spec = new TuningSpec(
        TrainConfig.DEFAULT.with(c -> c.seed(9).epochs(7)), SearchSpace.parse(text), 300, OptionalInt.of(3), 2);
    assertTrue(TuningSpec.isText(spec.text()));
    assertEquals(spec, TuningSpec.parse(spec.text()));
    List<TrainConfig> drawn = candidates(spec);
    assertEquals(List.of(100, 100), drawn.get(0).hidden(), "a depth of 2 is fixed");
    assertEquals(Activation.TANH, drawn.get(0).activation(), "a fixed value is that of candidate 0 too");
    assertEquals(Set.of(3, 4, 5), drawn.stream().skip(1).map(config -> config.hidden().get(0)).collect(Collectors.toSet()));
    int[] sizes =
        drawn.stream().skip(1).mapToInt(config -> config.trainer().training().batchSize().getAsInt()).sorted().toArray();
    assertTrue(sizes[0] == 8 && sizes[298] == 64 && Set.of(21, 22, 23, 24).contains(sizes[149]), "median " + sizes[149]);
    assertTrue(drawn.stream().skip(1).allMatch(config -> config.activation() == Activation.TANH && config.residual()
        && config.hidden().size() == 2 && config.normalization() == Normalization.NONE));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "{'learningrate': 1} | learningrate, line 1: unknown key \"learningrate\" (did you mean \"learningRate\"?)",
      "{'width': {'logg': [1, 2]}} | width.logg, line 1: unknown key \"logg\" (did you mean \"log\"?)",
      "{'width': {}} | width, line 1: must have one of the keys log, linear and choice, not 0",
      "{'width': {'log': [1, 2], 'choice': [3]}} | width, line 1: must have one of the keys log, linear and choice, not 2",
      "{'width': {'choice': []}} | width.choice, line 1: is empty; list at least one value",
      "{'width': {'choice': [1.5]}} | width.choice[0], line 1: must be a whole number, not 1.5",
      "{'width': {'linear': [5, 4]}} | width.linear, line 1: has the minimum 5 above the maximum 4",
      "{'width': {'linear': [5]}} | width.linear, line 1: must be [min, max], not 1 number",
      "{'width': 0} | width, line 1: width 0 must be at least 1",
      "{'width': 70000} | width, line 1: width 70000 must be at most 65536",
      "{'depth': {'choice': [1, -1]}} | depth.choice, line 1: depth -1 must be at least 0",
      "{'learningRate': {'log': [0, 1]}} | learningRate.log, line 1: has the minimum 0.0, which must be above 0; use linear",
      "{'dropout': {'linear': [0, 1]}} | dropout.linear, line 1: ",
      "{'batchSize': 0} | batchSize, line 1: ",
      "{'activation': {'log': ['relu', 'tanh']}} | activation.log, line 1: is for numbers; use choice or one value",
      "{'activation': {'choice': ['rleu']}} | activation.choice, line 1: unknown activation \"rleu\" (did you mean \"relu\"?)",
      "{'residual': 'yes'} | residual, line 1: must be true or false, not \"yes\""})
  void badSpaceIsReportedWithItsPlace(String json, String message) {
    String text = json.replace('\'', '"');
    String found = assertThrows(InvalidInputException.class, () -> SearchSpace.parse(text)).getMessage();
    assertTrue(found.startsWith(message), found);
  }
}
