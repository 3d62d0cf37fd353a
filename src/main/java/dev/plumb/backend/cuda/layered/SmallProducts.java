package dev.plumb.backend.cuda.layered;

import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * The choice between Plumb's kernels ({@code kernels/product_kernels.cuh}) and cuBLAS ({@link CublasProducts}) for the products
 * of a network. Small products leave most of a GPU idle, and cuBLAS needs several launches for each. The choice does not depend
 * on the number of replicas, so each replica gets the same bits as a single network. There are no kernels for bf16, and none for
 * networks with normalization or residual connections.
 *
 * @param allowed whether Plumb's kernels may be used
 */
public record SmallProducts(NetworkSpec network, Precision precision, boolean allowed) {
  /**
   * The largest number of operations of a small product; a multiplication and an addition count as two. On an H200 both ways took
   * the same time for the three products of a layer at 1.3e8 and 2.7e8 operations; with TF32 only in cuBLAS, at 1e8
   * (kernels/MEASURED.md). The kernels for TF32 (kernels/product_tf32.cu) were measured with 784-512-512-10 and 128 rows only,
   * where they were faster than cuBLAS; those for fp64 were not.
   */
  private static final double MAX_OPERATIONS = 2e8;
  private static final double MAX_TF32_OPERATIONS = 1.1e8;
  private static final double MAX_FP64_OPERATIONS = 5e7;
  /**
   * The largest number of rows: one block sums a weight's gradient over all rows, and with few weights both ways took the same
   * time at 2,048, with four warps per block; there are two now.
   */
  static final int MAX_ROWS = 1024;

  /** Returns whether Plumb's kernels compute all products over a number of rows, forward and backward. */
  boolean areUsed(int rows) {
    if (!allowed || rows > MAX_ROWS || precision.roundsFactors() || !network.isPlain()) {
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

  /**
   * Returns whether a step computes the loss in the launch of the last layer: where Plumb's kernels compute the products, and one
   * warp has all outputs of a row. A network of one layer, whose inputs may be rows of the data, has a launch for the loss.
   */
  boolean includeLoss(int rows) {
    return areUsed(rows) && network.layerCount() > 1 && network.outputs() <= LayerNodes.COLUMNS_OF_PRODUCT_TILE;
  }
}
