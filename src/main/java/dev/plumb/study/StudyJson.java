package dev.plumb.study;

import static dev.plumb.json.JsonOutput.number;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Machine-readable output of a study as JSON. Numbers that are not finite are null. */
public final class StudyJson {
  private StudyJson() {}

  /**
   * Writes the result.
   *
   * @param plumbVersion the version of Plumb that computed it
   */
  public static void write(StudyResult result, String plumbVersion, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", plumbVersion);
      json.writeStringField("study", result.spec().name());
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", result.device().kind().key());
      json.writeStringField("name", result.device().name());
      json.writeEndObject();
      json.writeStringField("precision", result.spec().training().precision().key());
      number(json, "setupSeconds", result.setupSeconds());
      json.writeArrayFieldStart("runs");
      for (StudyRun run : result.runs()) {
        write(run, result.spec().lossAtEpochs(), json);
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  private static void write(StudyRun run, List<Integer> lossAtEpochs, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", run.name());
    json.writeArrayFieldStart("layers");
    for (int width : run.network().widths()) {
      json.writeNumber(width);
    }
    json.writeEndArray();
    json.writeStringField("activation", run.network().activation().key());
    json.writeNumberField("seed", run.seed());
    json.writeObjectFieldStart("lossAtEpoch");
    for (int epoch : lossAtEpochs) {
      number(json, Integer.toString(epoch), run.lossAtEpoch().get(epoch));
    }
    json.writeEndObject();
    number(json, "finalLoss", run.finalLoss());
    JsonOutput.numbers(json, "gradNormPerLayer", run.gradNormPerLayer());
    number(json, "gradNormFirst", run.gradNormFirst());
    number(json, "gradNormLast", run.gradNormLast().orElse(Double.NaN));
    number(json, "trainSeconds", run.trainSeconds());
    if (run.divergedAtEpoch().isPresent()) {
      json.writeNumberField("divergedAtEpoch", run.divergedAtEpoch().getAsInt());
    }
    json.writeEndObject();
  }
}
