package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonOutput;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.io.OutputStream;

/** Machine-readable output of a hyperparameter search. Numbers that are not finite are null. */
public final class TuningOutput {
  private TuningOutput() {}

  /**
   * Writes JSON: the ladder, all candidates in the order of {@link TuningResult#standings}, and the configuration of the winner.
   *
   * @param plumbVersion the version of Plumb that computed it
   * @param data name of the table
   * @param command command line that trains the winner
   */
  public static void writeJson(TuningResult result, String plumbVersion, String data, String command, OutputStream out)
      throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", plumbVersion);
      json.writeStringField("data", data);
      json.writeStringField("metric", result.metric().jsonKey());
      json.writeNumberField("seed", result.spec().config().seed());
      json.writeNumberField("trials", result.spec().trials());
      json.writeNumberField("baseCandidates", result.baseCandidates());
      json.writeNumberField("folds", result.folds());
      json.writeNumberField("networks", result.trials().size());
      json.writeNumberField("epochs", result.epochs());
      JsonOutput.number(json, "seconds", result.seconds());
      json.writeArrayFieldStart("rungs");
      for (TuningResult.Rung rung : result.ladder()) {
        json.writeStartObject();
        json.writeNumberField("epochs", rung.epochs());
        json.writeNumberField("candidates", rung.candidates());
        JsonOutput.number(json, "best", rung.best());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeArrayFieldStart("candidates");
      for (TuningResult.Standing standing : result.standings()) {
        json.writeStartObject();
        json.writeNumberField("candidate", standing.candidate());
        json.writeNumberField("bestRung", standing.rung() + 1);
        json.writeNumberField("lastRung", standing.lastRung() + 1);
        Summary score = result.score(standing);
        json.writeNumberField("otherSeeds", standing.otherSeeds());
        json.writeNumberField("count", score.count());
        JsonOutput.number(json, "mean", score.mean());
        JsonOutput.number(json, "sd", score.deviation());
        JsonOutput.number(json, "low", score.low());
        JsonOutput.number(json, "high", score.high());
        config(json, result.candidates().get(standing.candidate()));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeObjectFieldStart("winner");
      json.writeNumberField("candidate", result.standings().get(0).candidate());
      json.writeStringField("command", command);
      config(json, result.winner());
      json.writeEndObject();
      json.writeEndObject();
    });
  }

  private static void config(JsonGenerator json, TrainConfig config) throws IOException {
    json.writeObjectFieldStart("config");
    TrainConfigJson.fields(config, json);
    json.writeEndObject();
  }
}
