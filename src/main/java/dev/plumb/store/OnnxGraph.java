package dev.plumb.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Builder of an ONNX graph. Values are added in the order of computation; every method that adds a value returns its name: the
 * requested one, with underscores appended when it is taken. Numbers of fields and types are those of onnx.proto.
 */
final class OnnxGraph {
  /** Element types in use. */
  enum Type {
    FLOAT(1),
    INT64(7),
    STRING(8),
    DOUBLE(11);

    private final int number;

    Type(int number) {
      this.number = number;
    }

    static Type of(Tensor.Type type) {
      return switch (type) {
        case F64 -> DOUBLE;
        case F32 -> FLOAT;
        case I64 -> INT64;
        case I32 -> throw new IllegalArgumentException("Plumb exports no I32 values");
      };
    }
  }

  /** Domain of the operators for text. */
  static final String ML_DOMAIN = "ai.onnx.ml";

  /** Name of the variable dimension. */
  private static final String BATCH = "batch";

  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_NAME = 2;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int GRAPH_INPUT = 11;
  private static final int GRAPH_OUTPUT = 12;
  private static final int NODE_INPUT = 1;
  private static final int NODE_OUTPUT = 2;
  private static final int NODE_NAME = 3;
  private static final int NODE_OPERATOR = 4;
  private static final int NODE_ATTRIBUTE = 5;
  private static final int NODE_DOMAIN = 7;
  private static final int TENSOR_DIMENSION = 1;
  private static final int TENSOR_TYPE = 2;
  private static final int TENSOR_STRING = 6;
  private static final int TENSOR_NAME = 8;
  private static final int TENSOR_RAW = 9;
  private static final int ATTRIBUTE_NAME = 1;
  private static final int ATTRIBUTE_FLOAT = 2;
  private static final int ATTRIBUTE_INT = 3;
  private static final int ATTRIBUTE_INTS = 8;
  private static final int ATTRIBUTE_STRINGS = 9;
  private static final int ATTRIBUTE_TYPE = 20;
  private static final int TYPE_FLOAT = 1;
  private static final int TYPE_INT = 2;
  private static final int TYPE_INTS = 7;
  private static final int TYPE_STRINGS = 8;

  private final Protobuf graph = new Protobuf();
  private final Set<String> taken = new HashSet<>();

  OnnxGraph(String name) {
    graph.text(GRAPH_NAME, name);
  }

  /** Adds an input: [batch, columns]. */
  String input(String requested, Type type, int columns) {
    String name = uniqueName(requested);
    graph.message(GRAPH_INPUT, value(name, type, List.of(columns)));
    return name;
  }

  /** Declares a value as a result: [batch], or [batch, columns]. */
  void output(String name, Type type, List<Integer> columns) {
    graph.message(GRAPH_OUTPUT, value(name, type, columns));
  }

  /** Adds a constant tensor. */
  String constant(Tensor tensor) {
    ByteArrayOutputStream raw = new ByteArrayOutputStream(Math.multiplyExact(tensor.type().bytes(), tensor.size()));
    try {
      TensorValues.write(tensor, raw);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return constant(tensor.name(), Type.of(tensor.type()), tensor.shape(), new Protobuf().bytes(TENSOR_RAW, raw.toByteArray()));
  }

  /** Adds a scalar constant, which broadcasts to any shape. */
  String constant(String requested, Tensor.Type type, double number) {
    return constant(new Tensor.Reals(requested, type, List.of(), new double[] {number}));
  }

  /** Adds the constant row 0, 1, ...: [1, size]. */
  String range(String requested, int size) {
    return constant(new Tensor.Integers(requested, Tensor.Type.I64, List.of(1, size), LongStream.range(0, size).toArray()));
  }

  /** Adds a constant list of texts: [texts]. */
  String constant(String requested, List<String> words) {
    Protobuf data = new Protobuf();
    words.forEach(word -> data.text(TENSOR_STRING, word));
    return constant(requested, Type.STRING, List.of(words.size()), data);
  }

  /** Adds a node and its output, with the name of the operator. */
  String node(String operator, String... inputs) {
    return node(operator, List.of(), inputs);
  }

  String node(String operator, List<Protobuf> attributes, String... inputs) {
    return node(operator, "", operator, attributes, inputs);
  }

  /**
   * Adds a node and its output.
   *
   * @param domain empty for ONNX's own operators
   */
  String node(String requested, String domain, String operator, List<Protobuf> attributes, String... inputs) {
    String name = uniqueName(requested);
    Protobuf node = new Protobuf();
    for (String input : inputs) {
      node.text(NODE_INPUT, input);
    }
    node.text(NODE_OUTPUT, name).text(NODE_NAME, name).text(NODE_OPERATOR, operator);
    if (!domain.isEmpty()) {
      node.text(NODE_DOMAIN, domain);
    }
    attributes.forEach(attribute -> node.message(NODE_ATTRIBUTE, attribute));
    graph.message(GRAPH_NODE, node);
    return name;
  }

  /** Adds a conversion to another type. */
  String cast(String value, Type to) {
    return node("Cast", List.of(attribute("to", to.number)), value);
  }

  static Protobuf attribute(String name, long value) {
    return new Protobuf().text(ATTRIBUTE_NAME, name).number(ATTRIBUTE_INT, value).number(ATTRIBUTE_TYPE, TYPE_INT);
  }

  static Protobuf attribute(String name, float value) {
    return new Protobuf().text(ATTRIBUTE_NAME, name).real32(ATTRIBUTE_FLOAT, value).number(ATTRIBUTE_TYPE, TYPE_FLOAT);
  }

  static Protobuf attribute(String name, long[] values) {
    Protobuf attribute = new Protobuf().text(ATTRIBUTE_NAME, name).number(ATTRIBUTE_TYPE, TYPE_INTS);
    for (long value : values) {
      attribute.number(ATTRIBUTE_INTS, value);
    }
    return attribute;
  }

  static Protobuf attribute(String name, List<String> words) {
    Protobuf attribute = new Protobuf().text(ATTRIBUTE_NAME, name).number(ATTRIBUTE_TYPE, TYPE_STRINGS);
    words.forEach(word -> attribute.text(ATTRIBUTE_STRINGS, word));
    return attribute;
  }

  Protobuf message() {
    return graph;
  }

  private String constant(String requested, Type type, List<Integer> shape, Protobuf data) {
    String name = uniqueName(requested);
    shape.forEach(extent -> data.number(TENSOR_DIMENSION, extent));
    graph.message(GRAPH_INITIALIZER, data.number(TENSOR_TYPE, type.number).text(TENSOR_NAME, name));
    return name;
  }

  /** ValueInfoProto(name = 1, type = 2), TypeProto(tensor_type = 1), Tensor(elem_type = 1, shape = 2), Shape(dim = 1). */
  private static Protobuf value(String name, Type type, List<Integer> columns) {
    Protobuf shape = new Protobuf().message(1, new Protobuf().text(2, BATCH));
    columns.forEach(extent -> shape.message(1, new Protobuf().number(1, extent)));
    Protobuf tensor = new Protobuf().number(1, type.number).message(2, shape);
    return new Protobuf().text(1, name).message(2, new Protobuf().message(1, tensor));
  }

  private String uniqueName(String requested) {
    String name = requested.isEmpty() ? "_" : requested;
    while (!taken.add(name)) {
      name += "_";
    }
    return name;
  }
}
