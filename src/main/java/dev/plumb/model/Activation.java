package dev.plumb.model;

/**
 * Activation function of the hidden layers, defined as in PyTorch. The enum holds only the names: every backend implements the
 * formulas and derivatives independently, so that backends can be checked against each other.
 */
public enum Activation implements NamedEnum {
  /** z. */
  LINEAR,
  /** max(0, z), with derivative 0 at 0. */
  RELU,
  /** z for z above 0, otherwise 0.01 z. */
  LEAKY_RELU,
  /** 1 / (1 + e^-z). */
  SIGMOID,
  /** Hyperbolic tangent. */
  TANH,
  /** log(1 + e^z), with beta 1; without PyTorch's switch to z above 20, which differs by at most 2e-9. */
  SOFTPLUS,
  /** z for z above 0, otherwise e^z - 1 (alpha 1). */
  ELU,
  /** z Φ(z) with the exact normal distribution function (erf, not the tanh approximation). */
  GELU,
  /** z times the sigmoid of z. */
  SILU;

  /**
   * Returns the activation of a name, such as "relu".
   *
   * @param name in lower case
   * @return the activation
   * @throws InvalidInputException when there is no activation of that name; the message lists all
   */
  public static Activation of(String name) {
    return NamedEnum.parse(Activation.class, "activation", name);
  }
}
