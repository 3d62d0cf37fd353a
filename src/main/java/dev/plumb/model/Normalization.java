package dev.plumb.model;

/**
 * Normalization of the pre-activations Z of hidden layers, before the activation (PyTorch's BatchNorm1d and LayerNorm with their
 * default settings). H = scale · (Z - mean) / sqrt(variance + {@value #EPSILON}) + shift, with a learned scale and shift per unit;
 * scale is initially 1, shift 0.
 */
public enum Normalization implements NamedEnum {
  /** H = Z. */
  NONE,
  /**
   * Mean and variance of each unit over the batch (Ioffe and Szegedy 2015). A training step uses the variance without Bessel's
   * correction, and updates the running mean and the running variance, with the correction, by {@value #MOMENTUM} of the
   * difference; they are initially 0 and 1. Inference uses the running statistics. A batch needs at least 2 rows.
   */
  BATCH,
  /** Mean and variance of each row over the units, without Bessel's correction (Ba et al. 2016). */
  LAYER;

  /** Added to variances. */
  public static final double EPSILON = 1e-5;

  /** The weight of a batch's statistics in the running statistics. */
  public static final double MOMENTUM = 0.1;

  /**
   * Returns the normalization of a name: none, batch or layer.
   *
   * @param name in lower case
   * @return the normalization
   * @throws InvalidInputException when there is no normalization of that name; the message lists all
   */
  public static Normalization of(String name) {
    return NamedEnum.parse(Normalization.class, "normalization", name);
  }
}
