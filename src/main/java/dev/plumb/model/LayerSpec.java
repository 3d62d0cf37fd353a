package dev.plumb.model;

/**
 * Dense layer: Z = A·Wᵀ + b, then the normalization, the activation and the residual connection. A is [batch x in], W [out x in],
 * b [out], Z [batch x out].
 *
 * @param in number of inputs, at least 1
 * @param out number of units, at least 1
 * @param activation applied to Z; linear for the last layer of a network
 * @param normalization of Z, before the activation
 * @param residual whether A is added to the layer's output; only with as many units as inputs
 */
public record LayerSpec(int in, int out, Activation activation, Normalization normalization, boolean residual) {
  /**
   * Validates the layer.
   *
   * @param in number of inputs, at least 1
   * @param out number of units, at least 1
   * @param activation applied to Z; linear for the last layer of a network
   * @param normalization of Z, before the activation
   * @param residual whether A is added to the layer's output; only with as many units as inputs
   * @throws InvalidInputException when a width is below 1, the activation or the normalization is null, or a residual connection
   *     has different widths at its ends
   */
  public LayerSpec {
    if (in < 1 || out < 1) {
      throw new InvalidInputException("a layer of " + in + " inputs and " + out + " outputs: both must be at least 1");
    }
    if (activation == null) {
      throw new InvalidInputException("a layer needs an activation; one of "
          + String.join(", ", NamedEnum.keys(Activation.class)));
    }
    if (normalization == null) {
      throw new InvalidInputException("a layer needs a normalization; one of "
          + String.join(", ", NamedEnum.keys(Normalization.class)));
    }
    if (residual && in != out) {
      throw new InvalidInputException("a residual connection needs as many units as inputs, but the layer has " + out
          + " units and " + in + " inputs");
    }
  }

  /**
   * Describes a layer without normalization and residual connection.
   *
   * @param in number of inputs, at least 1
   * @param out number of units, at least 1
   * @param activation applied to Z
   * @throws InvalidInputException when a width is below 1 or the activation is null
   */
  public LayerSpec(int in, int out, Activation activation) {
    this(in, out, activation, Normalization.NONE, false);
  }

  /**
   * Returns whether the layer is only a product, an activation and dropout.
   *
   * @return whether it has neither a normalization nor a residual connection
   */
  public boolean isPlain() {
    return normalization == Normalization.NONE && !residual;
  }
}
