package dev.plumb.backend.cuda.layered;

import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * Decides whether the kernels of {@code kernels/product_kernels.cuh} compute the products of a network, or cuBLAS ({@link CublasProducts}).
 * Small products leave most of a GPU idle, and cuBLAS divides them into several launches each. The number of replicas does not matter:
 * each of them gets the bits of the same network alone.
 *
 * @param allowed whether the kernels may be used at all
 */
public record SmallProducts(NetworkSpec network, Precision precision, boolean allowed) {
  /**
   * Operations of one product at most, a multiplication and an addition counting as two. On an H200 the three products of a layer took
   * as long either way at 1.3e8 and 2.7e8 operations; with TF32 in cuBLAS but not in the kernels, at 1e8 (kernels/MEASURED.md). The
   * kernels of TF32 (kernels/product_tf32.cu) and fp64 were not measured.
   */
  private static final double MAX_OPERATIONS = 2e8;
  private static final double MAX_TF32_OPERATIONS = 1.1e8;
  private static final double MAX_FP64_OPERATIONS = 5e7;
  /** One block adds up a weight's gradient over all rows: with few weights both took as long at 2,048 rows. */
  private static final int MAX_ROWS = 1024;

  /** Returns whether the kernels compute all products over so many rows, forward and backward. */
  boolean areUsed(int rows) {
    if (!allowed || rows > MAX_ROWS) {
      return false;
    }
    double max = switch (precision) {
      case TF32 -> MAX_TF32_OPERATIONS;
      case FP64 -> MAX_FP64_OPERATIONS;
      default -> MAX_OPERATIONS;
    };
    for (int i = 0; i < network.layerCount(); i++) {
      LayerSpec layer = network.layer(i);
      if (2.0 * rows * layer.in() * layer.out() > max) {
        return false;
      }
    }
    return true;
  }
}
