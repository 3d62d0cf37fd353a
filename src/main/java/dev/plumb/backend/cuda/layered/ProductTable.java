package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/** The table of layers that {@code product_weight_gradients} reads, and the tiles of their gradients. */
final class ProductTable {
  /** struct ProductLayer of kernels/product_kernels.cuh, in its order. */
  private static final int WORDS_OF_LAYER = 7;
  /** ROWS and COLUMNS of WeightsDivision of kernels/product.cu, and of FragmentWeights of kernels/product_tf32.cu. */
  private static final int UNITS_OF_TILE = 32;
  private static final int INPUTS_OF_TILE = 32;
  /** WARP of these: units of a bias gradient that one block sums. */
  private static final int UNITS_OF_BIAS_TILE = 32;

  private final NetworkSpec network;
  private final PaddedLayout layout;
  private final Precision precision;
  private final long[] words;
  private final int[] firstTiles;
  private int layers;

  ProductTable(NetworkSpec network, Precision precision) {
    this.network = network;
    this.precision = precision;
    layout = new PaddedLayout(network, precision);
    words = new long[network.layerCount() * WORDS_OF_LAYER];
    firstTiles = firstTiles(network);
  }

  /** Returns the size of a table in bytes. */
  static long bytes(NetworkSpec network) {
    return (long) network.layerCount() * WORDS_OF_LAYER * Long.BYTES;
  }

  /** Returns the first tile of each tensor's gradient, [tensors + 1]; the last is the number of tiles. */
  static int[] firstTiles(NetworkSpec network) {
    int[] first = new int[2 * network.layerCount() + 1];
    for (int layer = 0; layer < network.layerCount(); layer++) {
      LayerSpec spec = network.layer(layer);
      first[2 * layer + 1] = first[2 * layer]
          + (int) (Launches.ceilDiv(spec.out(), UNITS_OF_TILE) * Launches.ceilDiv(spec.in(), INPUTS_OF_TILE));
      first[2 * layer + 2] = first[2 * layer + 1] + (int) Launches.ceilDiv(spec.out(), UNITS_OF_BIAS_TILE);
    }
    return first;
  }

  /** Returns the number of blocks per replica. */
  static int tiles(NetworkSpec network) {
    return firstTiles(network)[2 * network.layerCount()];
  }

  /**
   * Adds the next layer, beginning with the first.
   *
   * @param delta dLoss/dZ [n x out]
   * @param in [n x in]
   */
  void add(Matrix delta, Matrix in) {
    LayerSpec spec = network.layer(layers);
    boolean packed = delta.isPacked(spec.out(), precision) && in.isPacked(spec.in(), precision);
    long[] entry = {
      delta.address(), in.address(), in.stride(), layout.weight(layers), layout.bias(layers), ints(spec.in(), spec.out()),
      ints(firstTiles[2 * layers], packed ? 1 : 0),
    };
    System.arraycopy(entry, 0, words, layers * WORDS_OF_LAYER, WORDS_OF_LAYER);
    layers++;
  }

  /** Returns two consecutive ints, on a little-endian machine. */
  private static long ints(int first, int second) {
    return first & 0xFFFF_FFFFL | (long) second << 32;
  }

  /** Returns the entries of all layers, to be copied to the device. */
  long[] words() {
    return words;
  }
}
