package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The origin of a model: everything needed to train it again, and to check whether the result can be the same.
 *
 * @param plumb the version of Plumb
 * @param device the device of the training
 * @param command the arguments after {@code plumb}
 * @param folder the working directory, which relative paths of the command refer to
 * @param data the files that were read
 * @param config the configuration, with all names and the task filled in
 * @param numerics the numerics of the training, one per change of device or version, in order; empty if they are not known
 */
public record Manifest(String plumb, DeviceInfo device, List<String> command, String folder, List<DataFile> data,
    TrainConfig config, List<Numerics> numerics) {

  public Manifest {
    command = List.copyOf(command);
    data = List.copyOf(data);
    numerics = List.copyOf(numerics);
  }

  /** Returns the entries for a model file. They contain no times, so that equal trainings give equal files. */
  public SortedMap<String, String> texts() {
    SortedMap<String, String> texts = new TreeMap<>();
    texts.put("plumb", plumb);
    texts.put("java", java());
    texts.put("system", system());
    texts.put("device", device.kind().key() + " (" + device.name() + ")");
    texts.put("precision", config.precision().key());
    texts.put("seed", Long.toString(config.seed()));
    texts.put("command", commandLine());
    for (DataFile file : data) {
      texts.put(file.role() + ".path", file.path());
      texts.put(file.role() + ".sha256", file.sha256());
    }
    for (int i = 0; i < numerics.size(); i++) {
      boolean last = i == numerics.size() - 1;
      texts.put(last ? "numerics" : "numerics.earlier." + (i + 1), numerics.get(i).text().replace("\n", "; "));
    }
    texts.put("config", TrainConfigJson.text(config).replaceAll("\\s*\n\\s*", " ").strip());
    return texts;
  }

  /** Returns the command, quoted for a shell. */
  public String commandLine() {
    return "plumb" + command.stream().map(argument -> " " + shellQuoted(argument)).collect(Collectors.joining());
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
      json.writeStringField("plumb", plumb);
      json.writeStringField("java", java());
      json.writeStringField("system", system());
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", device.kind().key());
      json.writeStringField("name", device.name());
      json.writeEndObject();
      json.writeStringField("precision", config.precision().key());
      json.writeNumberField("seed", config.seed());
      if (!numerics.isEmpty()) {
        json.writeFieldName("numerics");
        write(numerics.get(numerics.size() - 1), json);
      }
      if (numerics.size() > 1) {
        json.writeArrayFieldStart("earlierNumerics");
        for (Numerics earlier : numerics.subList(0, numerics.size() - 1)) {
          write(earlier, json);
        }
        json.writeEndArray();
      }
      json.writeStringField("command", commandLine());
      json.writeStringField("folder", folder);
      json.writeArrayFieldStart("data");
      for (DataFile file : data) {
        json.writeStartObject();
        json.writeStringField("role", file.role());
        json.writeStringField("path", file.path());
        json.writeStringField("sha256", file.sha256());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeObjectFieldStart("config");
      TrainConfigJson.fields(config, json);
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
