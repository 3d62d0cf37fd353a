package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonOutput;
import dev.plumb.train.DataFile;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/** Writer of runs and their comparison as JSON. Streams are left open. */
public final class RunOutput {
  private RunOutput() {}

  /** Writes a list of runs. */
  public static void write(RunList list, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeArrayFieldStart("runs");
      for (RunList.Entry entry : list.entries()) {
        json.writeStartObject();
        json.writeStringField("name", entry.name());
        json.writeStringField("folder", entry.folder().toString());
        if (entry.run().isPresent()) {
          fields(entry.run().get(), json);
        } else {
          json.writeStringField("status", "damaged");
          json.writeStringField("problem", entry.problem().orElse(null));
        }
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  /** Writes a comparison. */
  public static void write(RunComparison comparison, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeArrayFieldStart("warnings");
      for (String warning : comparison.warnings()) {
        json.writeString(warning);
      }
      json.writeEndArray();
      json.writeArrayFieldStart("differences");
      for (RunComparison.Difference difference : comparison.differences()) {
        json.writeStartObject();
        json.writeStringField("key", difference.key());
        json.writeArrayFieldStart("values");
        for (String value : difference.json()) {
          json.writeRawValue(value);
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeArrayFieldStart("runs");
      for (int i = 0; i < comparison.runs().size(); i++) {
        RunRecord run = comparison.runs().get(i);
        json.writeStartObject();
        json.writeStringField("name", comparison.names().get(i));
        json.writeStringField("folder", run.folder().toString());
        fields(run, json);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  private static void fields(RunRecord run, JsonGenerator json) throws IOException {
    json.writeStringField("status", run.status().key());
    json.writeStringField("changed", run.changed().toString());
    json.writeStringField("plumb", run.plumb());
    json.writeStringField("device", run.device());
    json.writeStringField("task", run.task().key());
    json.writeStringField("network", run.network());
    json.writePOJOField("parameters", run.parameters().isPresent() ? run.parameters().getAsInt() : null);
    DataFile.write(run.data(), json);
    json.writeNumberField("epochs", run.history().size());
    json.writeNumberField("maxEpochs", run.config().trainer().training().epochs());
    json.writeNumberField("bestEpoch", run.bestEpoch());
    JsonOutput.number(json, "seconds", run.seconds());
    json.writeStringField("mainMetric", Metric.main(run.task()).jsonKey());
    scores(RunScore.of(run), json);
  }

  private static void scores(List<RunScore> scores, JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("scores");
    for (RunScore score : scores) {
      json.writeStartObject();
      json.writeStringField("rows", score.rows());
      for (Map.Entry<Metric, Double> value : score.values().entrySet()) {
        JsonOutput.number(json, value.getKey().jsonKey(), value.getValue());
      }
      JsonOutput.number(json, "low", score.low());
      JsonOutput.number(json, "high", score.high());
      JsonOutput.number(json, "baseline", score.baseline());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
