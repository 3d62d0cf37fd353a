package dev.plumb.study;

import static dev.plumb.json.JsonOutput.number;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.Column;
import dev.plumb.data.CsvField;
import dev.plumb.json.JsonOutput;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.ScoreTable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Machine-readable output of a cross-validation. Numbers that are not finite are null in JSON and empty in CSV. */
public final class CrossValidationOutput {
  private CrossValidationOutput() {}

  /**
   * Writes JSON: the summary of each metric, and the scores of each network.
   *
   * @param plumbVersion the version of Plumb that computed it
   * @param data name of the table
   * @param leaks names of the features that determine a target exactly
   */
  public static void writeJson(CrossValidationResult result, String plumbVersion, String data, List<String> leaks, OutputStream out)
      throws IOException {
    CrossValidationSpec spec = result.spec();
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", plumbVersion);
      json.writeStringField("data", data);
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", result.device().kind().key());
      json.writeStringField("name", result.device().name());
      json.writeEndObject();
      json.writeStringField("precision", spec.config().precision().key());
      json.writeNumberField("rows", result.table().rows());
      json.writeNumberField("droppedRows", result.droppedRows());
      json.writeNumberField("folds", spec.folds().folds());
      json.writeBooleanField("stratified", result.isStratified());
      json.writeStringField("group", spec.folds().group().orElse(null));
      json.writeStringField("time", spec.folds().time().orElse(null));
      json.writeNumberField("repeats", spec.folds().repeats());
      json.writeNumberField("seed", spec.config().seed());
      json.writeNumberField("foldSeed", spec.foldSeed());
      json.writeNumberField("seeds", spec.seeds());
      json.writeNumberField("diverged", result.diverged());
      strings("features", spec.config().columns().features(), json);
      strings("leaks", leaks, json);
      json.writeObjectFieldStart("scores");
      for (Metric metric : result.metrics()) {
        Summary summary = result.summary(metric);
        json.writeObjectFieldStart(metric.jsonKey());
        json.writeNumberField("count", summary.count());
        number(json, "mean", summary.mean());
        number(json, "sd", summary.deviation());
        number(json, "low", summary.low());
        number(json, "high", summary.high());
        if (metric != Metric.LOSS) {
          number(json, ScoreTable.BASELINE, result.baseline(metric));
        }
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeArrayFieldStart("runs");
      for (FoldResult run : result.results()) {
        write(run, result.metrics(), json);
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  private static void strings(String key, List<String> values, JsonGenerator json) throws IOException {
    json.writeArrayFieldStart(key);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }

  private static void write(FoldResult run, List<Metric> metrics, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeNumberField("repeat", run.repeat());
    json.writeNumberField("fold", run.number());
    json.writeNumberField("seed", run.seed());
    json.writeNumberField("trainingRows", run.trainingSize() - run.validationRows());
    json.writeNumberField("validationRows", run.validationRows());
    json.writeNumberField("testRows", run.testSize());
    json.writeStringField("end", run.end().key());
    json.writeNumberField("epochs", run.epochs());
    json.writeNumberField("bestEpoch", run.bestEpoch());
    json.writeObjectFieldStart("scores");
    for (Metric metric : metrics) {
      number(json, metric.jsonKey(), run.score(metric));
    }
    json.writeEndObject();
    number(json, "trainSeconds", run.seconds());
    json.writeEndObject();
  }

  /** Writes the out-of-fold predictions as CSV: one line for each repeat, seed and test row, sorted in this order. */
  public static void writeCsv(CrossValidationResult result, OutputStream out) throws IOException {
    List<String> targets = result.targetNames();
    StringBuilder line = new StringBuilder("row,fold,repeat,seed");
    for (String target : targets) {
      String suffix = targets.size() == 1 ? "" : "_" + target;
      line.append(',').append(CsvField.of("truth" + suffix)).append(',').append(CsvField.of("prediction" + suffix));
    }
    result.classNames().forEach(name -> line.append(',').append(CsvField.of("probability_" + name)));
    flush(line, out);
    for (int repeat = 1; repeat <= result.repeats(); repeat++) {
      for (int index = 0; index < result.seeds(); index++) {
        write(result, repeat, result.spec().config().seed() + index, out);
      }
    }
  }

  /**
   * A predicted row.
   *
   * @param row in the table of the result
   * @param index in the predictions of the fold
   */
  private record Predicted(int row, int index, FoldResult run) {}

  private static void write(CrossValidationResult result, int repeat, long seed, OutputStream out) throws IOException {
    List<Predicted> rows = result.results().stream().filter(run -> run.repeat() == repeat && run.seed() == seed)
        .flatMap(run -> IntStream.range(0, run.testSize()).mapToObj(i -> new Predicted(run.fold().test()[i], i, run)))
        .sorted(Comparator.comparingInt(Predicted::row)).toList();
    List<Column> targets = result.targetNames().stream().map(result.table()::column).toList();
    StringBuilder line = new StringBuilder();
    for (Predicted row : rows) {
      line.append(result.table().sourceRow(row.row())).append(',').append(row.run().number()).append(',').append(repeat)
          .append(',').append(seed);
      Predictions predictions = row.run().predictions().filter(all -> all.isFinite(row.index())).orElse(null);
      if (result.classNames().isEmpty()) {
        for (int target = 0; target < targets.size(); target++) {
          line.append(',').append(targets.get(target).number(row.row()))
              .append(',').append(predictions == null ? "" : predictions.number(row.index(), target));
        }
      } else {
        line.append(',').append(CsvField.of(targets.get(0).text(row.row())))
            .append(',').append(predictions == null ? "" : CsvField.of(predictions.className(row.index())));
        for (int c = 0; c < result.classNames().size(); c++) {
          line.append(',').append(predictions == null ? "" : predictions.probability(row.index(), c));
        }
      }
      flush(line, out);
    }
  }

  private static void flush(StringBuilder line, OutputStream out) throws IOException {
    out.write(line.append('\n').toString().getBytes(StandardCharsets.UTF_8));
    line.setLength(0);
  }
}
