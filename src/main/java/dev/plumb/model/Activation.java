package dev.plumb.model;

/**
 * The activation function of the hidden layers: a name alone. Every backend writes the formulas for itself, so that a wrong
 * derivative cannot be shared. What each means is what PyTorch means by it: leaky_relu has slope 0.01, elu alpha 1, softplus
 * beta 1 (but without PyTorch's straight line above 20, 2e-9 away), gelu is the exact one (erf); relu'(0) = 0.
 */
public enum Activation implements NamedEnum {
  LINEAR,
  RELU,
  LEAKY_RELU,
  SIGMOID,
  TANH,
  SOFTPLUS,
  ELU,
  GELU,
  SILU;

  /** @throws InvalidInputException when there is no activation of that name; the message lists all */
  public static Activation of(String name) {
    return NamedEnum.parse(Activation.class, "activation", name);
  }
}
