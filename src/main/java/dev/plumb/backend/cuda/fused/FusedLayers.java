package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * The layout of a network for the fused kernels: the offsets of its tensors in the vectors of shared memory, and of its units in
 * a tile of rows ({@code kernels/fused_mlp.cuh}), in elements.
 */
final class FusedLayers {
  /** UNITS of the kernels: the number of units that one thread sums at once. Rows of weights are padded to HALF_UNITS. */
  static final int UNITS = 8;
  private static final int PADDING = UNITS / 2;
  /** The size of struct FusedLayer in ints. */
  private static final int INTS_OF_LAYER = 14;

  private final int[] table;
  private final long vector;
  private final long transposed;
  private final long columns;
  private final long items;
  private final long units;

  private FusedLayers(int[] table, long vector, long transposed, long columns, long items, long units) {
    this.table = table;
    this.vector = vector;
    this.transposed = transposed;
    this.columns = columns;
    this.items = items;
    this.units = units;
  }

  /**
   * Returns the layout for the narrow kernels ({@code kernels/fused_narrow.cu}): UNITS x UNITS weights per layer in both orders,
   * and rows of an odd number of groups of UNITS numbers. The first group contains the inputs and, if they fill at most half of
   * it, the last layer's delta; otherwise that delta is in the second group. Then follow A of each hidden layer and delta of each
   * hidden layer.
   *
   * @param network a network with layers of at most UNITS units and at most half as many outputs
   */
  static FusedLayers narrow(NetworkSpec network, Precision precision) {
    int count = network.layerCount();
    int hidden = count - 1;
    int[] table = new int[count * INTS_OF_LAYER];
    PaddedLayout global = new PaddedLayout(network, precision);
    boolean inputsAreHalf = network.inputs() <= PADDING;
    int firstHidden = inputsAreHalf ? 1 : 2;
    int layerVector = (UNITS + 1) * UNITS;
    int items = 0;
    int units = 0;
    for (int l = 0; l < count; l++) {
      LayerSpec layer = network.layer(l);
      int input = l == 0 ? 0 : (firstHidden + l - 1) * UNITS;
      int delta = l < hidden ? (firstHidden + hidden + l) * UNITS : inputsAreHalf ? PADDING : UNITS;
      int[] entry = {
        layer.in(), layer.out(), UNITS, UNITS, l * layerVector, l * layerVector + UNITS * UNITS, l * UNITS * UNITS, input, delta,
        items, units, (int) global.weight(l), (int) global.bias(l), layer.activation().ordinal(),
      };
      System.arraycopy(entry, 0, table, l * INTS_OF_LAYER, INTS_OF_LAYER);
      items += (int) ((padded(layer.out()) / PADDING) * (padded(layer.in()) / PADDING));
      units += layer.out();
    }
    int groups = firstHidden + 2 * hidden;
    return new FusedLayers(
        table, (long) count * layerVector, (long) count * UNITS * UNITS, (groups | 1) * (long) UNITS, items, units);
  }

  FusedLayers(NetworkSpec network, Precision precision) {
    table = new int[network.layerCount() * INTS_OF_LAYER];
    PaddedLayout global = new PaddedLayout(network, precision);
    long vectorOffset = 0;
    long transposedOffset = 0;
    long itemOffset = 0;
    long unitOffset = 0;
    long input = 0;
    long free = network.inputs();
    for (int l = 0; l < network.layerCount(); l++) {
      LayerSpec layer = network.layer(l);
      long inPadded = padded(layer.in());
      long outPadded = padded(layer.out());
      boolean last = l == network.layerCount() - 1;
      // A hidden layer has columns for its units and for their derivatives; in the last layer the derivatives replace the units.
      long output = free;
      long delta = last ? free : free + layer.out();
      long[] entry = {
        layer.in(), layer.out(), inPadded, outPadded, vectorOffset, vectorOffset + layer.out() * inPadded, transposedOffset, input, delta,
        itemOffset, unitOffset, global.weight(l), global.bias(l), layer.activation().ordinal(),
      };
      for (int i = 0; i < INTS_OF_LAYER; i++) {
        // A value that does not fit an int does not fit shared memory either; then this table is never used.
        table[l * INTS_OF_LAYER + i] = (int) entry[i];
      }
      vectorOffset += layer.out() * inPadded + outPadded;
      transposedOffset += layer.in() * outPadded;
      itemOffset += (outPadded / PADDING) * (inPadded / PADDING);
      unitOffset += layer.out();
      input = output;
      free = delta + layer.out();
    }
    vector = vectorOffset;
    transposed = transposedOffset;
    items = itemOffset;
    units = unitOffset;
    columns = free;
  }

  private static long padded(long size) {
    return (size + PADDING - 1) / PADDING * PADDING;
  }

  /** Returns struct FusedLayer of every layer. */
  int[] table() {
    return table.clone();
  }

  long tableBytes() {
    return (long) table.length * Integer.BYTES;
  }

  /** Returns the length of the vector of parameters, of gradients, and of each moment. */
  long vector() {
    return vector;
  }

  /** Returns the length of the transposed copy of the weights. */
  long transposed() {
    return transposed;
  }

  /** Returns the number of values per row during a step. */
  long columns() {
    return columns;
  }

  /** Returns the number of items of work that the gradients are divided into. */
  long items() {
    return items;
  }

  /** Returns the number of units of all layers. */
  long units() {
    return units;
  }
}
