package dev.plumb.model;

/**
 * Loss function that training minimizes. All losses are means over the batch, weighted if the rows have weights:
 * Σ weight·loss / Σ weight. The regression losses and binary_cross_entropy are means over the outputs too. The enum holds only the
 * names: every backend implements the formulas independently.
 */
public enum Loss implements NamedEnum {
  /** Mean squared error. */
  MSE,
  /** Mean absolute error. */
  MAE,
  /** Huber loss with delta 1. */
  HUBER,
  /** Softmax cross-entropy of logits; the targets are class indices. */
  CROSS_ENTROPY,
  /** Sigmoid cross-entropy of each logit; the targets are numbers in [0, 1]. */
  BINARY_CROSS_ENTROPY;

  /**
   * Returns whether predictions are classes, so that an accuracy can be computed.
   *
   * @return true for the cross-entropies
   */
  public boolean isClassification() {
    return this == CROSS_ENTROPY || this == BINARY_CROSS_ENTROPY;
  }

  /**
   * Returns the loss of a name, such as "mse".
   *
   * @param name in lower case
   * @return the loss
   * @throws InvalidInputException when there is no loss of that name; the message lists all
   */
  public static Loss of(String name) {
    return NamedEnum.parse(Loss.class, "loss", name);
  }
}
