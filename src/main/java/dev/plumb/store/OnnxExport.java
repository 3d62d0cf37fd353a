package dev.plumb.store;

import static dev.plumb.store.OnnxGraph.attribute;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
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

/**
 * A trained model as an ONNX model (opset 17) that takes the columns of a table as they are and gives what {@code plumb predict}
 * gives. The batch may have any size.
 *
 * <p>Inputs: where all columns are numbers, one input {@code features}, double [batch, columns], columns in the order of the text
 * {@code plumb.features}; else one input a column, called as the column, double or string [batch, 1]. A missing number is NaN, a
 * missing word is empty; where the model was trained to fill them in, the graph does, else the results of that row are NaN, or
 * those of an unknown category. Results are NaN also where a number is too large for the layers.
 *
 * <p>Outputs: {@code label}, string [batch], and {@code probabilities}, double [batch, classes]; or {@code predictions}, double
 * [batch, targets], in the targets' own units. The label of a row whose probabilities are NaN is empty. (A column of one of these
 * names keeps it, and the output gets an underscore.)
 *
 * <p>Columns are standardised in double. The layers compute in double for a model of fp64, in single for all others, and the
 * results are made in double again. Of fp64 models the one function in single is the erf of gelu, 1e-7 away: onnxruntime has none
 * in double, nor leaky_relu, elu, softplus and silu, which are put together from operators that it has.
 *
 * <p>Texts (metadata_props): {@code plumb.features}, {@code plumb.classes} or {@code plumb.targets} (JSON lists), and the others
 * that a model file has.
 */
public final class OnnxExport {
  /** As protocol buffers end at 2 GiB; the rest is for all that is not parameters. */
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
   * Writes a model whole or not at all; the same model gives the same bytes.
   *
   * @throws InvalidInputException when it cannot be written, or is larger than ONNX files can be
   */
  public static void write(Path file, TrainedModel model) {
    AtomicFile.write(file, out -> write(out, model));
  }

  /** Writes the same to a stream, and leaves it open. */
  public static void write(OutputStream out, TrainedModel model) throws IOException {
    long bytes = (long) model.parameters().length * model.type().bytes();
    if (bytes > MAX_PARAMETER_BYTES) {
      throw new InvalidInputException("the model's parameters take " + bytes + " bytes, and an ONNX file ends at 2 GiB;"
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
    if (hasWords(model.encoding())) {
      message.message(MODEL_OPSET, opset(OnnxGraph.ML_DOMAIN, ML_OPSET));
    }
    texts().forEach((key, value) -> message.message(MODEL_TEXT, new Protobuf().text(1, key).text(2, value)));
    return message;
  }

  /** The network's inputs, double [batch, inputs]. */
  private String encoded(List<FeatureColumn> features) {
    if (!hasWords(model.encoding())) {
      String all = graph.input("features", Type.DOUBLE, features.size());
      return standardized(all, features.stream().map(FeatureColumn.Numeric.class::cast).toList());
    }
    // All inputs first, so that no other value takes the name of a column.
    List<String> inputs = new ArrayList<>();
    for (FeatureColumn feature : features) {
      inputs.add(graph.input(feature.name(), feature instanceof FeatureColumn.Numeric ? Type.DOUBLE : Type.STRING, 1));
    }
    String[] columns = new String[features.size()];
    for (int i = 0; i < columns.length; i++) {
      FeatureColumn feature = features.get(i);
      if (feature instanceof FeatureColumn.Numeric numeric) {
        columns[i] = standardized(inputs.get(i), List.of(numeric));
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        columns[i] = oneHot(inputs.get(i), categorical);
      }
    }
    return graph.node("Concat", List.of(attribute("axis", 1)), columns);
  }

  /** (x - mean) / scale, and before it the fill where x is NaN. */
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

  /** The word's place among the categories, then 1 where it is: double [batch, categories]. */
  private String oneHot(String input, FeatureColumn.Categorical column) {
    List<String> words = new ArrayList<>(column.categories());
    List<Long> places = new ArrayList<>(IntStream.range(0, words.size()).asLongStream().boxed().toList());
    if (column.fill().isPresent() && !words.contains("")) {
      places.add((long) words.indexOf(column.fill().get()));
      words.add("");
    }
    String place = graph.node("LabelEncoder", OnnxGraph.ML_DOMAIN, "LabelEncoder", List.of(attribute("keys_strings", words),
        attribute("values_int64s", places.stream().mapToLong(Long::longValue).toArray()), attribute("default_int64", -1)), input);
    return graph.cast(graph.node("Equal", place, graph.range("places", column.categories().size())), Type.DOUBLE);
  }

  /** The last layer's outputs, in the model's type. */
  private String layers(String encoded) {
    String a = graph.cast(encoded, Type.of(type));
    List<Tensor.Reals> tensors = ModelFile.tensors(model);
    for (int layer = 0; layer < model.network().layerCount(); layer++) {
      String weight = graph.constant(tensors.get(2 * layer));
      String bias = graph.constant(tensors.get(2 * layer + 1));
      // Z = A·Wᵀ + b
      String z = graph.node("Gemm", List.of(attribute("transB", 1)), a, weight, bias);
      a = activated(model.network().layer(layer).activation(), z);
    }
    return a;
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
        String twice = graph.node("Add", erf(graph.node("Mul", z, number(Math.sqrt(0.5)))), number(1));
        yield graph.node("Mul", graph.node("Mul", z, number(0.5)), twice);
      }
      case SILU -> single
          ? graph.node("Mul", z, graph.node("Sigmoid", z))
          // onnxruntime would make an operator of its own of the product, which it has in single alone.
          : graph.node("Div", z, graph.node("Add", graph.node("Exp", graph.node("Neg", z)), number(1)));
    };
  }

  private String erf(String x) {
    return type == Tensor.Type.F32
        ? graph.node("Erf", x)
        : graph.cast(graph.node("Erf", graph.cast(x, Type.FLOAT)), Type.DOUBLE);
  }

  /** {@link TrainedModel#results} and {@link TrainedModel#labels}. */
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
          place(probabilities, classes.outputs()));
      graph.output(label, Type.STRING, List.of());
      graph.output(probabilities, Type.DOUBLE, List.of(classes.outputs()));
    }
  }

  /** The classes, and after them the label of a row that has none. */
  private static List<String> labels(TargetEncoding.Classes classes) {
    List<String> labels = new ArrayList<>(classes.classNames());
    labels.add("");
    return labels;
  }

  /** The most probable class's place among the labels; that of the last one where the probabilities are not a number. */
  private String place(String probabilities, int classes) {
    String best = graph.node("ArgMax", List.of(attribute("axis", 1), attribute("keepdims", 0)), probabilities);
    String sum = graph.node("ReduceSum", List.of(attribute("keepdims", 0)), probabilities, integers("axis", List.of(1), 1));
    return graph.node("Where", graph.node("IsNaN", sum), integers("no_class", List.of(), classes), best);
  }

  private String probabilities(String y) {
    String wanted = "probabilities";
    if (model.loss() == Loss.CROSS_ENTROPY) {
      return graph.node(wanted, "", "Softmax", List.of(attribute("axis", 1)), y);
    }
    if (model.network().outputs() == model.resultColumns()) {
      return graph.node(wanted, "", "Identity", List.of(), y);
    }
    String one = graph.constant("one", Tensor.Type.F64, 1);
    return graph.node(wanted, "", "Concat", List.of(attribute("axis", 1)), graph.node("Sub", one, y), y);
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

  /** A number in the layers' type. */
  private String number(double number) {
    return graph.constant("number", type, number);
  }

  private String integers(String wanted, List<Integer> shape, long... values) {
    return graph.constant(new Tensor.Integers(wanted, Tensor.Type.I64, shape, values));
  }

  private String row(String wanted, double[] values) {
    return graph.constant(new Tensor.Reals(wanted, Tensor.Type.F64, List.of(1, values.length), values));
  }

  private static boolean hasWords(TableEncoding encoding) {
    return encoding.features().stream().anyMatch(FeatureColumn.Categorical.class::isInstance);
  }

  private static Protobuf opset(String domain, int version) {
    return new Protobuf().text(1, domain).number(2, version);
  }
}
