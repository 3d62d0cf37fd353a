package dev.plumb.model;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Architecture of a multilayer perceptron. All hidden layers use the same activation and normalization; the last layer is linear
 * and not normalized, so that its outputs are logits for the cross-entropies.
 *
 * @param widths number of units from the inputs to the outputs: [3, 8, 8, 1] has three inputs, two hidden layers of 8 and one
 *     output
 * @param activation of the hidden layers
 * @param normalization of the hidden layers, between Z and the activation
 * @param residual whether hidden layers with as many units as inputs add their input to their output
 */
public record NetworkSpec(List<Integer> widths, Activation activation, Normalization normalization, boolean residual) {
  /** Limit of a Java array, which holds the parameter vector. */
  private static final long MAX_PARAMETERS = Integer.MAX_VALUE - 8;

  /** Length from which a run of equal hidden widths is abbreviated: 8x16 for eight layers of 16 units. */
  private static final int LONG_RUN = 5;

  /**
   * Validates the widths.
   *
   * @param widths number of units from the inputs to the outputs: [3, 8, 8, 1] has three inputs, two hidden layers of 8 and one
   *     output
   * @param activation of the hidden layers
   * @param normalization of the hidden layers, between Z and the activation
   * @param residual whether hidden layers with as many units as inputs add their input to their output
   * @throws InvalidInputException when there are fewer than two widths, one is below 1, the activation or the normalization is
   *     null, or the network has more parameters than an array holds
   */
  public NetworkSpec {
    if (widths == null || widths.size() < 2) {
      throw new InvalidInputException("layers " + (widths == null ? "are missing" : widths.toString())
          + ": at least two widths are needed, the inputs and the outputs, like [3, 8, 1]");
    }
    for (int i = 0; i < widths.size(); i++) {
      Integer width = widths.get(i);
      if (width == null || width < 1) {
        throw new InvalidInputException("layers " + Excerpt.of(widths.toString()) + ": width " + width + " at position " + (i + 1)
            + " must be at least 1");
      }
    }
    if (activation == null) {
      throw new InvalidInputException("a network needs an activation; one of "
          + String.join(", ", NamedEnum.keys(Activation.class)));
    }
    if (normalization == null) {
      throw new InvalidInputException("a network needs a normalization; one of "
          + String.join(", ", NamedEnum.keys(Normalization.class)));
    }
    widths = List.copyOf(widths);
    int perUnit = normalization == Normalization.NONE ? 1 : normalization == Normalization.LAYER ? 3 : 5;
    long parameters = 0;
    for (int layer = 0; layer + 1 < widths.size() && parameters <= MAX_PARAMETERS; layer++) {
      parameters += ((long) widths.get(layer) + perUnit) * widths.get(layer + 1);
    }
    if (parameters > MAX_PARAMETERS) {
      throw new InvalidInputException("layers " + Excerpt.of(widths.toString()) + " have more than " + MAX_PARAMETERS
          + " parameters, the maximum of one network; make them narrower");
    }
  }

  /**
   * Describes a network without normalization and residual connections.
   *
   * @param widths number of units from the inputs to the outputs
   * @param activation of the hidden layers
   * @throws InvalidInputException when the widths are invalid
   */
  public NetworkSpec(List<Integer> widths, Activation activation) {
    this(widths, activation, Normalization.NONE, false);
  }

  /**
   * Returns the specification of a network without normalization and residual connections; the {@code with} methods change these.
   *
   * @param activation of the hidden layers
   * @param widths number of units from the inputs to the outputs
   * @return the specification
   * @throws InvalidInputException when the widths are invalid
   */
  public static NetworkSpec of(Activation activation, int... widths) {
    return new NetworkSpec(IntStream.of(widths).boxed().toList(), activation);
  }

  /**
   * Returns this network with another normalization of its hidden layers.
   *
   * @param other normalization
   * @return the changed specification
   */
  public NetworkSpec withNormalization(Normalization other) {
    return new NetworkSpec(widths, activation, other, residual);
  }

  /**
   * Returns this network with or without residual connections: A[l] = A[l-1] + f(norm(Z[l])) in hidden layers with as many units
   * as inputs, with A[-1] = X (He et al. 2016).
   *
   * @param other whether layers add their input to their output
   * @return the changed specification
   */
  public NetworkSpec withResidual(boolean other) {
    return new NetworkSpec(widths, activation, normalization, other);
  }

  /**
   * Returns whether every layer is only a product, an activation and dropout.
   *
   * @return whether no layer is normalized or has a residual connection
   */
  public boolean isPlain() {
    return (normalization == Normalization.NONE || layerCount() == 1) && !hasResiduals();
  }

  /**
   * Returns whether any layer needs the statistics of a batch.
   *
   * @return whether there is a hidden layer with batch normalization
   */
  public boolean usesBatchStatistics() {
    return normalization == Normalization.BATCH && layerCount() > 1;
  }

  /**
   * Returns whether any layer has a residual connection.
   *
   * @return false also if no hidden layer has as many units as inputs
   */
  public boolean hasResiduals() {
    boolean any = false;
    for (int l = 0; l < layerCount() - 1; l++) {
      any |= residual && widths.get(l).equals(widths.get(l + 1));
    }
    return any;
  }

  /**
   * Returns the number of inputs.
   *
   * @return the first width
   */
  public int inputs() {
    return widths.get(0);
  }

  /**
   * Returns the number of outputs.
   *
   * @return the last width
   */
  public int outputs() {
    return widths.get(widths.size() - 1);
  }

  /**
   * Returns the number of dense layers, including the output layer: 3 for [3, 8, 8, 1].
   *
   * @return at least 1
   */
  public int layerCount() {
    return widths.size() - 1;
  }

  /**
   * Returns one layer.
   *
   * @param index from 0, the layer that reads the inputs, to {@code layerCount() - 1}, the linear output layer
   * @return its specification
   */
  public LayerSpec layer(int index) {
    boolean last = index == layerCount() - 1;
    int in = widths.get(index);
    int out = widths.get(index + 1);
    return last
        ? new LayerSpec(in, out, Activation.LINEAR)
        : new LayerSpec(in, out, activation, normalization, residual && in == out);
  }

  /**
   * Returns what the hidden layers consist of, for messages: relu, or relu, batch normalization, residual.
   *
   * @return the activation, followed by {@link #additions}
   */
  public String description() {
    return activation.key() + additions();
  }

  /**
   * Returns the parts of the hidden layers other than product and activation, each after a comma: ", batch normalization, residual".
   *
   * @return an empty text without normalization and residual connections
   */
  public String additions() {
    return (normalization == Normalization.NONE ? "" : ", " + normalization.key() + " normalization")
        + (hasResiduals() ? ", residual" : "");
  }

  /**
   * Returns the widths in one word, with long runs of equal hidden layers abbreviated: 3-6-6-1, 3-8x16-1 (eight hidden layers of
   * 16 units).
   *
   * @return the word
   */
  public String shape() {
    StringBuilder shape = new StringBuilder();
    shape.append(inputs());
    int output = widths.size() - 1;
    int i = 1;
    while (i < output) {
      int end = i;
      while (end < output && widths.get(end).equals(widths.get(i))) {
        end++;
      }
      boolean shorten = end - i >= LONG_RUN;
      shape.append('-').append(shorten ? (end - i) + "x" + widths.get(i) : widths.get(i).toString());
      i = shorten ? end : i + 1;
    }
    return shape.append('-').append(outputs()).toString();
  }
}
