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
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.Task;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CalibrationTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");
  private static final int ROWS = 300;

  /** Against a plain evaluation of the loss: it is lowest at the temperature, and rises on both sides. */
  @ParameterizedTest
  @CsvSource({"CROSS_ENTROPY, 3, false", "CROSS_ENTROPY, 3, true", "CROSS_ENTROPY, 2, true", "BINARY_CROSS_ENTROPY, 1, false",
      "BINARY_CROSS_ENTROPY, 1, true", "BINARY_CROSS_ENTROPY, 4, true"})
  void lossIsLowestAtTheTemperature(Loss loss, int outputs, boolean weighted) {
    for (double scale : new double[] {0.3, 1, 8}) {
      Random random = new Random(7);
      int classes = Math.max(2, outputs);
      double[] logits = random.doubles((long) ROWS * outputs, -scale, scale).toArray();
      int[] truth = new int[ROWS];
      double[] weights = weighted ? random.doubles(ROWS, 0.1, 5).toArray() : null;
      for (int row = 0; row < ROWS; row++) {
        // Most rows have the class of the largest logit, so that the logits are worth something.
        int best = outputs == 1 ? logits[row] > 0 ? 1 : 0 : largest(logits, row, outputs);
        truth[row] = random.nextInt(4) > 0 ? best : random.nextInt(classes);
      }
      double temperature = temperature(loss, outputs, logits, truth, weights);
      double lowest = loss(loss, outputs, logits, truth, weights, temperature);
      assertTrue(temperature > Calibration.MIN_TEMPERATURE && temperature < Calibration.MAX_TEMPERATURE, "" + temperature);
      for (double factor : new double[] {0.5, 0.9, 0.999, 1.001, 1.1, 2}) {
        double other = loss(loss, outputs, logits, truth, weights, temperature * factor);
        assertTrue(other > lowest, loss + ", scale " + scale + ": " + other + " at " + factor + ", " + lowest);
      }
      // A common factor of the weights does not matter.
      double[] heavier = weights == null ? new double[ROWS] : Arrays.stream(weights).map(weight -> 7 * weight).toArray();
      if (weights == null) {
        Arrays.fill(heavier, 7);
      }
      assertEquals(temperature, temperature(loss, outputs, logits, truth, heavier), 1e-9 * temperature);
    }
  }

  @Test
  void temperatureHasLimits() {
    assertEquals(Calibration.MAX_TEMPERATURE, temperature(Loss.BINARY_CROSS_ENTROPY, 1, new double[] {1e4, -1e4}, new int[] {0, 1}, null));
    double[] small = {0.01, 0, 0, 0.01};
    double[] many = new double[400_000];
    Arrays.setAll(many, i -> small[i % 4]);
    int[] truth = new int[200_000];
    Arrays.setAll(truth, row -> row % 2);
    assertEquals(Calibration.MIN_TEMPERATURE, temperature(Loss.CROSS_ENTROPY, 2, many, truth, null));
    // Logits that say nothing: every temperature gives the same loss, and 1 has no penalty.
    assertEquals(1, temperature(Loss.CROSS_ENTROPY, 2, new double[4], new int[] {0, 1}, null), 1e-9);
  }

  /** A few rows without errors change little; with many, the temperature falls. */
  @Test
  void fewCorrectRowsDoNotMakeProbabilitiesExtreme() {
    double before = 1;
    for (int rows : new int[] {1, 10, 100, 10_000}) {
      double[] logits = new double[2 * rows];
      Arrays.setAll(logits, i -> i % 2 == 0 ? 2 : 0);
      double temperature = temperature(Loss.CROSS_ENTROPY, 2, logits, new int[rows], null);
      assertTrue(temperature < before, temperature + " with " + rows + " rows");
      before = temperature;
      if (rows == 10) {
        assertTrue(temperature > 0.8, "" + temperature);
      }
    }
    assertTrue(before < 0.3, "" + before);
  }

  @Test
  void rowsMayBeAddedInParts() {
    double[] logits = new Random(3).doubles(20, -2, 2).toArray();
    int[] truth = {0, 1, 1, 0, 1, 0, 0, 1, 1, 0};
    double[] weights = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    Calibration parts = new Calibration(Loss.CROSS_ENTROPY, 2);
    parts.add(Arrays.copyOf(logits, 8), Arrays.copyOf(truth, 4), Arrays.copyOf(weights, 4));
    parts.add(Arrays.copyOfRange(logits, 8, 20), Arrays.copyOfRange(truth, 4, 10), Arrays.copyOfRange(weights, 4, 10));
    assertEquals(temperature(Loss.CROSS_ENTROPY, 2, logits, truth, weights), parts.temperature(), 1e-12);
  }

  @ParameterizedTest
  @EnumSource
  void onlyTheLastLayerIsDivided(Normalization normalization) {
    NetworkSpec network = new NetworkSpec(List.of(3, 4, 4, 2), Activation.RELU, normalization, true);
    ParameterLayout layout = ParameterLayout.of(network);
    double[] parameters = new Random(1).doubles(layout.size()).toArray();
    double[] expected = parameters.clone();
    for (ParameterLayout.Slice slice : List.of(layout.weight(2), layout.bias(2))) {
      for (int i = slice.offset(); i < slice.offset() + slice.size(); i++) {
        expected[i] = parameters[i] / 1.7;
      }
    }
    assertArrayEquals(expected, Calibration.scaled(network, parameters, 1.7));
  }

  /** The classes are those of the model without calibration, and the log loss of the validation rows is lower. */
  @ParameterizedTest
  @EnumSource(value = Loss.class, names = {"CROSS_ENTROPY", "BINARY_CROSS_ENTROPY"})
  void trainingCalibratesOnItsValidationRows(Loss loss) {
    Table table = table("breast_cancer.csv");
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(32).epochs(150).validation(0.3).loss(loss).watch(Metric.ACCURACY)
        .earlyStopping(0));
    Model plain = Plumb.train(table, config);
    Model calibrated = Plumb.train(table, config.with(c -> c.calibrate(true)));
    double temperature = Calibration.of(calibrated.trained()).orElseThrow();
    assertTrue(Calibration.of(plain.trained()).isEmpty());
    assertTrue(Math.abs(temperature - 1) > 0.05, "" + temperature);
    Predictions before = plain.predict(table);
    Predictions after = calibrated.predict(table);
    for (int row = 0; row < table.rows(); row++) {
      assertEquals(before.className(row), after.className(row));
      double expected = 1 / (1 + Math.exp(-logit(before.probability(row, 1)) / temperature));
      assertEquals(expected, after.probability(row, 1), 1e-4, "row " + row);
    }
    Table validation = PreparedData.of(table, config).view().validationRows().orElseThrow();
    assertTrue(calibrated.score(validation).loss() < plain.score(validation).loss());
    assertEquals(((ClassificationScores) calibrated.score(validation)).logLoss(), calibrated.score(validation).loss(), 1e-5);
  }

  private static double logit(double probability) {
    return Math.log(probability / (1 - probability));
  }

  /** A small table has no validation rows; the temperature is fitted to the test rows of the folds. */
  @Test
  void smallTablesAreCalibratedByFolds() {
    Table table = table("iris.csv");
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(8).calibrate(true));
    Model model = Plumb.train(table, config, Device.CPU);
    FoldEstimate estimate = model.estimate().orElseThrow();
    assertEquals(estimate.temperature().orElseThrow(), Calibration.of(model.trained()).orElseThrow());
    assertEquals(estimate, FoldEstimate.parse(estimate.json()));
    Model plain = Plumb.train(table, config.with(c -> c.calibrate(false)), Device.CPU);
    assertTrue(plain.estimate().orElseThrow().temperature().isEmpty());
    assertEquals(estimate.scores(), plain.estimate().orElseThrow().scores());
  }

  @Test
  void calibrationNeedsClassesAndRows() {
    Table numbers = table("diabetes.csv");
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.hidden(2).epochs(1).calibrate(true));
    assertEquals("calibrate is for classes, but the target has numbers; omit it",
        assertThrows(InvalidInputException.class, () -> Plumb.train(numbers, config)).getMessage());
    Table iris = table("iris.csv");
    assertEquals("calibrate: needs rows that are held out, but none of the 150 rows are, and no folds were trained; use a validation share such as"
        + " 0.2",
        assertThrows(InvalidInputException.class, () -> Plumb.train(iris, config.with(c -> c.validation(0)))).getMessage());
  }

  /** Weights of a column count, those of classes do not: probabilities are to be those of the classes in the rows. */
  @Test
  void weightsOfRowsCount() {
    double[] x = new Random(5).doubles(400).toArray();
    String[] y = new String[400];
    double[] w = new double[400];
    for (int row = 0; row < 400; row++) {
      y[row] = x[row] + 0.3 * Math.sin(37.0 * row) > 0.5 ? "b" : "a";
      w[row] = y[row].equals("b") == x[row] > 0.5 ? 0.2 : 3;
    }
    Table table = Table.of(List.of(Column.ofNumbers("x", x), Column.ofText("y", y), Column.ofNumbers("w", w)));
    TrainConfig config = TrainConfig.DEFAULT.with(c -> c.columns(c.columns.withTargets("y").withFeatures("x").withTask(Task.CLASSIFICATION))
        .hidden(4).epochs(20).validation(0.4).calibrate(true));
    double unweighted = Calibration.of(Plumb.train(table, config).trained()).orElseThrow();
    double weighted = Calibration.of(Plumb.train(table, config.with(c -> c.weights(new RowWeights(Optional.of("w"), Optional.empty()))))
        .trained()).orElseThrow();
    assertTrue(weighted > 1.5 * unweighted, weighted + ", " + unweighted);
  }

  private static Table table(String file) {
    return TableReader.read(TABLES.resolve(file), ReadOptions.DEFAULT);
  }

  private static double temperature(Loss loss, int outputs, double[] logits, int[] truth, double[] weights) {
    Calibration calibration = new Calibration(loss, outputs);
    calibration.add(logits, truth, weights);
    return calibration.temperature();
  }

  private static int largest(double[] logits, int row, int outputs) {
    int best = 0;
    for (int j = 1; j < outputs; j++) {
      best = logits[row * outputs + j] > logits[row * outputs + best] ? j : best;
    }
    return best;
  }

  private static double loss(Loss loss, int outputs, double[] logits, int[] truth, double[] weights, double temperature) {
    double sum = 0;
    for (int row = 0; row < truth.length; row++) {
      double of = 0;
      if (loss == Loss.CROSS_ENTROPY) {
        double total = 0;
        for (int j = 0; j < outputs; j++) {
          total += Math.exp(logits[row * outputs + j] / temperature);
        }
        of = Math.log(total) - logits[row * outputs + truth[row]] / temperature;
      } else {
        for (int j = 0; j < outputs; j++) {
          boolean isTrue = outputs == 1 ? truth[row] == 1 : truth[row] == j;
          of += Math.log1p(Math.exp((isTrue ? -1 : 1) * logits[row * outputs + j] / temperature));
        }
      }
      sum += (weights == null ? 1 : weights[row]) * of;
    }
    double meanWeight = weights == null ? 1 : Arrays.stream(weights).average().orElseThrow();
    return sum + 10 * meanWeight * (1 / temperature - 1 + Math.log(temperature));
  }
}
