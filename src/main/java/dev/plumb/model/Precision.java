package dev.plumb.model;

/** In which numbers a backend computes. The reference computes in double whatever is asked for. */
public enum Precision implements Keyed {
  /** IEEE double. */
  FP64("fp64"),
  /** IEEE single, products included (never TF32). */
  FP32("fp32"),
  /** Single, with matrix products on TF32 tensor cores. */
  TF32("tf32"),
  /** bfloat16 storage of activations, single-precision sums. */
  BF16("bf16");

  private final String key;

  Precision(String key) {
    this.key = key;
  }

  @Override
  public String key() {
    return key;
  }

  /** @throws InvalidInputException when there is no precision of that name; the message lists all */
  public static Precision of(String name) {
    return Keyed.parse(Precision.class, "precision", name);
  }
}
