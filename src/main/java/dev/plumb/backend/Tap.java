package dev.plumb.backend;

/** Places inside a step where values can be read, each [batch x units of the layer] row-major. */
public enum Tap {
  /** Z, the weighted sums with their bias. */
  PRE,
  /** A, the activation of Z, behind dropout. */
  POST,
  /** The derivative of the loss by Z. */
  DELTA
}
