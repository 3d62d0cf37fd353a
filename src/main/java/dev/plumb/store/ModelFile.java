package dev.plumb.store;

import dev.plumb.model.Activation;
import dev.plumb.model.Excerpt;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.store.SafetensorsFile.Contents;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Model files: a trained model as one safetensors file. Its tensors have the names and shapes of PyTorch's
 * {@code nn.Sequential(Linear, activation, Linear, ..., Linear)}: {@code 0.weight} [out, in], {@code 0.bias} [out],
 * {@code 2.weight}, ..., so that PyTorch loads it without missing or unexpected keys:
 *
 * <pre>{@code
 * net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
 * net.load_state_dict(safetensors.torch.load_file("model.safetensors"))
 * }</pre>
 *
 * With a normalization, they are those of {@code nn.Sequential(Linear, BatchNorm1d or LayerNorm, activation, Linear, ...)}:
 * {@code 0.weight}, {@code 0.bias}, {@code 1.weight} (the scale), {@code 1.bias} (the shift), {@code 1.running_mean},
 * {@code 1.running_var}, {@code 3.weight}, ... With residual connections, which nn.Sequential lacks, they are
 * {@code layers.0.linear.weight}, {@code layers.0.linear.bias}, {@code layers.0.norm.weight}, {@code layers.0.norm.bias},
 * {@code layers.0.norm.running_mean}, {@code layers.0.norm.running_var}, {@code layers.1.linear.weight}, ...
 *
 * <p>The network takes encoded columns; for the activation linear, use {@code nn.Identity()}. Everything else is in the header's
 * metadata: {@code plumb.format}, {@code plumb.activation}, {@code plumb.normalization} (absent for none), {@code plumb.residual}
 * (absent for false), {@code plumb.loss}, {@code plumb.precision}, {@code plumb.encoding} (JSON), and the manifest, with the prefix
 * {@code manifest.} before each key.
 */
public final class ModelFile {
  private static final String FORMAT = "plumb.format";
  /** Format and its version, which changes when older readers would misread newer files. */
  private static final String MODEL = "model 1";
  private static final String ACTIVATION = "plumb.activation";
  private static final String NORMALIZATION = "plumb.normalization";
  private static final String RESIDUAL = "plumb.residual";
  private static final String LOSS = "plumb.loss";
  private static final String PRECISION = "plumb.precision";
  private static final String ENCODING = "plumb.encoding";
  private static final String MANIFEST = "manifest.";

  private ModelFile() {}

  /**
   * Writes a model atomically; equal models give equal bytes.
   *
   * @param file to write
   * @param model to store
   * @throws InvalidInputException when it cannot be written
   */
  public static void write(Path file, TrainedModel model) {
    AtomicFile.write(file, out -> write(out, model));
  }

  /**
   * Writes a model to a stream and leaves it open.
   *
   * @param out stream
   * @param model to store
   * @throws IOException when writing fails
   */
  public static void write(OutputStream out, TrainedModel model) throws IOException {
    SafetensorsFile.write(out, texts(model), tensors(model));
  }

  /**
   * Reads a model.
   *
   * @param file to read
   * @return the model
   * @throws InvalidInputException when the file cannot be read, is not a model, has a newer format, or is damaged in any bit; the
   *     message names the file
   */
  public static TrainedModel read(Path file) {
    Contents contents = SafetensorsFile.read(file);
    try {
      return model(contents);
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  /**
   * Reads a model from the bytes of its file.
   *
   * @param bytes of the whole file
   * @return the model
   * @throws InvalidInputException as for {@link #read(Path)}, without the name of a file
   */
  public static TrainedModel read(byte[] bytes) {
    return model(SafetensorsFile.read(bytes));
  }

  /** Returns the header's metadata: everything but the parameters. */
  static SortedMap<String, String> texts(TrainedModel model) throws IOException {
    SortedMap<String, String> texts = new TreeMap<>();
    texts.put(FORMAT, MODEL);
    texts.put(ACTIVATION, model.network().activation().key());
    if (model.network().normalization() != Normalization.NONE) {
      texts.put(NORMALIZATION, model.network().normalization().key());
    }
    if (model.network().residual()) {
      texts.put(RESIDUAL, "true");
    }
    texts.put(LOSS, model.loss().key());
    texts.put(PRECISION, model.precision().key());
    texts.put(ENCODING, EncodingJson.write(model.encoding()));
    model.manifest().forEach((key, value) -> texts.put(MANIFEST + key, value));
    return texts;
  }

  /** Returns the parameters with PyTorch's names, layer by layer, each in the order of {@link ParameterLayout#slices(int)}. */
  static List<Tensor.Reals> tensors(TrainedModel model) {
    ParameterLayout layout = ParameterLayout.of(model.network());
    return IntStream.range(0, model.network().layerCount()).boxed().flatMap(layer -> layout.slices(layer).stream())
        .map(slice -> tensor(model.network(), model.parameters(), model.type(), slice)).toList();
  }

  /** Returns a tensor of a parameter vector with its name in PyTorch. */
  static Tensor.Reals tensor(NetworkSpec network, double[] parameters, Tensor.Type type, ParameterLayout.Slice slice) {
    double[] values = Arrays.copyOfRange(parameters, slice.offset(), slice.offset() + slice.size());
    return new Tensor.Reals(name(network, slice), type, shape(slice), values);
  }

  private static TrainedModel model(Contents contents) {
    SortedMap<String, String> texts = contents.texts();
    if (!MODEL.equals(texts.get(FORMAT))) {
      throw new InvalidInputException(texts.containsKey(FORMAT)
          ? "has the format \"" + Excerpt.of(texts.get(FORMAT)) + "\"; this version of Plumb expects \"" + MODEL + "\" here"
          : "has no " + FORMAT + " in its header; it is not a model");
    }
    Activation activation = text(texts, ACTIVATION, Activation::of);
    Normalization normalization =
        texts.containsKey(NORMALIZATION) ? text(texts, NORMALIZATION, Normalization::of) : Normalization.NONE;
    boolean residual = texts.containsKey(RESIDUAL) && text(texts, RESIDUAL, ModelFile::flag);
    Loss loss = text(texts, LOSS, Loss::of);
    Precision precision = text(texts, PRECISION, Precision::of);
    Map<String, Tensor.Reals> tensors = reals(contents.tensors());
    NetworkSpec network = new NetworkSpec(widths(tensors, normalization, residual), activation, normalization, residual);
    double[] parameters = parameters(network, tensors);
    SortedMap<String, String> manifest = new TreeMap<>();
    texts.forEach((key, value) -> {
      if (key.startsWith(MANIFEST)) {
        manifest.put(key.substring(MANIFEST.length()), value);
      }
    });
    return new TrainedModel(network, loss, precision, text(texts, ENCODING, EncodingJson::read), parameters, manifest);
  }

  private static <T> T text(Map<String, String> texts, String key, Function<String, T> parser) {
    if (!texts.containsKey(key)) {
      throw new InvalidInputException("has no " + key + " in its header");
    }
    try {
      return parser.apply(texts.get(key));
    } catch (InvalidInputException e) {
      throw e.at(key);
    }
  }

  private static boolean flag(String text) {
    if (!text.equals("true") && !text.equals("false")) {
      throw new InvalidInputException("must be true or false, not \"" + Excerpt.of(text) + "\"");
    }
    return text.equals("true");
  }

  private static Map<String, Tensor.Reals> reals(List<Tensor> tensors) {
    Map<String, Tensor.Reals> reals = new HashMap<>();
    for (Tensor tensor : tensors) {
      if (!(tensor instanceof Tensor.Reals real)) {
        throw new InvalidInputException("tensor \"" + Excerpt.of(tensor.name()) + "\" has integers; a model has only"
            + " floating-point tensors");
      }
      reals.put(tensor.name(), real);
    }
    return reals;
  }

  /** Returns the widths by the shapes of the weights; {@link #parameters} checks that they match. */
  private static List<Integer> widths(Map<String, Tensor.Reals> tensors, Normalization normalization, boolean residual) {
    List<Integer> widths = new ArrayList<>();
    String first = linear(0, normalization, residual) + ".weight";
    Tensor.Reals weight = tensors.get(first);
    for (int layer = 0; weight != null; layer++) {
      if (weight.shape().size() != 2) {
        throw new InvalidInputException("tensor \"" + weight.name() + "\" has the shape " + weight.shape()
            + "; weights are [outputs, inputs]");
      }
      if (layer == 0) {
        widths.add(weight.shape().get(1));
      }
      widths.add(weight.shape().get(0));
      weight = tensors.get(linear(layer + 1, normalization, residual) + ".weight");
    }
    if (widths.isEmpty()) {
      throw new InvalidInputException("has no tensor \"" + first + "\", the first layer's");
    }
    return widths;
  }

  private static double[] parameters(NetworkSpec network, Map<String, Tensor.Reals> tensors) {
    ParameterLayout layout = ParameterLayout.of(network);
    double[] parameters = new double[layout.size()];
    for (ParameterLayout.Slice slice : layout.slices()) {
      String name = name(network, slice);
      Tensor.Reals tensor = tensors.remove(name);
      if (tensor == null || !tensor.shape().equals(shape(slice))) {
        throw new InvalidInputException((tensor == null
            ? "has no tensor \"" + name + "\""
            : "tensor \"" + name + "\" has the shape " + tensor.shape()) + "; layers " + network.widths() + " need "
            + shape(slice));
      }
      System.arraycopy(tensor.values(), 0, parameters, slice.offset(), slice.size());
    }
    if (!tensors.isEmpty()) {
      throw new InvalidInputException("has a tensor \"" + Excerpt.of(new TreeMap<>(tensors).firstKey()) + "\", which no layer of "
          + network.widths() + " needs");
    }
    return parameters;
  }

  private static String name(NetworkSpec network, ParameterLayout.Slice slice) {
    String linear = linear(slice.layer(), network.normalization(), network.residual());
    String norm = network.residual() ? "layers." + slice.layer() + ".norm" : Integer.toString(3 * slice.layer() + 1);
    return switch (slice.kind()) {
      case WEIGHT -> linear + ".weight";
      case BIAS -> linear + ".bias";
      case SCALE -> norm + ".weight";
      case SHIFT -> norm + ".bias";
      case RUNNING_MEAN -> norm + ".running_mean";
      case RUNNING_VARIANCE -> norm + ".running_var";
    };
  }

  /** Returns the name of a layer's nn.Linear. */
  private static String linear(int layer, Normalization normalization, boolean residual) {
    return residual ? "layers." + layer + ".linear" : Integer.toString((normalization == Normalization.NONE ? 2 : 3) * layer);
  }

  private static List<Integer> shape(ParameterLayout.Slice slice) {
    return slice.isVector() ? List.of(slice.rows()) : List.of(slice.rows(), slice.columns());
  }
}
