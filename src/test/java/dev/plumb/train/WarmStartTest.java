package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Device;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Column;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.Task;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WarmStartTest {
  private static final TrainConfig CONFIG =
      TrainConfig.DEFAULT.with(c -> c.hidden(6, 5).activation(Activation.TANH).epochs(3).validation(0).precision(Precision.FP64));
  private static final Table WINE = table("wine.csv");
  private static final Table DIABETES = table("diabetes.csv");

  private static Table table(String file) {
    return TableReader.read(Path.of("src/test/resources/tables", file), ReadOptions.DEFAULT);
  }

  private static TrainedModel trained(Table table, TrainConfig config) {
    return Plumb.train(table, config, Device.CPU).trained();
  }

  private static PreparedData prepared(TrainedModel model, Table table, TrainConfig config) {
    WarmStart from = new WarmStart(model, Optional.empty());
    return PreparedData.of(table, from.configured(config), Optional.of(from), Precision.FP64);
  }

  private static TrainConfig defaults() {
    return TrainConfig.DEFAULT.with(c -> c.epochs(1).validation(0).precision(Precision.FP64));
  }

  @ParameterizedTest
  @EnumSource
  void trainingStartsFromAllParameters(Normalization normalization) {
    for (boolean residual : new boolean[] {false, true}) {
      TrainedModel model = trained(WINE, CONFIG.with(c -> c.hidden(6, 6).normalization(normalization).residual(residual)));
      PreparedData all = prepared(model, WINE, defaults().with(c -> c.seed(7)));
      assertEquals(model.network(), all.network());
      assertArrayEquals(model.parameters(), all.start().parameters());
      assertEquals(model.encoding().features(), all.view().encoding().features());
    }
  }

  /** Features are encoded with the means and scales of the model, not with those of the new rows. */
  @Test
  void encodingOfTheFeaturesIsThatOfTheModel() {
    TrainedModel model = trained(WINE, CONFIG);
    int[] some = IntStream.range(0, WINE.rows()).filter(row -> row % 3 == 0).toArray();
    PreparedData prepared = prepared(model, WINE.rows(some), defaults());
    assertEquals(model.encoding().features(), prepared.view().encoding().features());
    double[] expected = model.encoding().encodeFeatures(prepared.view().trainingRows()).featureRows(0, some.length);
    assertArrayEquals(expected, prepared.view().training().featureRows(0, some.length));
    assertArrayEquals(model.parameters(), prepared.start().parameters());
  }

  @Test
  void outputLayerIsNewIfTheClassesDiffer() {
    TrainedModel model = trained(WINE, CONFIG);
    int[] two = IntStream.range(0, 120).toArray();
    PreparedData prepared = prepared(model, WINE.rows(two), defaults());
    assertEquals(2, prepared.network().outputs());
    ParameterLayout layout = ParameterLayout.of(prepared.network());
    int hidden = layout.weight(2).offset();
    assertArrayEquals(Arrays.copyOf(model.parameters(), hidden), Arrays.copyOf(prepared.start().parameters(), hidden));
    double[] drawn = PreparedData.of(WINE.rows(two), defaults().with(c -> c.hidden(6, 5).activation(Activation.TANH)))
        .start().parameters();
    assertArrayEquals(Arrays.copyOfRange(drawn, hidden, layout.size()),
        Arrays.copyOfRange(prepared.start().parameters(), hidden, layout.size()));
    assertEquals("classes", new WarmStart(model, Optional.empty()).outputDifference(prepared.view().encoding(), Loss.CROSS_ENTROPY));
  }

  @Test
  void outputLayerIsNewForAnotherTargetOrLoss() {
    TrainedModel model = trained(WINE, CONFIG);
    WarmStart from = new WarmStart(model, Optional.empty());
    PreparedData binary = prepared(model, WINE, defaults().with(c -> c.loss(Loss.BINARY_CROSS_ENTROPY)));
    assertEquals("losses", from.outputDifference(binary.view().encoding(), binary.view().loss()));
    // The model's own target as a number, which is not the meaning of its outputs.
    PreparedData numbers = prepared(model, WINE, defaults().with(c -> c.columns(c.columns.withTask(Task.REGRESSION))));
    assertEquals("targets", from.outputDifference(numbers.view().encoding(), numbers.view().loss()));
    assertEquals(1, numbers.network().outputs());
    assertEquals(Loss.MSE, numbers.view().loss());
  }

  /** Outputs are in units of the model's target mean and scale. */
  @Test
  void targetsAreEncodedAsForTheModel() {
    TrainedModel model = trained(DIABETES, CONFIG.with(c -> c.loss(Loss.HUBER)));
    PreparedData prepared = prepared(model, DIABETES.rows(IntStream.range(0, 50).toArray()), defaults());
    assertEquals(model.encoding().target(), prepared.view().encoding().target());
    assertArrayEquals(model.parameters(), prepared.start().parameters());
    assertEquals(Loss.HUBER, prepared.view().loss());
    PreparedData mse = prepared(model, DIABETES, defaults().with(c -> c.loss(Loss.MSE)));
    assertArrayEquals(model.parameters(), mse.start().parameters());
  }

  /** The order of the columns does not matter, and other columns are ignored. */
  @Test
  void columnsAreFoundByName() {
    List<Column> columns = List.of(Column.ofNumbers("b", 1, 2, 3, 4), Column.ofText("y", "u", "v", "u", "v"),
        Column.ofNumbers("a", 5, 3, 4, 2));
    TrainConfig config = CONFIG.with(c -> c.columns(c.columns.withTargets("y")));
    TrainedModel model = trained(Table.of(columns), config);
    Table other = Table.of(List.of(Column.ofNumbers("other", 9, 9, 8, 8), columns.get(2), columns.get(1), columns.get(0)));
    PreparedData prepared = prepared(model, other, defaults());
    assertArrayEquals(model.encoding().encodeFeatures(Table.of(columns)).featureRows(0, 4),
        prepared.view().training().featureRows(0, 4));
    Table lacking = Table.of(columns.subList(0, 2));
    assertTrue(assertThrows(InvalidInputException.class, () -> prepared(model, lacking, defaults())).getMessage()
        .contains("\"a\""));
  }

  @Test
  void otherNetworksAndFeaturesAreRefused() {
    TrainedModel model = trained(WINE, CONFIG);
    assertEquals("layers: [8] is not that of the model to start from, [6, 5]; omit it", refusal(model, defaults().with(c -> c.hidden(8))));
    assertEquals("activation: gelu is not that of the model to start from, tanh; omit it",
        refusal(model, defaults().with(c -> c.activation(Activation.GELU))));
    assertEquals("normalization: batch is not that of the model to start from, none; omit it",
        refusal(model, defaults().with(c -> c.normalization(Normalization.BATCH))));
    assertEquals("residual: true is not that of the model to start from, false; omit it",
        refusal(model, defaults().with(c -> c.residual(true))));
    assertTrue(refusal(model, defaults().with(c -> c.columns(c.columns.withFeatures("alcohol")))).startsWith(
        "features: [alcohol] are not those of the model to start from, ["));
    assertEquals("column \"alcohol\" is a feature of the model to start from, so it cannot be the target",
        refusal(model, defaults().with(c -> c.columns(c.columns.withTargets("alcohol")))));
    assertEquals("column \"alcohol\" is a feature of the model to start from, so it cannot be excluded",
        refusal(model, defaults().with(c -> c.columns(c.columns.withExcluded("alcohol")))));
    // What the model has may be named.
    prepared(model, WINE, defaults().with(c -> c.hidden(6, 5).activation(Activation.TANH)));
  }

  private static String refusal(TrainedModel model, TrainConfig config) {
    return assertThrows(InvalidInputException.class, () -> new WarmStart(model, Optional.empty()).configured(config)).getMessage();
  }

  /** With a learning rate near 0 the model stays the same; training from its parameters is better than from the beginning. */
  @Test
  void fineTuningContinuesFromTheModel() {
    Model model = Plumb.train(WINE, CONFIG.with(c -> c.epochs(30)), Device.CPU);
    TrainConfig still = defaults().with(c -> c.learningRate(1e-12));
    Model same = Plumb.fineTune(model, WINE, still, Device.CPU);
    assertEquals(model.score(WINE).loss(), same.score(WINE).loss(), 1e-6);
    Model tuned = Plumb.fineTune(model, WINE, defaults(), Device.CPU);
    Model fresh = Plumb.train(WINE, CONFIG.with(c -> c.epochs(1)), Device.CPU);
    assertTrue(tuned.score(WINE).loss() < 0.5 * fresh.score(WINE).loss());
  }
}
