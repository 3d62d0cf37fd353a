package dev.plumb.model;

/** Floating-point precision of a training. The reference backend always computes in double. */
public enum Precision implements NamedEnum {
  /** IEEE double precision. */
  FP64,
  /** IEEE single precision, also for matrix products (never TF32). */
  FP32,
  /** Single precision; matrix products use TF32 tensor cores where the device has them. */
  TF32,
  /**
   * Mixed precision: the factors of matrix products are rounded to bfloat16, sums and everything else are single-precision. For
   * devices with tensor cores.
   */
  BF16;

  /** Returns the precision in which parameters are stored, FP64 or FP32; every device computes in both. */
  public Precision storage() {
    return this == FP64 ? FP64 : FP32;
  }

  /**
   * Returns whether the factors of matrix products are stored rounded to {@link Bfloat16}: features, weights, activations of
   * hidden layers, and the gradients of the loss with respect to pre-activations.
   */
  public boolean roundsFactors() {
    return this == BF16;
  }

  /**
   * Checks that a hyperparameter does not become infinite or 0 when it is rounded to this precision.
   *
   * @param name of the hyperparameter, for the message
   * @param value of it
   * @throws InvalidInputException when it does
   */
  public void requireInRange(String name, double value) {
    float single = (float) value;
    if (this != FP64 && (Float.isInfinite(single) || single == 0 && value != 0)) {
      throw new InvalidInputException(name + " " + value + " is too " + (single == 0 ? "small" : "large") + " for " + key()
          + ", whose numbers lie between " + Float.MIN_VALUE + " and " + Float.MAX_VALUE + "; use precision " + FP64.key()
          + ", or another " + name);
    }
  }

  /**
   * Returns the precision of a name, such as "fp32".
   *
   * @param name in lower case
   * @return the precision
   * @throws InvalidInputException when there is no precision of that name; the message lists all
   */
  public static Precision of(String name) {
    return NamedEnum.parse(Precision.class, "precision", name);
  }
}
