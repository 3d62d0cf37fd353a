package dev.plumb.model;

/**
 * What training makes small: a name alone, the formulas stand in every backend. All are means over the batch, the regressions
 * and binary_cross_entropy over the outputs too; huber has delta 1; both cross-entropies take logits.
 */
public enum Loss implements NamedEnum {
  MSE,
  MAE,
  HUBER,
  /** Softmax over the outputs; the targets are class indices. */
  CROSS_ENTROPY,
  /** A sigmoid on each output; the targets are numbers in [0, 1]. */
  BINARY_CROSS_ENTROPY;

  /** Whether an output row stands for a class, so that hits can be counted. */
  public boolean isClassification() {
    return this == CROSS_ENTROPY || this == BINARY_CROSS_ENTROPY;
  }

  /** @throws InvalidInputException when there is no loss of that name; the message lists all */
  public static Loss of(String name) {
    return NamedEnum.parse(Loss.class, "loss", name);
  }
}
