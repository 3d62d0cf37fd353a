package dev.plumb.backend;

/** The intermediate values of a step that can be read, each [batch x units of the layer] row-major. */
public enum Tap {
  /** Pre-activations Z: weighted sums plus bias. */
  PRE,
  /** Activations A = f(Z), after dropout. */
  POST,
  /** Gradient of the loss with respect to Z. */
  DELTA
}
