package dev.plumb.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.Task;
import dev.plumb.json.JsonOutput;
import dev.plumb.train.ClassCurve;
import dev.plumb.train.ClassJudgment;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.Figure;
import dev.plumb.train.Metric;
import dev.plumb.train.RegressionScores;
import dev.plumb.train.Reliability;
import dev.plumb.train.Residuals;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import dev.plumb.train.Thresholds;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Iterator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The scores of {@code plumb evaluate} as JSON. */
final class EvaluationJson {
  /** The maximum number of points of a curve. */
  private static final int MAX_POINTS = 101;

  private EvaluationJson() {}

  /** Writes the document and leaves the stream open. */
  static void write(Scores scores, long rows, ThresholdChoice choice, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeNumberField("rows", rows);
      JsonOutput.number(json, "loss", scores.loss());
      if (scores instanceof ClassificationScores figures) {
        JsonOutput.number(json, "accuracy", figures.accuracy());
        JsonOutput.number(json, "balancedAccuracy", figures.balancedAccuracy());
        JsonOutput.number(json, "macroF1", figures.macroF1());
        JsonOutput.number(json, "logLoss", figures.logLoss());
        JsonOutput.number(json, "rocAuc", figures.rocAuc());
        JsonOutput.number(json, "prAuc", figures.prAuc());
        JsonOutput.number(json, "matthews", figures.matthews());
        writeJudgment(json, figures.judgment(), Figure::value);
        if (figures.threshold().isPresent()) {
          JsonOutput.number(json, "threshold", figures.threshold().getAsDouble());
        }
        if (choice.criterion().isPresent()) {
          json.writeStringField("thresholdChosenBy", choice.criterion().get().key());
        }
        writeClasses(json, figures);
        writeCurves(json, figures);
        writeReliability(json, figures.judgment().reliability());
        if (figures.judgment().thresholds().isPresent()) {
          writeThresholds(json, figures.judgment().thresholds().get().table(figures.threshold()));
        }
      } else if (scores instanceof RegressionScores figures) {
        JsonOutput.number(json, "r2", figures.r2());
        JsonOutput.number(json, "mae", figures.mae());
        JsonOutput.number(json, "rmse", figures.rmse());
        json.writeArrayFieldStart("targets");
        for (int i = 0; i < figures.targets().size(); i++) {
          RegressionScores.Errors errors = figures.errors().get(i);
          json.writeStartObject();
          json.writeStringField("name", figures.targets().get(i));
          JsonOutput.number(json, "r2", errors.r2());
          JsonOutput.number(json, "mae", errors.mae());
          JsonOutput.number(json, "rmse", errors.rmse());
          writeResiduals(json, figures.residuals(i));
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      if (EvaluateCommand.hasBaseline(scores)) {
        json.writeObjectFieldStart(ScoreTable.BASELINE);
        Task task = scores instanceof ClassificationScores ? Task.CLASSIFICATION : Task.REGRESSION;
        for (Metric metric : Metric.values()) {
          if (metric != Metric.LOSS && metric.appliesTo(task)) {
            JsonOutput.number(json, metric.jsonKey(), scores.baseline(metric));
          }
        }
        if (scores instanceof ClassificationScores figures) {
          writeJudgment(json, figures.judgment(), Figure::baseline);
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    });
  }

  private static void writeClasses(JsonGenerator json, ClassificationScores figures) throws IOException {
    json.writeArrayFieldStart("classes");
    Iterator<ConfusionMatrix.Cell> cells = figures.confusion().cells().iterator();
    ConfusionMatrix.Cell next = cells.hasNext() ? cells.next() : null;
    for (int c = 0; c < figures.classNames().size(); c++) {
      json.writeStartObject();
      json.writeStringField("name", figures.classNames().get(c));
      JsonOutput.number(json, "precision", figures.precision(c));
      JsonOutput.number(json, "recall", figures.recall(c));
      JsonOutput.number(json, "f1", figures.f1(c));
      json.writeNumberField("rows", figures.support(c));
      json.writeArrayFieldStart("takenFor");
      for (int predicted = 0; predicted < figures.classNames().size(); predicted++) {
        boolean counted = next != null && next.actual() == c && next.predicted() == predicted;
        json.writeNumber(counted ? next.count() : 0);
        next = counted ? cells.hasNext() ? cells.next() : null : next;
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** @param value returns the model's value or that of the baseline */
  private static void writeJudgment(JsonGenerator json, ClassJudgment judgment, ToDoubleFunction<Figure> value)
      throws IOException {
    Iterator<Figure> figures = judgment.figures().iterator();
    JsonOutput.number(json, "brier", value.applyAsDouble(figures.next()));
    JsonOutput.number(json, "expectedCalibrationError", value.applyAsDouble(figures.next()));
    json.writeObjectFieldStart("topK");
    for (int k : judgment.topK().keySet()) {
      JsonOutput.number(json, Integer.toString(k), value.applyAsDouble(figures.next()));
    }
    json.writeEndObject();
  }

  /** Writes the curves, thinned to {@value #MAX_POINTS} points. The first threshold, infinity, is null. */
  private static void writeCurves(JsonGenerator json, ClassificationScores figures) throws IOException {
    json.writeArrayFieldStart("curves");
    for (ClassCurve full : figures.judgment().curves()) {
      ClassCurve curve = full.thinned(MAX_POINTS);
      json.writeStartObject();
      json.writeStringField("class", figures.classNames().get(curve.classIndex()));
      JsonOutput.number(json, "rocAuc", curve.rocAuc());
      JsonOutput.number(json, "prAuc", curve.averagePrecision());
      JsonOutput.numbers(json, "thresholds", curve.thresholds());
      JsonOutput.numbers(json, "falsePositiveRate", curve.falsePositiveRates());
      JsonOutput.numbers(json, "recall", curve.recalls());
      JsonOutput.numbers(json, "precision", curve.precisions());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void writeReliability(JsonGenerator json, Reliability reliability) throws IOException {
    json.writeArrayFieldStart("reliability");
    for (Reliability.Bin bin : reliability.bins()) {
      json.writeStartObject();
      JsonOutput.number(json, "low", bin.low());
      JsonOutput.number(json, "high", bin.high());
      json.writeNumberField("rows", bin.rows());
      JsonOutput.number(json, "meanProbability", bin.meanProbability());
      JsonOutput.number(json, "observed", bin.observed());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void writeThresholds(JsonGenerator json, List<Thresholds.Row> rows) throws IOException {
    json.writeArrayFieldStart("thresholds");
    for (Thresholds.Row row : rows) {
      json.writeStartObject();
      JsonOutput.number(json, "threshold", row.threshold());
      JsonOutput.number(json, "precision", row.precision());
      JsonOutput.number(json, "recall", row.recall());
      JsonOutput.number(json, "f1", row.f1());
      JsonOutput.number(json, "specificity", row.specificity());
      JsonOutput.number(json, "youden", row.youden());
      json.writeNumberField("predictedRows", row.predictedRows());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void writeResiduals(JsonGenerator json, Residuals residuals) throws IOException {
    json.writeArrayFieldStart("residuals");
    for (Residuals.Group group : residuals.groups()) {
      json.writeStartObject();
      json.writeNumberField("rows", group.rows());
      JsonOutput.number(json, "low", group.low());
      JsonOutput.number(json, "high", group.high());
      JsonOutput.number(json, "meanPrediction", group.meanPrediction());
      JsonOutput.numbers(json, "quantiles", group.quantiles().stream().mapToDouble(Double::doubleValue).toArray());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
