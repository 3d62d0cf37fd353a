package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.cuda.device.Buffer;

/**
 * The buffers of a layer with a normalization or a residual connection; in each, the replicas follow one another.
 *
 * @param z Z without b [n x out]
 * @param a receives A [n x out]; may be the same buffer as z
 * @param statistics receives means and inverse deviations [2 x out] of a batch normalization or [2 x n] of a layer normalization; null
 *     if the layer has no normalization, and for a batch normalization outside of steps
 * @param used receives copies of b, and with a normalization of scale and shift, [1 or 3 x out], for {@link StepRunner#tap}; null
 *     outside of steps, where batch normalizations use the running statistics
 * @param kept the dropout mask; null without dropout
 */
public record LayerBuffers(Buffer z, Buffer a, Buffer statistics, Buffer used, Buffer kept) {}
