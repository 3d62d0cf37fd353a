package dev.plumb.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Expected figures from src/test/resources/golden; its README says where each file comes from. */
public final class Golden {
  private Golden() {}

  public static JsonNode read(String file) {
    try (InputStream in = Golden.class.getResourceAsStream("/golden/" + file)) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static List<JsonNode> list(JsonNode array) {
    List<JsonNode> items = new ArrayList<>();
    array.forEach(items::add);
    return items;
  }

  public static int[] ints(JsonNode array) {
    return list(array).stream().mapToInt(JsonNode::intValue).toArray();
  }

  /** All numbers of an array, nested ones row by row. */
  public static double[] flat(JsonNode array) {
    List<Double> values = new ArrayList<>();
    collect(array, values);
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** Parameters or gradients as Plumb lays them out, W and b layer by layer, from two lists of layers. */
  public static double[] parameters(JsonNode weights, JsonNode biases) {
    List<Double> values = new ArrayList<>();
    for (int layer = 0; layer < weights.size(); layer++) {
      collect(weights.get(layer), values);
      collect(biases.get(layer), values);
    }
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static void collect(JsonNode node, List<Double> values) {
    if (node.isArray()) {
      node.forEach(item -> collect(item, values));
    } else {
      values.add(node.doubleValue());
    }
  }
}
