package dev.plumb.model;

/**
 * Dense layer: Z = A·Wᵀ + b, then the activation. A is [batch x in], W [out x in], b [out], Z [batch x out].
 *
 * @param in number of inputs, at least 1
 * @param out number of units, at least 1
 * @param activation applied to Z; linear for the last layer of a network
 */
public record LayerSpec(int in, int out, Activation activation) {
  /**
   * Validates the layer.
   *
   * @param in number of inputs, at least 1
   * @param out number of units, at least 1
   * @param activation applied to Z; linear for the last layer of a network
   * @throws InvalidInputException when a width is below 1 or the activation is null
   */
  public LayerSpec {
    if (in < 1 || out < 1) {
      throw new InvalidInputException("a layer of " + in + " inputs and " + out + " outputs: both must be at least 1");
    }
    if (activation == null) {
      throw new InvalidInputException("a layer needs an activation; one of "
          + String.join(", ", NamedEnum.keys(Activation.class)));
    }
  }
}
