package dev.plumb.check;

import dev.plumb.model.NamedEnum;

/** What is compared of a step, in the order in which it is. */
public enum Quantity implements NamedEnum {
  /** Z of a layer. */
  PRE,
  /** A of a layer. */
  POST,
  /** D of a layer, the derivative of the loss by Z. */
  DELTA,
  /** Of the batch, before the update. */
  LOSS,
  /** dW or db of a layer. */
  GRADIENT,
  /** After the update. */
  MOMENT1,
  /** After the update. */
  MOMENT2,
  /** Weights or biases after the update. */
  PARAMETERS
}
