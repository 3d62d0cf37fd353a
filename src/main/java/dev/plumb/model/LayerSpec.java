package dev.plumb.model;

/**
 * One dense layer: Z = A·Wᵀ + b, then the activation. A is [batch x in], W [out x in], b [out], Z [batch x out].
 *
 * @param in units of the layer before, at least 1
 * @param out units of this layer, at least 1
 * @param activation applied to Z; linear for the last layer of a network
 */
public record LayerSpec(int in, int out, Activation activation) {
  public LayerSpec {
    if (in < 1 || out < 1) {
      throw new InvalidInputException("a layer of " + in + " inputs and " + out + " outputs: both must be at least 1");
    }
    if (activation == null) {
      throw new InvalidInputException("a layer needs an activation; one of " + String.join(", ", NamedEnum.keys(Activation.class)));
    }
  }
}
