package dev.plumb.check;

/** Mistakes of a {@link Bfloat16Backend}. */
enum Bfloat16Fault {
  NONE,
  FEATURES_TRUNCATED,
  WEIGHTS_TRUNCATED,
  ACTIVATIONS_TRUNCATED,
  DELTAS_TRUNCATED,
  FEATURES_IN_FP16,
  WEIGHTS_IN_FP16,
  ACTIVATIONS_IN_FP16,
  DELTAS_IN_FP16,
  ACTIVATIONS_NOT_ROUNDED,
  DELTAS_NOT_ROUNDED,
  /** Biases are rounded like weights. */
  BIASES_ROUNDED,
  /** Z is rounded before it is used. */
  SUMS_ROUNDED,
  /** The rounded weights stay those from before the first step. */
  WEIGHTS_NOT_REFRESHED,
  /** The backward pass reads weights that are not rounded. */
  BACKWARD_WEIGHTS_NOT_ROUNDED,
  /** A is rounded before and after dropout scales it. */
  DROPOUT_AFTER_ROUNDING,
  /** f' is taken at bfloat16 of Z. */
  DERIVATIVE_AT_ROUNDED_SUMS,
  BIAS_GRADIENT_OF_ROUNDED_DELTAS,
  WEIGHT_GRADIENT_OF_UNROUNDED_ACTIVATIONS,
  WEIGHT_GRADIENT_OF_UNROUNDED_DELTAS,
  /** The optimizer updates the rounded weights. */
  UPDATE_OF_ROUNDED_WEIGHTS,
  /** No mistake: 8 products at a time are added to a sum, which is truncated, as tensor cores do. */
  SUMS_TRUNCATED,
  /** The sum is truncated after every product. */
  EVERY_SUM_TRUNCATED
}
