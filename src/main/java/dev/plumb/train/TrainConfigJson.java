package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** The JSON form of a {@link TrainConfig}. Keys that are absent have the value of {@link TrainConfig#DEFAULT}. */
public final class TrainConfigJson {
  private static final Set<String> KEYS = new TreeSet<>(List.of("delimiter", "header",
      "naValues", "targets", "features", "categorical", "task", "standardize", "missing",
      "validation", "layers", "activation", "initializer", "loss", "optimizer", "learningRate", "schedule", "warmUpEpochs",
      "epochs", "batchSize", "shuffle", "clipNorm", "dropout", "earlyStopping", "precision", "seed"));

  private TrainConfigJson() {}

  /**
   * Reads a configuration file.
   *
   * @throws InvalidInputException when a value is wrong; the message says in which file and where, and what would be right
   */
  public static TrainConfig read(Path file) {
    try {
      return read(JsonInput.read(file));
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  /**
   * Parses a configuration.
   *
   * @throws InvalidInputException when a value is wrong; the message says where, and what would be right
   */
  public static TrainConfig parse(String json) {
    return read(JsonInput.parse(json.getBytes(StandardCharsets.UTF_8)));
  }

  private static TrainConfig read(JsonObject json) {
    json.allowOnly(KEYS);
    TrainConfig defaults = TrainConfig.DEFAULT;
    TextFormat format = format(json, defaults.format());
    List<String> targets = json.has("targets") ? json.texts("targets") : defaults.columns().targets();
    List<String> features = json.has("features") ? json.texts("features") : defaults.columns().features();
    List<String> categorical = json.has("categorical") ? json.texts("categorical") : defaults.columns().categorical();
    Optional<Task> task = json.has("task")
        ? Optional.of(json.parsed("task", word -> NamedEnum.parse(Task.class, "task", word))) : defaults.columns().task();
    boolean standardize = json.has("standardize") ? json.flag("standardize") : defaults.columns().standardize();
    Missing missing = json.has("missing")
        ? json.parsed("missing", word -> NamedEnum.parse(Missing.class, "treatment of missing values", word))
        : defaults.columns().missing();
    EncodingOptions columns = json.at("targets",
        () -> new EncodingOptions(targets, features, categorical, task, standardize, missing));
    double validation = json.number("validation", defaults.validation());
    List<Integer> hidden = json.has("layers") ? json.integers("layers") : defaults.hidden();
    Activation activation = json.has("activation") ? json.parsed("activation", Activation::of) : defaults.activation();
    Initializer initializer = json.has("initializer") ? json.parsed("initializer", Initializer::of) : defaults.initializer();
    Optional<Loss> loss = json.has("loss") ? Optional.of(json.parsed("loss", Loss::of)) : defaults.loss();
    OptimizerSpec optimizer = json.has("optimizer") ? OptimizerJson.read(json.object("optimizer")) : defaults.optimizer();
    double learningRate = json.number("learningRate", defaults.learningRate());
    Schedule schedule = json.has("schedule") ? ScheduleJson.read(json.object("schedule")) : defaults.schedule();
    int warmUpEpochs = json.integer("warmUpEpochs", defaults.warmUpEpochs());
    int epochs = json.integer("epochs", defaults.epochs());
    OptionalInt batchSize = batchSize(json, defaults.batchSize());
    boolean shuffle = json.has("shuffle") ? json.flag("shuffle") : defaults.shuffle();
    OptionalDouble clipNorm = json.has("clipNorm") ? OptionalDouble.of(json.number("clipNorm")) : defaults.clipNorm();
    double dropout = json.number("dropout", defaults.dropout());
    int earlyStopping = json.integer("earlyStopping", defaults.earlyStopping());
    Precision precision = json.has("precision") ? json.parsed("precision", Precision::of) : defaults.precision();
    long seed = json.has("seed") ? json.longInteger("seed") : defaults.seed();
    return json.at(() -> new TrainConfig(format, columns, validation, hidden, activation, initializer, loss, optimizer,
        learningRate, schedule, warmUpEpochs, epochs, batchSize, shuffle, clipNorm, dropout, earlyStopping, precision, seed));
  }

  private static TextFormat format(JsonObject json, TextFormat defaults) {
    TextFormat format = defaults;
    if (json.has("delimiter")) {
      char delimiter = json.parsed("delimiter", TextFormat::parseDelimiter);
      format = format.withDelimiter(delimiter);
    }
    if (json.has("header")) {
      format = format.withHeader(json.flag("header"));
    }
    return json.has("naValues") ? format.withNaValues(json.texts("naValues")) : format;
  }

  /** Reads the batch size: null means all rows, an absent key the default. */
  private static OptionalInt batchSize(JsonObject json, OptionalInt defaults) {
    if (json.has("batchSize")) {
      return OptionalInt.of(json.integer("batchSize"));
    }
    return json.keys().contains("batchSize") ? OptionalInt.empty() : defaults;
  }

  /** Writes a configuration with every key; an empty value is null. */
  public static void write(TrainConfig config, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      fields(config, json);
      json.writeEndObject();
    });
  }

  /** Returns the JSON text of each value by key. */
  public static SortedMap<String, String> lines(TrainConfig config) {
    SortedMap<String, String> lines = new TreeMap<>();
    String key = null;
    // A line with one level of indentation begins a key; deeper lines belong to it.
    for (String line : text(config).lines().toList()) {
      if (line.startsWith("  \"")) {
        int colon = line.indexOf("\": ");
        key = line.substring(3, colon);
        lines.put(key, line.substring(colon + 3));
      } else if (key != null && line.startsWith("  ")) {
        lines.merge(key, line.strip(), (before, more) -> before + " " + more);
      }
    }
    lines.replaceAll((name, value) -> value.replaceFirst(",$", ""));
    return lines;
  }

  /** Returns the JSON document. */
  public static String text(TrainConfig config) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      write(config, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Writes the keys and values into the current object. */
  static void fields(TrainConfig config, JsonGenerator json) throws IOException {
    text(json, "delimiter", config.format().delimiter().map(String::valueOf).orElse(null));
    json.writeFieldName("header");
    if (config.format().header().isPresent()) {
      json.writeBoolean(config.format().header().get());
    } else {
      json.writeNull();
    }
    if (config.format().naValues().isPresent()) {
      texts(json, "naValues", config.format().naValues().get());
    } else {
      json.writeNullField("naValues");
    }
    texts(json, "targets", config.columns().targets());
    texts(json, "features", config.columns().features());
    texts(json, "categorical", config.columns().categorical());
    text(json, "task", config.columns().task().map(NamedEnum::key).orElse(null));
    json.writeBooleanField("standardize", config.columns().standardize());
    text(json, "missing", config.columns().missing().key());
    JsonOutput.number(json, "validation", config.validation());
    json.writeArrayFieldStart("layers");
    for (int units : config.hidden()) {
      json.writeNumber(units);
    }
    json.writeEndArray();
    text(json, "activation", config.activation().key());
    text(json, "initializer", config.initializer().key());
    text(json, "loss", config.loss().map(NamedEnum::key).orElse(null));
    OptimizerJson.write(json, "optimizer", config.optimizer());
    JsonOutput.number(json, "learningRate", config.learningRate());
    ScheduleJson.write(json, "schedule", config.schedule());
    json.writeNumberField("warmUpEpochs", config.warmUpEpochs());
    json.writeNumberField("epochs", config.epochs());
    json.writeFieldName("batchSize");
    if (config.batchSize().isPresent()) {
      json.writeNumber(config.batchSize().getAsInt());
    } else {
      json.writeNull();
    }
    json.writeBooleanField("shuffle", config.shuffle());
    JsonOutput.number(json, "clipNorm", config.clipNorm().orElse(Double.NaN));
    JsonOutput.number(json, "dropout", config.dropout());
    json.writeNumberField("earlyStopping", config.earlyStopping());
    text(json, "precision", config.precision().key());
    json.writeNumberField("seed", config.seed());
  }

  private static void text(JsonGenerator json, String key, String text) throws IOException {
    json.writeFieldName(key);
    if (text == null) {
      json.writeNull();
    } else {
      json.writeString(text);
    }
  }

  private static void texts(JsonGenerator json, String key, List<String> texts) throws IOException {
    json.writeArrayFieldStart(key);
    for (String text : texts) {
      json.writeString(text);
    }
    json.writeEndArray();
  }
}
