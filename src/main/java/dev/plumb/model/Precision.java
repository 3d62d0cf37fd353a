package dev.plumb.model;

/** In which numbers a backend computes. The reference computes in double whatever is asked for. */
public enum Precision implements Keyed {
  /** IEEE double. */
  FP64,
  /** IEEE single, products included (never TF32). */
  FP32,
  /** Single, with matrix products on TF32 tensor cores. */
  TF32,
  /** bfloat16 storage of activations, single-precision sums. */
  BF16;

  /** @throws InvalidInputException when there is no precision of that name; the message lists all */
  public static Precision of(String name) {
    return Keyed.parse(Precision.class, "precision", name);
  }
}
