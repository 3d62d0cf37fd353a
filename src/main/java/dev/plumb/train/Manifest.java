package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The origin of a model: everything needed to train it again, and to check whether the result can be the same.
 *
 * @param run the metadata of the run
 * @param device the device of the training
 */
public record Manifest(RunMetadata run, DeviceInfo device) {
  /** Returns the entries for a model file. They contain no times, so that equal trainings give equal files. */
  public SortedMap<String, String> texts() {
    SortedMap<String, String> texts = new TreeMap<>();
    texts.put("plumb", run.plumb());
    texts.put("java", java());
    texts.put("system", system());
    texts.put("device", device.kind().key() + " (" + device.name() + ")");
    texts.put("precision", run.config().precision().key());
    texts.put("seed", Long.toString(run.config().seed()));
    texts.put("command", commandLine());
    for (DataFile file : run.data()) {
      texts.put(file.role() + ".path", file.path());
      texts.put(file.role() + ".sha256", file.sha256());
    }
    int changes = run.numerics().size() - 1;
    for (int i = 0; i <= changes; i++) {
      texts.put(i == changes ? "numerics" : "numerics.earlier." + (i + 1), run.numerics().get(i).text().replace("\n", "; "));
    }
    texts.put("config", TrainConfigJson.text(run.config()).replaceAll("\\s*\n\\s*", " ").strip());
    return texts;
  }

  /** Returns the command, quoted for a shell. */
  private String commandLine() {
    return "plumb train" + run.command().stream().map(argument -> " " + shellQuoted(argument)).collect(Collectors.joining());
  }

  /** Returns an argument in single quotes for a shell, or unchanged if it needs none. */
  public static String shellQuoted(String argument) {
    return argument.matches("[A-Za-z0-9_@%+=:,./-]+") ? argument : "'" + argument.replace("'", "'\\''") + "'";
  }

  /**
   * Writes the manifest as JSON.
   *
   * @param result the results of the training by name; numbers that are not finite become null
   */
  public void write(OutputStream out, SortedMap<String, Object> result) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", run.plumb());
      json.writeStringField("java", java());
      json.writeStringField("system", system());
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", device.kind().key());
      json.writeStringField("name", device.name());
      json.writeEndObject();
      json.writeStringField("precision", run.config().precision().key());
      json.writeNumberField("seed", run.config().seed());
      int changes = run.numerics().size() - 1;
      if (changes >= 0) {
        json.writeFieldName("numerics");
        write(run.numerics().get(changes), json);
      }
      if (changes > 0) {
        json.writeArrayFieldStart("earlierNumerics");
        for (Numerics earlier : run.numerics().subList(0, changes)) {
          write(earlier, json);
        }
        json.writeEndArray();
      }
      json.writeStringField("command", commandLine());
      json.writeStringField("folder", run.folder());
      DataFile.write(run.data(), json);
      json.writeObjectFieldStart("config");
      TrainConfigJson.fields(run.config(), json);
      json.writeEndObject();
      json.writeObjectFieldStart("result");
      for (var entry : result.entrySet()) {
        if (entry.getValue() instanceof Double number) {
          JsonOutput.number(json, entry.getKey(), number);
        } else if (entry.getValue() instanceof Integer whole) {
          json.writeNumberField(entry.getKey(), whole);
        } else {
          json.writeStringField(entry.getKey(), entry.getValue().toString());
        }
      }
      json.writeEndObject();
      json.writeEndObject();
    });
  }

  private static void write(Numerics numerics, JsonGenerator json) throws IOException {
    json.writeStartObject();
    for (var entry : numerics.entries().entrySet()) {
      json.writeStringField(entry.getKey(), entry.getValue());
    }
    json.writeEndObject();
  }

  private static String java() {
    return System.getProperty("java.version");
  }

  private static String system() {
    return System.getProperty("os.name") + " " + System.getProperty("os.arch");
  }
}
