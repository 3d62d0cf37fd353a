package dev.plumb.study;

import dev.plumb.data.NotebookData;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Excerpt;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.train.OptimizerJson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/** A reader of studies in JSON. A missing entry has the value of the notebook; only the networks are required. */
public final class StudySpecReader {
  private static final Set<String> KEYS = Set.of("name", "data", "seed", "initializer", "loss", "optimizer", "clipNorm",
      "learningRate", "epochs", "batchSize", "dropout", "shuffle", "lossAtEpochs", "networks", "grid");

  private static final String NORMALIZATION = "normalization";
  private static final String RESIDUAL = "residual";
  /** The keys of a listed network. */
  static final Set<String> NETWORK_KEYS = Set.of("name", "layers", "activation", NORMALIZATION, RESIDUAL);

  private StudySpecReader() {}

  /**
   * The content of a file.
   *
   * @param text the text of the file, to be read again later
   * @param spec the study with the networks that the file lists; for a grid without any, with only that of its first cell
   * @param grid the grid, if there is one
   */
  public record StudyFile(String text, StudySpec spec, Optional<Grid> grid, boolean listsNetworks) {
    /** Returns the study of the grid, after the networks that the file lists. */
    public Study gridStudy() {
      return Study.ofGrid(spec, listsNetworks, grid.orElseThrow());
    }
  }

  /**
   * Reads a study.
   *
   * @throws InvalidInputException naming the file, the place in it and what would be right
   */
  public static StudySpec read(Path file) {
    return readFile(file).spec();
  }

  /** Reads a study that may have a grid; otherwise like {@link #read}. */
  public static StudyFile readFile(Path file) {
    try {
      return parse(text(file));
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  /** Returns the text of a file. */
  public static String text(Path file) {
    return new String(JsonInput.bytes(file), StandardCharsets.UTF_8);
  }

  /** @throws InvalidInputException naming the place and what would be right */
  public static StudyFile parse(String text) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    json.allowOnly(KEYS);
    Optional<Grid> grid = json.has("grid") ? Optional.of(grid(json.object("grid"), Activation.RELU, Normalization.NONE, false,
        json.has("initializer") ? json.parsed("initializer", Initializer::of) : Initializer.NOTEBOOK,
        json.number("learningRate", StudySpec.notebook().training().learningRate()))) : Optional.empty();
    boolean listed = json.has("networks") || grid.isEmpty();
    return new StudyFile(text, study(json, grid, listed), grid, listed);
  }

  /** Reads a grid; the other arguments are the values where it has none. */
  static Grid grid(JsonObject grid, Activation activation, Normalization normalization, boolean residual, Initializer initializer,
      double learningRate) {
    grid.allowOnly(Set.of("depth", "width", "activation", NORMALIZATION, RESIDUAL, "initializer", "learningRate", "seeds"));
    List<Activation> activations = grid.has("activation") ? parsed(grid, "activation", Activation::of) : List.of(activation);
    List<Normalization> normalizations = !grid.has(NORMALIZATION) ? List.of(normalization)
        : grid.isText(NORMALIZATION) ? List.of(grid.parsed(NORMALIZATION, Normalization::of))
            : parsed(grid, NORMALIZATION, Normalization::of);
    List<Boolean> residuals = !grid.has(RESIDUAL) ? List.of(residual)
        : grid.isFlag(RESIDUAL) ? List.of(grid.flag(RESIDUAL)) : grid.flags(RESIDUAL);
    List<Initializer> initializers = grid.has("initializer") ? parsed(grid, "initializer", Initializer::of)
        : List.of(initializer);
    List<Double> rates = Arrays.stream(grid.has("learningRate") ? grid.numbers("learningRate")
        : new double[] {learningRate}).boxed().toList();
    int seeds = grid.integer("seeds", 1);
    return grid.at(() -> new Grid(grid.integers("depth"), grid.integers("width"), activations, normalizations, residuals,
        initializers, rates, seeds));
  }

  private static <T> List<T> parsed(JsonObject grid, String key, Function<String, T> parser) {
    return grid.at(key, () -> grid.texts(key).stream().map(parser).toList());
  }

  private static StudySpec study(JsonObject json, Optional<Grid> grid, boolean listed) {
    StudySpec notebook = StudySpec.notebook();
    long seed = json.has("seed") ? json.longInteger("seed") : notebook.seed();
    TrainingSpec training = training(json, notebook.training(), seed);
    int samples = json.has("data") ? samples(json.object("data"), notebook.samples()) : notebook.samples();
    List<Integer> lossAtEpochs = json.has("lossAtEpochs") ? json.integers("lossAtEpochs")
        : training.epochs() >= StudySpec.NOTEBOOK_LOSS_EPOCH ? notebook.lossAtEpochs() : List.of();
    List<StudyNetwork> networks = new ArrayList<>();
    if (listed) {
      for (JsonObject network : json.objects("networks")) {
        networks.add(network(network));
      }
    } else {
      NetworkSpec first = grid.orElseThrow().first(NotebookData.FEATURES, 1);
      networks.add(new StudyNetwork(first.shape(), first));
    }
    return json.at(() -> new StudySpec(
        json.has("name") ? json.text("name") : "study",
        samples,
        seed,
        json.has("initializer") ? json.parsed("initializer", Initializer::of)
            : notebook.initializer(),
        training,
        !json.has("shuffle") || json.flag("shuffle"),
        lossAtEpochs,
        networks));
  }

  private static int samples(JsonObject data, int otherwise) {
    if (data.has("source") && !data.text("source").equals("notebook")) {
      throw data.fault("source", "unknown source \"" + Excerpt.of(data.text("source")) + "\"; it must be \"notebook\" or \"table\"");
    }
    data.allowOnly(Set.of("source", "samples"));
    int samples = data.has("samples") ? data.integer("samples") : otherwise;
    return data.at(() -> {
      StudySpec.requireSamples(samples);
      return samples;
    });
  }

  private static TrainingSpec training(JsonObject json, TrainingSpec otherwise, long seed) {
    Loss loss = json.has("loss") ? json.parsed("loss", Loss::of) : otherwise.loss();
    OptimizerSpec optimizer = json.has("optimizer") ? OptimizerJson.read(json.object("optimizer")) : otherwise.optimizer();
    OptionalDouble clipNorm = json.has("clipNorm") ? OptionalDouble.of(json.number("clipNorm")) : OptionalDouble.empty();
    double learningRate = json.has("learningRate") ? json.number("learningRate") : otherwise.learningRate();
    int epochs = json.has("epochs") ? json.integer("epochs") : otherwise.epochs();
    OptionalInt batchSize = json.has("batchSize") ? OptionalInt.of(json.integer("batchSize")) : OptionalInt.empty();
    return json.at(() -> new TrainingSpec(loss, optimizer, clipNorm, learningRate, epochs, batchSize, Precision.FP64,
        json.has("dropout") ? Optional.of(new Dropout(json.number("dropout"), seed)) : Optional.empty()));
  }

  private static StudyNetwork network(JsonObject json) {
    json.allowOnly(NETWORK_KEYS);
    Activation activation = json.parsed("activation", Activation::of);
    List<Integer> layers = json.integers("layers");
    Normalization normalization = normalization(json, Normalization.NONE);
    boolean residual = residual(json, false);
    NetworkSpec network = json.at("layers", () -> new NetworkSpec(layers, activation, normalization, residual));
    String name = json.has("name") ? json.text("name") : network.shape() + " " + network.description();
    return new StudyNetwork(name, network);
  }

  static Normalization normalization(JsonObject network, Normalization defaultValue) {
    return network.has(NORMALIZATION) ? network.parsed(NORMALIZATION, Normalization::of) : defaultValue;
  }

  static boolean residual(JsonObject network, boolean defaultValue) {
    return network.has(RESIDUAL) ? network.flag(RESIDUAL) : defaultValue;
  }
}
