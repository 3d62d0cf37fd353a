package dev.plumb.check;

import dev.plumb.model.NamedEnum;

/** The values of a step that are compared, in the order of comparison. */
public enum Quantity implements NamedEnum {
  /** Z of a layer. */
  PRE,
  /** H of a layer with normalization. */
  NORMALIZED,
  /** A of a layer. */
  POST,
  /** D of a layer, the gradient of the loss with respect to Z. */
  DELTA,
  /** Loss of the batch before the update. */
  LOSS,
  /** Gradient of a layer's weights, biases, scales or shifts. */
  GRADIENT,
  /** First moment after the update. */
  MOMENT1,
  /** Second moment after the update. */
  MOMENT2,
  /** Weights, biases, scales, shifts or running statistics after the step. */
  PARAMETERS
}
