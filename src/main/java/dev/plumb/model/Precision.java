package dev.plumb.model;

/** In which numbers a backend computes. The reference computes in double whatever is asked for. */
public enum Precision implements NamedEnum {
  /** IEEE double. */
  FP64,
  /** IEEE single, products included (never TF32). */
  FP32,
  /** Single; matrix products use TF32 tensor cores where the device has them. */
  TF32,
  /** bfloat16 storage of activations, single-precision sums. */
  BF16;

  /**
   * Refuses a constant that becomes infinite or 0 when it is rounded to the numbers that this precision computes with.
   *
   * @param name of the constant, for the message
   */
  public void requireInRange(String name, double value) {
    float single = (float) value;
    if (this != FP64 && (Float.isInfinite(single) || single == 0 && value != 0)) {
      throw new InvalidInputException(name + " " + value + " is too " + (single == 0 ? "small" : "large") + " for " + key()
          + ", whose numbers lie between " + Float.MIN_VALUE + " and " + Float.MAX_VALUE + "; use precision " + FP64.key()
          + ", or another " + name);
    }
  }

  /** @throws InvalidInputException when there is no precision of that name; the message lists all */
  public static Precision of(String name) {
    return NamedEnum.parse(Precision.class, "precision", name);
  }
}
