package dev.plumb.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Where each weight and bias stands in a network's flat parameter vector; the same in every backend, and for gradients and
 * moments too. Layer by layer from the inputs: W [out x in] row-major, then b [out].
 */
public final class ParameterLayout {
  /**
   * One tensor of the vector.
   *
   * @param name layers.N.weight or layers.N.bias, N from 0
   * @param offset of its first element
   * @param rows out
   * @param columns in for weights; 1 for a bias
   */
  public record Slice(String name, int layer, boolean isBias, int offset, int rows, int columns) {
    public int size() {
      return rows * columns;
    }

    /** The place of an element by its flat index within the slice: [2,0] in a weight, [2] in a bias. */
    public String place(int index) {
      return isBias ? "[" + index + "]" : "[" + index / columns + "," + index % columns + "]";
    }
  }

  private final List<Slice> weights = new ArrayList<>();
  private final List<Slice> biases = new ArrayList<>();
  private final List<Slice> slices = new ArrayList<>();
  private final int size;

  private ParameterLayout(NetworkSpec network) {
    int offset = 0;
    for (int l = 0; l < network.layerCount(); l++) {
      LayerSpec layer = network.layer(l);
      Slice weight = new Slice("layers." + l + ".weight", l, false, offset, layer.out(), layer.in());
      Slice bias = new Slice("layers." + l + ".bias", l, true, offset + weight.size(), layer.out(), 1);
      weights.add(weight);
      biases.add(bias);
      slices.add(weight);
      slices.add(bias);
      offset = bias.offset() + bias.size();
    }
    size = offset;
  }

  public static ParameterLayout of(NetworkSpec network) {
    return new ParameterLayout(network);
  }

  /** The number of parameters, weights and biases. */
  public int size() {
    return size;
  }

  public Slice weight(int layer) {
    return weights.get(layer);
  }

  public Slice bias(int layer) {
    return biases.get(layer);
  }

  /** All slices in the order they stand in; together they cover the vector without gap or overlap. */
  public List<Slice> slices() {
    return List.copyOf(slices);
  }
}
