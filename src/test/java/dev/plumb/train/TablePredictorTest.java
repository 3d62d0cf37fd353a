package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.data.Column;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TablePredictorTest {
  private static final int ROWS = 5000;
  /** Enough classes that a piece has the minimum of rows. */
  private static final int CLASSES = ROWS / 2;

  @Test
  void piecesGiveTheResultsOfTheWholeTable() {
    Table table = table();
    PreparedData prepared = prepared(table);
    TrainedModel model = model(prepared);
    int outputs = model.network().outputs();
    double[] whole = new double[ROWS * outputs];
    double[] ofTraining = new double[ROWS * outputs];
    try (Backend backend = cpu()) {
      try (InferenceSession session =
          backend.separateInference(prepared.network(), Precision.FP32, model.parameters()).orElseThrow()) {
        session.outputs(prepared.view().training().featureRows(0, ROWS), ROWS, whole);
      }
      try (TrainingSession session = backend.open(prepared.network(), prepared.fit().training(), 1)) {
        session.write(Slot.PARAMETERS, 0, model.parameters());
        session.predict(0, prepared.view().training(), ofTraining);
      }
      double[] expected = model.results(whole);
      double[] scored = model.results(ofTraining);
      try (TablePredictor predictor = new TablePredictor(backend, model, Precision.FP32)) {
        assertEquals(List.of(1024, 1024, 1024, 1024, 904), predictor.pieces(table).stream().map(Table::rows).toList());
        Predictions all = predictor.predict(table);
        int row = 0;
        int right = 0;
        for (Table piece : predictor.pieces(table)) {
          Predictions predictions = predictor.predict(piece);
          for (int i = 0; i < piece.rows(); i++) {
            for (int c = 0; c < outputs; c++) {
              assertEquals(expected[row * outputs + c], predictions.probability(i, c));
              assertEquals(expected[row * outputs + c], all.probability(row, c));
            }
            right += predictions.className(i).equals(table.column("y").text(row)) ? 1 : 0;
            row++;
          }
        }
        assertEquals(ROWS, row);
        assertTrue(right > 0);
        Scores scores = predictor.score(table);
        assertEquals((double) right / ROWS, scores.accuracy());
        // More probabilities than scoring keeps: the last pieces are predicted twice.
        int[] truth = IntStream.range(0, ROWS).map(prepared.view().training()::label).toArray();
        ClassMetrics metrics = ClassMetrics.of(outputs, truth, scored, model.labels(scored), null);
        for (Metric metric : Metric.values()) {
          if (metric != Metric.LOSS && metric.appliesTo(Task.CLASSIFICATION)) {
            assertEquals(metrics.value(metric), scores.value(metric), metric.key());
          }
        }
      }
    }
  }

  @Test
  void numbersAreScored() {
    Table table = TableReader.read(Path.of("src/test/resources/tables/diabetes.csv"), ReadOptions.DEFAULT);
    PreparedData prepared = PreparedData.of(table, TrainConfig.DEFAULT.with(c -> c.validation(0)));
    try (Backend backend = cpu(); TablePredictor predictor = new TablePredictor(backend, model(prepared), Precision.FP32)) {
      Predictions all = predictor.predict(table);
      RegressionScores scores = (RegressionScores) predictor.score(table);
      for (int row = 0; row < table.rows(); row++) {
        assertEquals(all.number(row), scores.predicted()[0][row], 1e-5 * Math.abs(all.number(row)));
        assertEquals(table.column(all.targetNames().get(0)).number(row), scores.truth()[0][row]);
      }
      assertEquals(List.of(scores.loss(), scores.r2(), scores.mae(), scores.rmse()),
          Stream.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE).map(scores::value).toList());
      assertEquals("the model predicts numbers, which have no ROC AUC; use r2, mae or rmse",
          assertThrows(IllegalStateException.class, () -> scores.value(Metric.ROC_AUC)).getMessage());
    }
  }

  @Test
  void rowThatCannotBeEncodedIsReportedBeforeTheFirstPiece() {
    Table table = table();
    double[] numbers = IntStream.range(0, ROWS).mapToDouble(row -> row == ROWS - 1 ? Double.NaN : row).toArray();
    Table missing = Table.of(List.of(Column.ofNumbers("x", numbers)));
    try (Backend backend = cpu();
        TablePredictor predictor = new TablePredictor(backend, model(prepared(table)), Precision.FP32)) {
      String message = assertThrows(InvalidInputException.class, () -> predictor.requirePredictable(missing)).getMessage();
      assertTrue(message.startsWith("row 5000: column \"x\" has no value"), message);
    }
  }

  @Test
  void moreResultsThanAnArrayHoldsAreRefused() {
    Table table = table();
    Table many = table.rows(IntStream.range(0, 1_000_000).map(row -> row % ROWS).toArray());
    try (Backend backend = cpu();
        TablePredictor predictor = new TablePredictor(backend, model(prepared(table)), Precision.FP32)) {
      String message = assertThrows(InvalidInputException.class, () -> predictor.predict(many)).getMessage();
      assertEquals("1000000 rows of 2500 results are more than one array holds; predict fewer rows at once", message);
    }
  }

  private static Table table() {
    double[] x = IntStream.range(0, ROWS).mapToDouble(row -> row).toArray();
    String[] y = IntStream.range(0, ROWS).mapToObj(row -> "class " + row % CLASSES).toArray(String[]::new);
    return Table.of(List.of(Column.ofNumbers("x", x), Column.ofText("y", y)));
  }

  private static PreparedData prepared(Table table) {
    return PreparedData.of(table, TrainConfig.DEFAULT.with(c -> c.hidden().validation(0)));
  }

  private static TrainedModel model(PreparedData prepared) {
    return new TrainedModel(prepared.network(), prepared.view().loss(), Precision.FP32, prepared.view().encoding(),
        prepared.start().parameters(), new TreeMap<>());
  }

  private static Backend cpu() {
    return new CpuBackend(CpuOptions.standard(), note -> {});
  }
}
