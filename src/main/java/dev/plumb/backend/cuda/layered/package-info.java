/**
 * Training steps layer by layer, with a launch or more per layer: matrix products in cuBLAS or in Plumb's kernels for small
 * products. Start with {@link dev.plumb.backend.cuda.layered.StepRunner}. Internal: not part of Plumb's API; it may change
 * without notice.
 */
package dev.plumb.backend.cuda.layered;
