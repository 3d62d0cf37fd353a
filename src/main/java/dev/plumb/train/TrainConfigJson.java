package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.filter.FilteringGeneratorDelegate;
import com.fasterxml.jackson.core.filter.TokenFilter;
import dev.plumb.data.ClassWeights;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Task;
import dev.plumb.data.TextFormat;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** The JSON form of a {@link TrainConfig}. Keys that are absent have the value of {@link TrainConfig#DEFAULT}. */
public final class TrainConfigJson {
  /** The keys of a configuration. */
  public static final Set<String> KEYS = lines(TrainConfig.DEFAULT).keySet();
  /** The keys of a configuration that are about the table. */
  public static final Set<String> DATA_KEYS = Set.of("delimiter", "header", "naValues", "targets", "features", "exclude", "categorical",
      "task", "standardize", "missing", "validation", "splitSeed", "weight", "classWeights");

  private TrainConfigJson() {}

  /**
   * Reads a configuration file.
   *
   * @throws InvalidInputException when a value is wrong; the message says in which file and where, and what would be right
   */
  public static TrainConfig read(Path file) {
    try {
      return readAll(JsonInput.read(file));
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
    return readAll(JsonInput.parse(json.getBytes(StandardCharsets.UTF_8)));
  }

  private static TrainConfig readAll(JsonObject json) {
    json.allowOnly(KEYS);
    return read(json, TrainConfig.DEFAULT);
  }

  /**
   * Reads the keys of a configuration from an object that may have others.
   *
   * @param defaults the values of the keys that are absent
   * @throws InvalidInputException when a value is wrong; the message says where, and what would be right
   */
  public static TrainConfig read(JsonObject json, TrainConfig defaults) {
    TrainConfig.Changes config = new TrainConfig.Changes(defaults);
    config.format = format(json, config.format);
    config.columns = columns(json, config.columns);
    automaticOr(json, "validation", Automatic.VALIDATION, config, () -> config.validation(json.number("validation")));
    config.hidden = json.has("layers") ? json.integers("layers") : config.hidden;
    config.activation = json.has("activation") ? json.parsed("activation", Activation::of) : config.activation;
    config.normalization = json.has("normalization") ? json.parsed("normalization", Normalization::of) : config.normalization;
    config.residual = json.has("residual") ? json.flag("residual") : config.residual;
    config.initializer = json.has("initializer") ? json.parsed("initializer", Initializer::of) : config.initializer;
    config.loss = json.has("loss") ? Optional.of(json.parsed("loss", Loss::of)) : config.loss;
    config.weights = new RowWeights(json.has("weight") ? Optional.of(json.text("weight")) : config.weights.column(),
        json.has("classWeights") ? Optional.of(classWeights(json)) : config.weights.classes());
    if (json.has("optimizer")) {
      JsonObject optimizer = json.object("optimizer");
      config.optimizer(OptimizerJson.readAutomatic(optimizer));
      if (OptimizerJson.hasAutomaticDecay(optimizer)) {
        config.automatic(Automatic.WEIGHT_DECAY);
      }
    }
    config.learningRate = json.number("learningRate", config.learningRate);
    config.schedule = json.has("schedule") ? ScheduleJson.read(json.object("schedule")) : config.schedule;
    config.warmUpEpochs = json.integer("warmUpEpochs", config.warmUpEpochs);
    automaticOr(json, "epochs", Automatic.EPOCHS, config, () -> config.epochs(json.integer("epochs")));
    config.batchSize = batchSize(json, config.batchSize);
    config.shuffle = json.has("shuffle") ? json.flag("shuffle") : config.shuffle;
    config.clipNorm = json.has("clipNorm") ? OptionalDouble.of(json.number("clipNorm")) : config.clipNorm;
    automaticOr(json, "dropout", Automatic.DROPOUT, config, () -> config.dropout(json.number("dropout")));
    automaticOr(json, "earlyStopping", Automatic.EARLY_STOPPING, config,
        () -> config.earlyStopping(json.integer("earlyStopping")));
    config.watch = json.has("watch") ? json.parsed("watch", Metric::of) : config.watch;
    config.calibrate = json.has("calibrate") ? json.flag("calibrate") : config.calibrate;
    config.precision = json.has("precision") ? json.parsed("precision", Precision::of) : config.precision;
    config.seed = json.has("seed") ? json.longInteger("seed") : config.seed;
    config.splitSeed = json.has("splitSeed") ? OptionalLong.of(json.longInteger("splitSeed")) : config.splitSeed;
    return json.at(config::config);
  }

  /** Makes a value automatic if its text says so, or sets it if the key is present. */
  private static void automaticOr(JsonObject json, String key, Automatic value, TrainConfig.Changes config, Runnable set) {
    if (json.isText(key) && json.text(key).equals(Automatic.WORD)) {
      config.automatic(value);
    } else if (json.has(key)) {
      set.run();
    }
  }

  private static EncodingOptions columns(JsonObject json, EncodingOptions defaults) {
    List<String> targets = json.has("targets") ? json.texts("targets") : defaults.targets();
    List<String> features = json.has("features") ? json.texts("features") : defaults.features();
    List<String> excluded = json.has("exclude") ? json.texts("exclude") : defaults.excluded();
    List<String> categorical = json.has("categorical") ? json.texts("categorical") : defaults.categorical();
    Optional<Task> task = json.has("task")
        ? Optional.of(json.parsed("task", word -> NamedEnum.parse(Task.class, "task", word))) : defaults.task();
    boolean standardize = json.has("standardize") ? json.flag("standardize") : defaults.standardize();
    Missing missing = json.has("missing")
        ? json.parsed("missing", word -> NamedEnum.parse(Missing.class, "treatment of missing values", word))
        : defaults.missing();
    EncodingOptions columns =
        json.at("targets", () -> new EncodingOptions(targets, features, List.of(), categorical, task, standardize, missing));
    return json.at(json.has("exclude") ? "exclude" : "targets", () -> columns.withExcluded(excluded.toArray(String[]::new)));
  }

  /** Reads weights of classes: the word balanced, or an object with a number per class. */
  private static ClassWeights classWeights(JsonObject json) {
    if (json.isText("classWeights")) {
      return json.parsed("classWeights", word -> ClassWeights.parse(List.of(word)));
    }
    JsonObject weights = json.object("classWeights");
    if (weights.keys().isEmpty()) {
      throw json.fault("classWeights", "is empty; name a class and its weight, use \"" + ClassWeights.BALANCED_KEY
          + "\", or omit the key");
    }
    SortedMap<String, Double> byName = new TreeMap<>();
    weights.keys().forEach(name -> byName.put(name, weights.number(name)));
    return weights.at(() -> new ClassWeights(byName));
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

  /** Returns the keys whose value differs from {@link TrainConfig#DEFAULT}, as one line of JSON that {@link #parse} reads. */
  public static String difference(TrainConfig config) {
    Map<String, String> defaults = lines(TrainConfig.DEFAULT);
    Map<String, String> values = lines(config);
    TokenFilter changed = new TokenFilter() {
      @Override
      public TokenFilter includeProperty(String key) {
        return values.get(key).equals(defaults.get(key)) ? null : INCLUDE_ALL;
      }

      @Override
      public boolean includeEmptyObject(boolean filtered) {
        return true;
      }
    };
    try {
      return new String(JsonOutput.compact(json -> {
        JsonGenerator filtered = new FilteringGeneratorDelegate(json, changed, TokenFilter.Inclusion.INCLUDE_ALL_AND_PATH, true);
        filtered.writeStartObject();
        fields(config, filtered);
        filtered.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
  public static void fields(TrainConfig config, JsonGenerator json) throws IOException {
    json.writeStringField("delimiter", config.format().delimiter().map(String::valueOf).orElse(null));
    json.writePOJOField("header", config.format().header().orElse(null));
    if (config.format().naValues().isPresent()) {
      texts(json, "naValues", config.format().naValues().get());
    } else {
      json.writeNullField("naValues");
    }
    texts(json, "targets", config.columns().targets());
    texts(json, "features", config.columns().features());
    texts(json, "exclude", config.columns().excluded());
    texts(json, "categorical", config.columns().categorical());
    json.writeStringField("task", config.columns().task().map(NamedEnum::key).orElse(null));
    json.writeBooleanField("standardize", config.columns().standardize());
    json.writeStringField("missing", config.columns().missing().key());
    automaticOr(json, "validation", config.automatic().contains(Automatic.VALIDATION), config.validation());
    json.writeArrayFieldStart("layers");
    for (int units : config.hidden()) {
      json.writeNumber(units);
    }
    json.writeEndArray();
    json.writeStringField("activation", config.activation().key());
    json.writeStringField("normalization", config.normalization().key());
    json.writeBooleanField("residual", config.residual());
    json.writeStringField("initializer", config.initializer().key());
    json.writeStringField("loss", config.loss().map(NamedEnum::key).orElse(null));
    json.writeStringField("weight", config.weights().column().orElse(null));
    if (config.weights().classes().filter(classes -> !classes.byName().isEmpty()).isPresent()) {
      json.writeObjectFieldStart("classWeights");
      for (Map.Entry<String, Double> entry : config.weights().classes().get().byName().entrySet()) {
        JsonOutput.number(json, entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
    } else {
      json.writeStringField("classWeights", config.weights().classes().map(balanced -> ClassWeights.BALANCED_KEY).orElse(null));
    }
    TrainingSpec training = config.trainer().training();
    OptimizerJson.write(json, "optimizer", training.optimizer(), config.automatic().contains(Automatic.WEIGHT_DECAY));
    JsonOutput.number(json, "learningRate", training.learningRate());
    ScheduleJson.write(json, "schedule", config.trainer().schedule());
    json.writeNumberField("warmUpEpochs", config.trainer().warmUpEpochs());
    automaticOr(json, "epochs", config.automatic().contains(Automatic.EPOCHS), training.epochs());
    json.writePOJOField("batchSize", training.batchSize().isPresent() ? training.batchSize().getAsInt() : null);
    json.writeBooleanField("shuffle", config.trainer().shuffle());
    JsonOutput.number(json, "clipNorm", training.clipNorm().orElse(Double.NaN));
    automaticOr(json, "dropout", config.automatic().contains(Automatic.DROPOUT),
        training.dropout().map(Dropout::probability).orElse(0.0));
    automaticOr(json, "earlyStopping", config.automatic().contains(Automatic.EARLY_STOPPING), config.trainer().patience());
    json.writeStringField("watch", config.trainer().watch().key());
    json.writeBooleanField("calibrate", config.calibrate());
    json.writeStringField("precision", config.precision().key());
    json.writeNumberField("seed", config.seed());
    json.writePOJOField("splitSeed", config.splitSeed().isPresent() ? config.splitSeed().getAsLong() : null);
  }

  /** Writes an integer, or the word for an automatic value. */
  private static void automaticOr(JsonGenerator json, String key, boolean automatic, int value) throws IOException {
    if (automatic) {
      json.writeStringField(key, Automatic.WORD);
    } else {
      json.writeNumberField(key, value);
    }
  }

  /** Writes a number, or the word for an automatic value. */
  static void automaticOr(JsonGenerator json, String key, boolean automatic, double value) throws IOException {
    if (automatic) {
      json.writeStringField(key, Automatic.WORD);
    } else {
      JsonOutput.number(json, key, value);
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
