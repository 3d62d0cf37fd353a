package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Activation;
import dev.plumb.model.Excerpt;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.DataFile;
import dev.plumb.train.DataView;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The configuration of a study on a table: networks or a grid, or else the one network of the configuration.
 *
 * @param file the path of the table
 * @param labels the path of the labels of an IDX file
 * @param config everything that the networks share, as for {@code plumb train}
 * @param networks networks listed one by one
 * @param grid combinations to train in addition
 * @param seeds trials of each network, from consecutive seeds
 */
public record TableStudySpec(String name, String file, Optional<String> labels, TrainConfig config, List<Network> networks,
    Optional<Grid> grid, int seeds) {
  private static final String SOURCE = "table";
  private static final Set<String> STUDY_KEYS = Set.of("name", "data", "networks", "grid", "seeds");
  private static final Set<String> DATA_KEYS = Set.of("source", "file", "labels", "target");

  /**
   * A listed network.
   *
   * @param name the name in tables; empty for one made of the shape and the kind of the hidden layers
   * @param hidden number of units of each hidden layer
   * @param residual whether hidden layers with as many units as inputs add their input to their output
   */
  public record Network(Optional<String> name, List<Integer> hidden, Activation activation, Normalization normalization,
      boolean residual) {
    public Network {
      hidden = List.copyOf(hidden);
    }
  }

  public TableStudySpec {
    networks = List.copyOf(networks);
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
  }

  /** Returns the study of the one network of a configuration. */
  public static TableStudySpec of(String name, String file, TrainConfig config) {
    return new TableStudySpec(name, file, Optional.empty(), config, List.of(), Optional.empty(), 1);
  }

  /** Returns whether a text is the specification of a study on a table. */
  public static boolean isTable(String text) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    return json.has("data") && json.object("data").has("source") && json.object("data").text("source").equals(SOURCE);
  }

  /**
   * Reads a specification.
   *
   * @param givenFile the path of the table; empty for the one that the specification names
   * @param defaults the values of keys that are absent
   * @throws InvalidInputException naming the place and what would be right
   */
  public static TableStudySpec parse(String text, Optional<String> givenFile, TrainConfig defaults) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    json.allowOnly(union(STUDY_KEYS, TrainConfigJson.KEYS));
    TrainConfig config = TrainConfigJson.read(json, defaults);
    Optional<String> file = givenFile;
    Optional<String> labels = Optional.empty();
    if (json.has("data")) {
      JsonObject data = json.object("data");
      data.allowOnly(union(DATA_KEYS, TrainConfigJson.DATA_KEYS));
      if (data.has("source") && !data.text("source").equals(SOURCE)) {
        throw data.fault("source", "the source \"" + Excerpt.of(data.text("source")) + "\" has no table; it must be \"" + SOURCE
            + "\" for a study with --data");
      }
      config = TrainConfigJson.read(data, config);
      if (data.has("target")) {
        String target = data.text("target");
        TrainConfig from = config;
        config = data.at("target", () -> from.with(changes -> changes.columns(from.columns().withTargets(target))));
      }
      file = givenFile.isPresent() || !data.has("file") ? givenFile : Optional.of(data.text("file"));
      labels = data.has("labels") ? Optional.of(data.text("labels")) : labels;
      if (file.isEmpty()) {
        throw data.fault("file", "the key \"file\" is missing: the table to train on");
      }
    }
    if (config.calibrate()) {
      throw json.fault("calibrate", "a study compares networks without calibration; omit it, and calibrate by plumb train");
    }
    TrainConfig common = config;
    List<Network> networks = new ArrayList<>();
    for (JsonObject network : json.has("networks") ? json.objects("networks") : List.<JsonObject>of()) {
      networks.add(network(network, common));
    }
    if (json.has("networks") && networks.isEmpty()) {
      throw json.fault("networks", "is empty; at least one network is needed, or omit the key for the network of the configuration");
    }
    Optional<Grid> grid = json.has("grid") ? Optional.of(StudySpecReader.grid(json.object("grid"), common.activation(),
        common.normalization(), common.residual(), common.initializer(), common.trainer().training().learningRate()))
        : Optional.empty();
    int seeds = grid.filter(of -> json.object("grid").has("seeds")).map(Grid::seeds).orElseGet(() -> json.integer("seeds", 1));
    String path = file.orElseThrow();
    Optional<String> labelsPath = labels;
    return json.at(() -> new TableStudySpec(json.has("name") ? json.text("name") : "study", path, labelsPath, common, networks, grid,
        seeds));
  }

  private static Network network(JsonObject json, TrainConfig common) {
    json.allowOnly(StudySpecReader.NETWORK_KEYS);
    List<Integer> hidden = json.has("layers") ? json.integers("layers") : common.hidden();
    json.at("layers", () -> common.with(changes -> changes.hidden(hidden)));
    return new Network(json.has("name") ? Optional.of(json.text("name")) : Optional.empty(), hidden,
        json.has("activation") ? json.parsed("activation", Activation::of) : common.activation(),
        StudySpecReader.normalization(json, common.normalization()), StudySpecReader.residual(json, common.residual()));
  }

  private static Set<String> union(Set<String> one, Set<String> other) {
    Set<String> union = new TreeSet<>(one);
    union.addAll(other);
    return union;
  }

  public TableStudySpec withConfig(TrainConfig other) {
    return new TableStudySpec(name, file, labels, other, networks, grid, seeds);
  }

  public TableStudySpec withSeeds(int other) {
    return new TableStudySpec(name, file, labels, config, networks, grid, other);
  }

  public TableStudySpec withLabels(String path) {
    return new TableStudySpec(name, file, Optional.of(path), config, networks, grid, seeds);
  }

  /**
   * Returns the files to read, with their hashes.
   *
   * @param folder the folder to which relative paths refer
   */
  public List<DataFile> files(Path folder) {
    List<DataFile> files = new ArrayList<>(List.of(DataFile.of("data", folder.resolve(file))));
    labels.map(folder::resolve).or(() -> TableReader.labelsNextTo(folder.resolve(file)))
        .ifPresent(path -> files.add(DataFile.of("labels", path)));
    return files;
  }

  /**
   * Reads the table and returns the study on it.
   *
   * @param folder the folder to which relative paths refer
   * @throws InvalidInputException when the table cannot be read, or does not suit the configuration
   */
  public Study study(Path folder) {
    Table table = TableReader.read(folder.resolve(file), readOptions(config, labels.map(folder::resolve)));
    try {
      return study(table);
    } catch (InvalidInputException e) {
      throw e.at(file);
    }
  }

  /** Returns the options for reading the table of a training with a configuration. */
  static ReadOptions readOptions(TrainConfig config, Optional<Path> labels) {
    ReadOptions options =
        ReadOptions.DEFAULT.withFormat(config.format()).withTextColumns(Set.copyOf(config.columns().categorical()));
    return labels.map(options::withLabels).orElse(options);
  }

  /** Returns the study on a table. All trials have the same split, which has a seed of its own. */
  Study study(Table table) {
    // Cells have a normalization of their own, but share a batch size, which batch normalization limits.
    boolean batchNormalized = networks.stream().anyMatch(network -> network.normalization() == Normalization.BATCH)
        || grid.filter(of -> of.normalizations().contains(Normalization.BATCH)).isPresent();
    TrainConfig common = config.with(changes -> changes.splitSeed(config.splitSeed().orElse(config.seed()))
        .normalization(batchNormalized ? Normalization.BATCH : config.normalization()));
    NumpyRandom split = new NumpyRandom(common.splitSeed().getAsLong());
    PreparedData prepared = PreparedData.of(DataView.of(table, common, split), common);
    StudyData.Table data = new StudyData.Table(file, labels, prepared.view(), prepared.config());
    int inputs = prepared.network().inputs();
    int outputs = prepared.network().outputs();
    double learningRate = config.trainer().training().learningRate();
    List<Study.Cell> cells = new ArrayList<>();
    for (Network network : networks) {
      List<Integer> widths = new ArrayList<>(network.hidden());
      widths.add(0, inputs);
      widths.add(outputs);
      NetworkSpec spec = new NetworkSpec(widths, network.activation(), network.normalization(), network.residual());
      cells.add(new Study.Cell(cells.size(), network.name().orElse(spec.shape() + " " + spec.description()), spec,
          config.initializer(), learningRate));
    }
    grid.ifPresent(of -> cells.addAll(of.cells(cells.size(), inputs, outputs)));
    if (cells.isEmpty()) {
      NetworkSpec network = prepared.network();
      cells.add(new Study.Cell(0, network.shape() + " " + network.description(), network, config.initializer(), learningRate));
    }
    return Study.ofTable(name, data, prepared.fit(), config.seed(), seeds, cells);
  }

  /** Returns the specification as JSON that {@link #parse} reads, with every key. */
  public String text() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeObjectFieldStart("data");
        json.writeStringField("source", SOURCE);
        json.writeStringField("file", file);
        json.writeStringField("labels", labels.orElse(null));
        json.writeEndObject();
        json.writeNumberField("seeds", seeds);
        if (!networks.isEmpty()) {
          json.writeArrayFieldStart("networks");
          for (Network network : networks) {
            json.writeStartObject();
            json.writeStringField("name", network.name().orElse(null));
            integers(json, "layers", network.hidden());
            json.writeStringField("activation", network.activation().key());
            if (network.normalization() != config.normalization()) {
              json.writeStringField("normalization", network.normalization().key());
            }
            if (network.residual() != config.residual()) {
              json.writeBooleanField("residual", network.residual());
            }
            json.writeEndObject();
          }
          json.writeEndArray();
        }
        if (grid.isPresent()) {
          json.writeObjectFieldStart("grid");
          integers(json, "depth", grid.get().depths());
          integers(json, "width", grid.get().widths());
          keys(json, "activation", grid.get().activations());
          if (!grid.get().normalizations().equals(List.of(config.normalization()))) {
            keys(json, "normalization", grid.get().normalizations());
          }
          if (!grid.get().residuals().equals(List.of(config.residual()))) {
            json.writeArrayFieldStart("residual");
            for (boolean residual : grid.get().residuals()) {
              json.writeBoolean(residual);
            }
            json.writeEndArray();
          }
          keys(json, "initializer", grid.get().initializers());
          JsonOutput.numbers(json, "learningRate", grid.get().learningRates().stream().mapToDouble(Double::doubleValue).toArray());
          json.writeNumberField("seeds", seeds);
          json.writeEndObject();
        }
        TrainConfigJson.fields(config, json);
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void integers(JsonGenerator json, String key, List<Integer> values) throws IOException {
    json.writeArrayFieldStart(key);
    for (int value : values) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }

  private static void keys(JsonGenerator json, String key, List<? extends NamedEnum> values) throws IOException {
    json.writeArrayFieldStart(key);
    for (NamedEnum value : values) {
      json.writeString(value.key());
    }
    json.writeEndArray();
  }
}
