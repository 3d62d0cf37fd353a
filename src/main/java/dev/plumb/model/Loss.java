package dev.plumb.model;

/**
 * What training makes small: a name alone, the formulas stand in every backend. All are means over the batch, the regressions
 * and binary_cross_entropy over the outputs too; huber has delta 1; both cross-entropies take logits.
 */
public enum Loss implements Keyed {
  MSE("mse"),
  MAE("mae"),
  HUBER("huber"),
  /** Softmax over the outputs; the targets are class indices. */
  CROSS_ENTROPY("cross_entropy"),
  /** A sigmoid on each output; the targets are numbers in [0, 1]. */
  BINARY_CROSS_ENTROPY("binary_cross_entropy");

  private final String key;

  Loss(String key) {
    this.key = key;
  }

  @Override
  public String key() {
    return key;
  }

  /** Whether an output row stands for a class, so that hits can be counted. */
  public boolean isClassification() {
    return this == CROSS_ENTROPY || this == BINARY_CROSS_ENTROPY;
  }

  /** @throws InvalidInputException when there is no loss of that name; the message lists all */
  public static Loss of(String name) {
    return Keyed.parse(Loss.class, "loss", name);
  }
}
