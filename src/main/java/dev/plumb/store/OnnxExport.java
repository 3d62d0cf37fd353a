package dev.plumb.store;

import static dev.plumb.store.OnnxGraph.attribute;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Activation;
import dev.plumb.model.FoldedNetwork;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.ParameterLayout.Slice;
import dev.plumb.store.OnnxGraph.Type;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * ONNX export: a trained model as an ONNX model (opset 17) that takes the unencoded columns of a table and returns the results of
 * {@code plumb predict}. The batch may have any size.
 *
 * <p>Inputs: if all columns are numbers, one input {@code features}, double [batch, columns], in the order of the metadata
 * {@code plumb.features}; otherwise one input per column with the column's name, double or string [batch, 1]. A missing number is
 * NaN, a missing text is empty. If the model was trained to fill in missing values, the graph does so too; otherwise the results
 * of that row are NaN, or those of an unknown category. Results are also NaN when a number is too large for the layers.
 *
 * <p>Outputs: {@code label}, string [batch], and {@code probabilities}, double [batch, classes]; or {@code predictions}, double
 * [batch, targets], in the targets' own units. The label of a row whose probabilities are NaN is empty. (If a column has one of
 * these names, the output gets an underscore.)
 *
 * <p>Columns are standardized in double. The layers compute in double for an fp64 model and in single for all others; results are
 * computed in double again. The only single-precision function of fp64 models is the erf of gelu, with an error of 1e-7, because
 * onnxruntime has no double erf. It also lacks leaky_relu, elu, softplus and silu in double; these are composed of other
 * operators.
 *
 * <p>Batch normalizations are folded into weights and biases. Layer normalizations are LayerNormalization operators in single, and
 * composed of other operators in double, because that operator computes mean and variance in single.
 *
 * <p>Metadata (metadata_props): {@code plumb.features}, {@code plumb.classes} or {@code plumb.targets} (JSON lists), and the
 * metadata of a model file.
 */
public final class OnnxExport {
  /** Limit below the 2 GiB of protocol buffers, with room for everything that is not a parameter. */
  private static final long MAX_PARAMETER_BYTES = 2_000_000_000L;

  private static final int IR_VERSION = 8;
  private static final int OPSET = 17;
  private static final int ML_OPSET = 3;
  private static final int MODEL_IR_VERSION = 1;
  private static final int MODEL_PRODUCER = 2;
  private static final int MODEL_GRAPH = 7;
  private static final int MODEL_OPSET = 8;
  private static final int MODEL_TEXT = 14;

  private final TrainedModel model;
  private final Tensor.Type type;
  private final OnnxGraph graph = new OnnxGraph("plumb");

  private OnnxExport(TrainedModel model) {
    this.model = model;
    this.type = model.type();
  }

  /**
   * Writes a model atomically; equal models give equal bytes.
   *
   * @param file to write
   * @param model to export
   * @throws InvalidInputException when it cannot be written, or is larger than an ONNX file can be
   */
  public static void write(Path file, TrainedModel model) {
    AtomicFile.write(file, out -> write(out, model));
  }

  /**
   * Writes a model to a stream and leaves it open.
   *
   * @param out stream
   * @param model to export
   * @throws InvalidInputException when the model is larger than an ONNX file can be
   * @throws IOException when writing fails
   */
  public static void write(OutputStream out, TrainedModel model) throws IOException {
    long bytes = (long) model.parameters().length * model.type().bytes();
    if (bytes > MAX_PARAMETER_BYTES) {
      throw new InvalidInputException("the model's parameters take " + bytes + " bytes, but an ONNX file is limited to 2 GiB;"
          + " export it as safetensors");
    }
    out.write(new OnnxExport(model).message().toBytes());
  }

  private Protobuf message() throws IOException {
    String z = layers(encoded(model.encoding().features()));
    results(graph.cast(z, Type.DOUBLE));
    Protobuf message = new Protobuf().number(MODEL_IR_VERSION, IR_VERSION).text(MODEL_PRODUCER, "plumb")
        .message(MODEL_GRAPH, graph.message())
        .message(MODEL_OPSET, opset("", OPSET));
    if (hasText(model.encoding())) {
      message.message(MODEL_OPSET, opset(OnnxGraph.ML_DOMAIN, ML_OPSET));
    }
    texts().forEach((key, value) -> message.message(MODEL_TEXT, new Protobuf().text(1, key).text(2, value)));
    return message;
  }

  /** Adds the encoding and returns the network's inputs, double [batch, inputs]. */
  private String encoded(List<FeatureColumn> features) {
    if (!hasText(model.encoding())) {
      String all = graph.input("features", Type.DOUBLE, features.size());
      return numeric(all, features.stream().map(FeatureColumn.Numeric.class::cast).toList());
    }
    // All inputs first, so that no other value gets the name of a column.
    List<String> inputs = new ArrayList<>();
    for (FeatureColumn feature : features) {
      inputs.add(graph.input(feature.name(), feature instanceof FeatureColumn.Numeric ? Type.DOUBLE : Type.STRING, 1));
    }
    String[] columns = new String[features.size()];
    for (int i = 0; i < columns.length; i++) {
      FeatureColumn feature = features.get(i);
      if (feature instanceof FeatureColumn.Numeric numeric) {
        columns[i] = numeric(inputs.get(i), List.of(numeric));
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        columns[i] = oneHot(inputs.get(i), categorical);
      }
    }
    return graph.node("Concat", List.of(attribute("axis", 1)), columns);
  }

  /** Adds the standardized columns, each followed by its indicator of missing values if it has one. */
  private String numeric(String input, List<FeatureColumn.Numeric> columns) {
    String standardized = standardized(input, columns);
    if (columns.stream().noneMatch(FeatureColumn.Numeric::indicator)) {
      return standardized;
    }
    String both = graph.node("Concat", List.of(attribute("axis", 1)), standardized, graph.cast(graph.node("IsNaN", input), Type.DOUBLE));
    long[] order = IntStream.range(0, columns.size()).boxed().flatMapToLong(i -> columns.get(i).indicator()
        ? LongStream.of(i, columns.size() + i) : LongStream.of(i)).toArray();
    return graph.node("Gather", List.of(attribute("axis", 1)), both, integers("order", List.of(order.length), order));
  }

  /** Adds (x - mean) / scale, after replacing NaN by the fill value. */
  private String standardized(String input, List<FeatureColumn.Numeric> columns) {
    String x = input;
    if (columns.stream().anyMatch(column -> column.fill().isPresent())) {
      String fill = row("fill", columns.stream().mapToDouble(column -> column.fill().orElse(Double.NaN)).toArray());
      x = graph.node("Where", graph.node("IsNaN", x), fill, x);
    }
    String mean = row("mean", columns.stream().mapToDouble(FeatureColumn.Numeric::mean).toArray());
    String scale = row("scale", columns.stream().mapToDouble(FeatureColumn.Numeric::scale).toArray());
    return graph.node("Div", graph.node("Sub", x, mean), scale);
  }

  /** Adds a one-hot encoding: double [batch, inputs]. */
  private String oneHot(String input, FeatureColumn.Categorical column) {
    List<String> keys = new ArrayList<>(column.categories());
    List<Long> indices = new ArrayList<>(IntStream.range(0, keys.size()).asLongStream().boxed().toList());
    if ((column.fill().isPresent() || column.indicator()) && !keys.contains("")) {
      indices.add((long) (column.indicator() ? keys.size() : keys.indexOf(column.fill().get())));
      keys.add("");
    }
    String index = graph.node("LabelEncoder", OnnxGraph.ML_DOMAIN, "LabelEncoder", List.of(attribute("keys_strings", keys),
        attribute("values_int64s", indices.stream().mapToLong(Long::longValue).toArray()), attribute("default_int64", -1)), input);
    return graph.cast(graph.node("Equal", index, graph.range("places", column.inputs())), Type.DOUBLE);
  }

  /** Adds the layers and returns the last layer's outputs, in the model's type. */
  private String layers(String encoded) {
    FoldedNetwork folded = FoldedNetwork.of(model.network(), model.parameters());
    ParameterLayout layout = ParameterLayout.of(folded.network());
    String a = graph.cast(encoded, Type.of(type));
    for (int l = 0; l < folded.network().layerCount(); l++) {
      LayerSpec layer = folded.network().layer(l);
      String weight = constant(folded, layout.weight(l));
      String bias = constant(folded, layout.bias(l));
      // Z = A·Wᵀ + b
      String z = graph.node("Gemm", List.of(attribute("transB", 1)), a, weight, bias);
      String h = layer.normalization() == Normalization.NONE ? z
          : normalized(z, constant(folded, layout.slice(Kind.SCALE, l)), constant(folded, layout.slice(Kind.SHIFT, l)));
      String f = activated(layer.activation(), h);
      a = layer.residual() ? graph.node("Add", f, a) : f;
    }
    return a;
  }

  private String constant(FoldedNetwork folded, Slice slice) {
    return graph.constant(ModelFile.tensor(folded.network(), folded.parameters(), type, slice));
  }

  /** Adds a layer normalization. */
  private String normalized(String z, String scale, String shift) {
    if (type == Tensor.Type.F32) {
      return graph.node("LayerNormalization",
          List.of(attribute("axis", 1), attribute("epsilon", (float) Normalization.EPSILON)), z, scale, shift);
    }
    // The operator computes mean and variance in single.
    String centered = graph.node("Sub", z, mean(z));
    String variance = mean(graph.node("Mul", centered, centered));
    String deviation = graph.node("Sqrt", graph.node("Add", variance, number(Normalization.EPSILON)));
    return graph.node("Add", graph.node("Mul", graph.node("Div", centered, deviation), scale), shift);
  }

  private String mean(String x) {
    return graph.node("ReduceMean", List.of(attribute("axes", new long[] {1})), x);
  }

  private String activated(Activation activation, String z) {
    boolean single = type == Tensor.Type.F32;
    return switch (activation) {
      case LINEAR -> z;
      case RELU -> graph.node("Relu", z);
      case LEAKY_RELU -> single
          ? graph.node("LeakyRelu", List.of(attribute("alpha", 0.01f)), z)
          : graph.node("Max", z, graph.node("Mul", z, number(0.01)));
      case SIGMOID -> graph.node("Sigmoid", z);
      case TANH -> graph.node("Tanh", z);
      case SOFTPLUS -> single
          ? graph.node("Softplus", z)
          : graph.node("Add", graph.node("Relu", z),
              graph.node("Log", graph.node("Add", graph.node("Exp", graph.node("Neg", graph.node("Abs", z))), number(1))));
      case ELU -> single
          ? graph.node("Elu", z)
          : graph.node("Add", graph.node("Relu", z),
              graph.node("Sub", graph.node("Exp", graph.node("Min", z, number(0))), number(1)));
      case GELU -> {
        String doubledCdf = graph.node("Add", erf(graph.node("Mul", z, number(Math.sqrt(0.5)))), number(1));
        yield graph.node("Mul", graph.node("Mul", z, number(0.5)), doubledCdf);
      }
      case SILU -> single
          ? graph.node("Mul", z, graph.node("Sigmoid", z))
          // onnxruntime would fuse the product into an operator that it has only in single.
          : graph.node("Div", z, graph.node("Add", graph.node("Exp", graph.node("Neg", z)), number(1)));
    };
  }

  private String erf(String x) {
    return type == Tensor.Type.F32
        ? graph.node("Erf", x)
        : graph.cast(graph.node("Erf", graph.cast(x, Type.FLOAT)), Type.DOUBLE);
  }

  /** Adds {@link TrainedModel#results} and {@link TrainedModel#labels}. */
  private void results(String z) {
    TargetEncoding target = model.encoding().target();
    String y = model.loss() == Loss.BINARY_CROSS_ENTROPY ? graph.node("Sigmoid", z) : z;
    if (target instanceof TargetEncoding.Numbers numbers) {
      String scaled = graph.node("Mul", y, row("target_scale", numbers.scale()));
      String predictions = graph.node("predictions", "", "Add", List.of(), scaled, row("target_mean", numbers.mean()));
      graph.output(predictions, Type.DOUBLE, List.of(numbers.outputs()));
    } else if (target instanceof TargetEncoding.Classes classes) {
      String probabilities = probabilities(y);
      String label = graph.node("label", "", "Gather", List.of(), graph.constant("classes", labels(classes)),
          labelIndex(probabilities, classes.outputs()));
      graph.output(label, Type.STRING, List.of());
      graph.output(probabilities, Type.DOUBLE, List.of(classes.outputs()));
    }
  }

  /** Returns the classes, followed by the label of a row without one. */
  private static List<String> labels(TargetEncoding.Classes classes) {
    List<String> labels = new ArrayList<>(classes.classNames());
    labels.add("");
    return labels;
  }

  /** Adds the index of the most probable class, or of the last label when the probabilities are NaN. */
  private String labelIndex(String probabilities, int classes) {
    String best = graph.node("ArgMax", List.of(attribute("axis", 1), attribute("keepdims", 0)), probabilities);
    String sum = graph.node("ReduceSum", List.of(attribute("keepdims", 0)), probabilities, integers("axis", List.of(1), 1));
    return graph.node("Where", graph.node("IsNaN", sum), integers("no_class", List.of(), classes), best);
  }

  private String probabilities(String y) {
    String name = "probabilities";
    if (model.loss() == Loss.CROSS_ENTROPY) {
      return graph.node(name, "", "Softmax", List.of(attribute("axis", 1)), y);
    }
    if (model.network().outputs() == model.resultColumns()) {
      return graph.node(name, "", "Identity", List.of(), y);
    }
    String one = graph.constant("one", Tensor.Type.F64, 1);
    return graph.node(name, "", "Concat", List.of(attribute("axis", 1)), graph.node("Sub", one, y), y);
  }

  private SortedMap<String, String> texts() throws IOException {
    SortedMap<String, String> texts = new TreeMap<>(ModelFile.texts(model));
    TableEncoding encoding = model.encoding();
    texts.put("plumb.features", list(encoding.features().stream().map(FeatureColumn::name).toList()));
    if (encoding.target() instanceof TargetEncoding.Classes classes) {
      texts.put("plumb.classes", list(classes.classNames()));
    } else {
      texts.put("plumb.targets", list(encoding.target().names()));
    }
    return texts;
  }

  private static String list(List<String> words) throws IOException {
    byte[] utf8 = JsonOutput.compact(json -> writeList(json, words));
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private static void writeList(JsonGenerator json, List<String> words) throws IOException {
    json.writeStartArray();
    for (String word : words) {
      json.writeString(word);
    }
    json.writeEndArray();
  }

  /** Adds a constant in the layers' type. */
  private String number(double number) {
    return graph.constant("number", type, number);
  }

  private String integers(String name, List<Integer> shape, long... values) {
    return graph.constant(new Tensor.Integers(name, Tensor.Type.I64, shape, values));
  }

  private String row(String name, double[] values) {
    return graph.constant(new Tensor.Reals(name, Tensor.Type.F64, List.of(1, values.length), values));
  }

  private static boolean hasText(TableEncoding encoding) {
    return encoding.features().stream().anyMatch(FeatureColumn.Categorical.class::isInstance);
  }

  private static Protobuf opset(String domain, int version) {
    return new Protobuf().text(1, domain).number(2, version);
  }
}
