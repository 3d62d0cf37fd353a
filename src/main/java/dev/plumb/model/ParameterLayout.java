package dev.plumb.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Layout of a network's flat parameter vector, layer by layer from the inputs: W [out x in] row-major, then b [out]. Gradients
 * and moments have the same layout, in every backend.
 */
public final class ParameterLayout {
  /**
   * Tensor within the parameter vector.
   *
   * @param name layers.N.weight or layers.N.bias, N from 0
   * @param layer from 0
   * @param isBias whether it is a bias rather than a weight matrix
   * @param offset of its first element in the vector
   * @param rows number of outputs of the layer
   * @param columns number of inputs of the layer; 1 for a bias
   */
  public record Slice(String name, int layer, boolean isBias, int offset, int rows, int columns) {
    /**
     * Returns the number of elements.
     *
     * @return rows times columns
     */
    public int size() {
      return rows * columns;
    }

    /**
     * Returns the index of an element in brackets, for messages: [2,0] in a weight matrix, [2] in a bias.
     *
     * @param index flat index within the slice
     * @return the index with brackets
     */
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

  /**
   * Returns the layout of a network's parameters.
   *
   * @param network whose parameters are laid out
   * @return the layout
   */
  public static ParameterLayout of(NetworkSpec network) {
    return new ParameterLayout(network);
  }

  /**
   * Returns the number of parameters: weights and biases.
   *
   * @return the length of the vector
   */
  public int size() {
    return size;
  }

  /**
   * Returns the weight matrix of a layer.
   *
   * @param layer from 0
   * @return its slice
   */
  public Slice weight(int layer) {
    return weights.get(layer);
  }

  /**
   * Returns the bias of a layer.
   *
   * @param layer from 0
   * @return its slice
   */
  public Slice bias(int layer) {
    return biases.get(layer);
  }

  /**
   * Returns all slices in their order; together they cover the vector without gap or overlap.
   *
   * @return two slices per layer: weight, bias
   */
  public List<Slice> slices() {
    return List.copyOf(slices);
  }
}
