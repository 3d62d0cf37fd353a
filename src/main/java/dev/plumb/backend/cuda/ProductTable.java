package dev.plumb.backend.cuda;

import dev.plumb.backend.cuda.Products.Matrix;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/** The layers of a step as {@code product_weight_gradients} reads them, and the tiles of their gradients. */
final class ProductTable {
  /** struct ProductLayer of kernels/product.cu, in its order. */
  private static final int WORDS_OF_LAYER = 7;
  /** ROWS and COLUMNS of WeightsDivision of kernels/product.cu. */
  private static final int UNITS_OF_TILE = 32;
  private static final int INPUTS_OF_TILE = 32;
  /** WARP: units of a bias gradient that one block sums. */
  private static final int UNITS_OF_BIAS_TILE = 32;

  private final NetworkSpec network;
  private final PaddedLayout layout;
  private final Precision precision;
  private final long[] words;
  private int tiles;
  private int layers;

  ProductTable(NetworkSpec network, Precision precision) {
    this.network = network;
    this.precision = precision;
    layout = new PaddedLayout(network, precision);
    words = new long[network.layerCount() * WORDS_OF_LAYER];
  }

  /** Returns the size of a table on the device. */
  static long bytes(NetworkSpec network) {
    return (long) network.layerCount() * WORDS_OF_LAYER * Long.BYTES;
  }

  /**
   * Adds the next layer, from the first one on.
   *
   * @param delta dLoss/dZ [n x out]
   * @param in [n x in]
   */
  void add(Matrix delta, Matrix in) {
    LayerSpec spec = network.layer(layers);
    boolean packed = delta.isPacked(spec.out(), precision) && in.isPacked(spec.in(), precision);
    long[] entry = {
      delta.address(), in.address(), in.stride(), layout.weight(layers), layout.bias(layers), ints(spec.in(), spec.out()),
      ints(tiles, packed ? 1 : 0),
    };
    System.arraycopy(entry, 0, words, layers * WORDS_OF_LAYER, WORDS_OF_LAYER);
    tiles += (int) (Launches.ceilDiv(spec.out(), UNITS_OF_TILE) * Launches.ceilDiv(spec.in(), INPUTS_OF_TILE)
        + Launches.ceilDiv(spec.out(), UNITS_OF_BIAS_TILE));
    layers++;
  }

  /** Two ints that follow each other, on a little-endian machine. */
  private static long ints(int first, int second) {
    return first & 0xFFFF_FFFFL | (long) second << 32;
  }

  /** Returns the words of all layers, to be copied to the device. */
  long[] words() {
    return words;
  }

  /** Returns the number of blocks per replica. */
  int tiles() {
    return tiles;
  }
}
