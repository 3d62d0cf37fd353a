package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;

/**
 * A network as the fused kernels see it: where its tensors stand in the vectors of shared memory, and its units in a tile of rows
 * ({@code kernels/fused_mlp.cuh}). All counts are of elements.
 */
final class FusedLayers {
  /** UNITS of the kernels, which one thread sums at once, and HALF_UNITS, to which rows of weights are padded. */
  static final int UNITS = 8;
  private static final int PADDING = UNITS / 2;
  /** struct FusedLayer. */
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
   * Lays out a network for the narrow kernel ({@code kernels/fused_narrow.cu}): UNITS x UNITS weights per layer in both orders, and
   * rows of an odd number of groups of UNITS numbers. The first group has the inputs and, where they leave half of it, the last layer's
   * delta, which otherwise is in the second group; A of each hidden layer and delta of each hidden layer follow.
   *
   * @param network has layers of at most UNITS units and at most half as many outputs
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
    long ofVector = 0;
    long ofTransposed = 0;
    long ofItems = 0;
    long ofUnits = 0;
    long input = 0;
    long free = network.inputs();
    for (int l = 0; l < network.layerCount(); l++) {
      LayerSpec layer = network.layer(l);
      long inPadded = padded(layer.in());
      long outPadded = padded(layer.out());
      boolean last = l == network.layerCount() - 1;
      // A hidden layer has columns for its units and for their derivatives; in the last layer these take the place of those.
      long output = free;
      long delta = last ? free : free + layer.out();
      long[] entry = {
        layer.in(), layer.out(), inPadded, outPadded, ofVector, ofVector + layer.out() * inPadded, ofTransposed, input, delta,
        ofItems, ofUnits, global.weight(l), global.bias(l), layer.activation().ordinal(),
      };
      for (int i = 0; i < INTS_OF_LAYER; i++) {
        // What does not fit an int fits no shared memory, and this table is never used.
        table[l * INTS_OF_LAYER + i] = (int) entry[i];
      }
      ofVector += layer.out() * inPadded + outPadded;
      ofTransposed += layer.in() * outPadded;
      ofItems += (outPadded / PADDING) * (inPadded / PADDING);
      ofUnits += layer.out();
      input = output;
      free = delta + layer.out();
    }
    vector = ofVector;
    transposed = ofTransposed;
    items = ofItems;
    units = ofUnits;
    columns = free;
  }

  private static long padded(long size) {
    return (size + PADDING - 1) / PADDING * PADDING;
  }

  /** struct FusedLayer of every layer. */
  int[] table() {
    return table.clone();
  }

  long tableBytes() {
    return (long) table.length * Integer.BYTES;
  }

  /** Of parameters, and of everything that has as many: gradients, moments. */
  long vector() {
    return vector;
  }

  /** Of the weights once more, transposed. */
  long transposed() {
    return transposed;
  }

  /** Numbers of one row on its way through a step. */
  long columns() {
    return columns;
  }

  /** Pieces of work into which the gradients are cut. */
  long items() {
    return items;
  }

  /** Of all layers together. */
  long units() {
    return units;
  }
}
