package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Philox;
import dev.plumb.model.Dropout;
import dev.plumb.model.TrainingSpec;

/**
 * The dropout masks M of one network: 0 for dropped values, 1 / (1 - probability) for others. An element depends only on its own
 * position, so any thread can compute any part.
 */
@SuppressWarnings("cast")
final class DropoutMask {
  /**
   * Number of units that are computed together, sample by sample, each in its own row. If the width of the layer is not a
   * multiple of 4, the random words at both ends are computed twice, which would be expensive for fewer units.
   */
  private static final int UNITS = 16;

  /** Length of the scratch array of each thread. */
  static final int WORDS = UNITS + Philox.BLOCK;

  private final long seed;
  private final long threshold;
  /** The mask's values for a random word that is at least the threshold [0], and for one below it [1]. */
  private final double[] factors;

  private DropoutMask(Dropout dropout, int replica) {
    seed = dropout.seed() + replica;
    threshold = Math.round(dropout.probability() * 0x1p32);
    factors = new double[] {(double) (1 / (1 - dropout.probability())), 0};
  }

  /** Returns the masks of a replica; null for a training without dropout. */
  static DropoutMask of(TrainingSpec training, int replica) {
    return training.dropout().map(dropout -> new DropoutMask(dropout, replica)).orElse(null);
  }

  /**
   * Computes M of a layer.
   *
   * @param step number of steps before this one
   * @param m [units][samples]
   * @param words [WORDS], scratch
   */
  void make(long step, int layer, int samples, double[][] m, int[] words) {
    for (int from = 0; from < m.length; from += UNITS) {
      int to = Math.min(m.length, from + UNITS);
      for (int i = 0; i < samples; i++) {
        int at = draw(step, layer, (long) i * m.length + from, to - from, words);
        for (int unit = from; unit < to; unit++) {
          m[unit][i] = factor(words[at + unit - from]);
        }
      }
    }
  }

  /**
   * Computes rows from..to - 1 of M.
   *
   * @param units number of units of the layer
   * @param m [units x samples]
   */
  void make(long step, int layer, int units, int samples, int from, int to, double[] m, int[] words) {
    for (int first = from; first < to; first += UNITS) {
      int count = Math.min(to - first, UNITS);
      for (int i = 0; i < samples; i++) {
        int at = draw(step, layer, (long) i * units + first, count, words);
        for (int k = 0; k < count; k++) {
          m[(first + k) * samples + i] = factor(words[at + k]);
        }
      }
    }
  }

  /** Computes the random words of consecutive elements, and returns the index of the first one. */
  private int draw(long step, int layer, long element, int count, int[] words) {
    int at = (int) (element % Philox.BLOCK);
    int blocks = (at + count + Philox.BLOCK - 1) / Philox.BLOCK;
    Philox.words(seed, step, layer, (int) (element / Philox.BLOCK), blocks, words);
    return at;
  }

  /** Returns the mask's value for a random word, chosen by the sign of a difference: a branch could not be predicted. */
  private double factor(int word) {
    return factors[(int) ((Integer.toUnsignedLong(word) - threshold) >>> 63)];
  }

  /** Computes product = a·m, element by element; the product may be a itself. */
  static void multiply(double[] a, double[] m, double[] product, int from, int to) {
    for (int i = from; i < to; i++) {
      product[i] = a[i] * m[i];
    }
  }
}
