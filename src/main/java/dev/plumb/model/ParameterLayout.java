package dev.plumb.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Layout of a network's flat parameter vector. First W [out x in] row-major and b [out] of each layer from the inputs; then scale
 * and shift [out] of each normalized layer; then, with batch normalization, running mean and running variance [out] of each
 * normalized layer. Gradients and moments have the same layout, in every backend. The running statistics are not trained: their
 * gradients and moments are 0, and steps write them.
 */
public final class ParameterLayout {
  /** What the elements of a tensor are. */
  public enum Kind {
    /** W [out x in]. */
    WEIGHT(".weight"),
    /** b [out]. */
    BIAS(".bias"),
    /** Scale of a normalization [out]. */
    SCALE(".norm.weight"),
    /** Shift of a normalization [out]. */
    SHIFT(".norm.bias"),
    /** Running mean of a batch normalization [out]. */
    RUNNING_MEAN(".norm.running_mean"),
    /** Running variance of a batch normalization [out], with Bessel's correction. */
    RUNNING_VARIANCE(".norm.running_var");

    private final String suffix;

    Kind(String suffix) {
      this.suffix = suffix;
    }

    /**
     * Returns whether an optimizer updates the elements.
     *
     * @return false for running statistics
     */
    public boolean isTrained() {
      return this != RUNNING_MEAN && this != RUNNING_VARIANCE;
    }
  }

  /**
   * Tensor within the parameter vector.
   *
   * @param name layers.N.weight, layers.N.bias, layers.N.norm.weight and so on, N from 0
   * @param layer from 0
   * @param kind of the tensor
   * @param offset of its first element in the vector
   * @param rows number of outputs of the layer
   * @param columns number of inputs of the layer; 1 for a vector
   */
  public record Slice(String name, int layer, Kind kind, int offset, int rows, int columns) {
    /**
     * Returns the number of elements.
     *
     * @return rows times columns
     */
    public int size() {
      return rows * columns;
    }

    /**
     * Returns whether it is the bias of a layer.
     *
     * @return whether its kind is BIAS
     */
    public boolean isBias() {
      return kind == Kind.BIAS;
    }

    /**
     * Returns whether it has one element per unit.
     *
     * @return false for weight matrices
     */
    public boolean isVector() {
      return kind != Kind.WEIGHT;
    }

    /**
     * Returns the index of an element in brackets, for messages: [2,0] in a weight matrix, [2] in a vector.
     *
     * @param index flat index within the slice
     * @return the index with brackets
     */
    public String place(int index) {
      return isVector() ? "[" + index + "]" : "[" + index / columns + "," + index % columns + "]";
    }
  }

  private final Map<Kind, List<Slice>> byKind = new EnumMap<>(Kind.class);
  private final List<Slice> slices = new ArrayList<>();
  private final int trainedSize;
  private int size;

  private ParameterLayout(NetworkSpec network) {
    for (Kind kind : Kind.values()) {
      byKind.put(kind, new ArrayList<>());
    }
    add(network, network.layerCount(), Kind.WEIGHT, Kind.BIAS);
    int hidden = network.layerCount() - 1;
    if (network.normalization() != Normalization.NONE) {
      add(network, hidden, Kind.SCALE, Kind.SHIFT);
    }
    trainedSize = size;
    if (network.normalization() == Normalization.BATCH) {
      add(network, hidden, Kind.RUNNING_MEAN, Kind.RUNNING_VARIANCE);
    }
  }

  private void add(NetworkSpec network, int layers, Kind first, Kind second) {
    for (int l = 0; l < layers; l++) {
      LayerSpec layer = network.layer(l);
      for (Kind kind : List.of(first, second)) {
        Slice slice = new Slice("layers." + l + kind.suffix, l, kind, size, layer.out(), kind == Kind.WEIGHT ? layer.in() : 1);
        byKind.get(kind).add(slice);
        slices.add(slice);
        size += slice.size();
      }
    }
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
   * Returns the number of elements, including running statistics.
   *
   * @return the length of the vector
   */
  public int size() {
    return size;
  }

  /**
   * Returns the number of elements that an optimizer updates; they come first in the vector.
   *
   * @return {@link #size} without running statistics
   */
  public int trainedSize() {
    return trainedSize;
  }

  /**
   * Returns the weight matrix of a layer.
   *
   * @param layer from 0
   * @return its slice
   */
  public Slice weight(int layer) {
    return slice(Kind.WEIGHT, layer);
  }

  /**
   * Returns the bias of a layer.
   *
   * @param layer from 0
   * @return its slice
   */
  public Slice bias(int layer) {
    return slice(Kind.BIAS, layer);
  }

  /**
   * Returns a tensor of a layer.
   *
   * @param kind of the tensor
   * @param layer from 0
   * @return its slice
   * @throws IndexOutOfBoundsException when the layer has no such tensor
   */
  public Slice slice(Kind kind, int layer) {
    return byKind.get(kind).get(layer);
  }

  /**
   * Returns the tensors of a layer.
   *
   * @param layer from 0
   * @return weight, bias, and those of its normalization, in the order of {@link Kind}
   */
  public List<Slice> slices(int layer) {
    return byKind.values().stream().filter(list -> layer < list.size()).map(list -> list.get(layer)).toList();
  }

  /**
   * Returns all tensors in the order of backpropagation: of each layer from the last one those of its normalization, bias and
   * weight.
   *
   * @return the tensors of {@link #slices()}
   */
  public List<Slice> backwards() {
    List<Slice> backwards = new ArrayList<>();
    for (int layer = 0; layer < byKind.get(Kind.WEIGHT).size(); layer++) {
      backwards.addAll(slices(layer));
    }
    Collections.reverse(backwards);
    return backwards;
  }

  /**
   * Returns all tensors in the order of the vector; together they cover it without gap or overlap.
   *
   * @return at least two slices per layer
   */
  public List<Slice> slices() {
    return List.copyOf(slices);
  }
}
