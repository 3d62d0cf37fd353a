package dev.plumb.backend;

import dev.plumb.model.LayerSpec;
import dev.plumb.model.Normalization;
import java.util.List;

/** The intermediate values of a step that can be read, each [batch x units of the layer] row-major. */
public enum Tap {
  /** Pre-activations Z: weighted sums plus bias. */
  PRE,
  /** Outputs of the layer: activations of Z, or of the normalized Z, after dropout, plus the input of a residual layer. */
  POST,
  /** Gradient of the loss with respect to Z. */
  DELTA,
  /** Normalized pre-activations H, after scale and shift; only in layers with a normalization. */
  NORMALIZED;

  /** Returns the values that a layer has. */
  public static List<Tap> of(LayerSpec layer) {
    return layer.normalization() == Normalization.NONE ? List.of(PRE, POST, DELTA) : List.of(values());
  }
}
