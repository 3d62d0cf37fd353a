package dev.plumb.backend.cuda;

import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * Decides whether the kernels of {@code kernels/product.cu} compute the products of a network, or cuBLAS ({@link Products}). Small
 * products leave most of a GPU idle, and cuBLAS divides them into several launches each. The number of replicas does not matter: each
 * of them gets the bits of the same network alone.
 *
 * @param allowed whether the kernels may be used at all
 */
record SmallProducts(NetworkSpec network, Precision precision, boolean allowed) {
  /** Of one product, a multiplication and an addition counting as two. */
  private static final double MAX_OPERATIONS = 3e8;
  /** The kernels do not use TF32's tensor cores, as cuBLAS does. */
  private static final double MAX_TF32_OPERATIONS = 1.5e8;
  /** One block adds up a weight's gradient over all rows. */
  private static final int MAX_ROWS = 4096;

  /** Returns whether the kernels compute all products over so many rows, forward and backward. */
  boolean serve(int rows) {
    if (!allowed || rows > MAX_ROWS) {
      return false;
    }
    double max = precision == Precision.TF32 ? MAX_TF32_OPERATIONS : MAX_OPERATIONS;
    for (int i = 0; i < network.layerCount(); i++) {
      LayerSpec layer = network.layer(i);
      if (2.0 * rows * layer.in() * layer.out() > max) {
        return false;
      }
    }
    return true;
  }
}
