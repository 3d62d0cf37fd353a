package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Philox;
import dev.plumb.model.Dropout;
import dev.plumb.model.TrainingSpec;

/**
 * M of dropout for one network: 0 for what is dropped, 1 / (1 - probability) for what is kept. An element depends on its own
 * place alone, so that tiles and threads may make any part of it.
 */
@SuppressWarnings("cast")
final class DropoutMask {
  /**
   * Units that are made together, sample by sample: as many rows are written side by side. Where the layer's width is no multiple
   * of 4, the words at both ends are made twice, which few units would make dear.
   */
  private static final int UNITS = 16;

  /** What a thread needs to make masks. */
  static final int WORDS = UNITS + Philox.BLOCK;

  private final long seed;
  private final long threshold;
  /** What a word stands for: at 0 when it is not below the threshold, at 1 when it is. */
  private final double[] factors;

  private DropoutMask(Dropout dropout, int replica) {
    seed = dropout.seed() + replica;
    threshold = Math.round(dropout.probability() * 0x1p32);
    factors = new double[] {(double) (1 / (1 - dropout.probability())), 0};
  }

  /** Null for a training without dropout. */
  static DropoutMask of(TrainingSpec training, int replica) {
    return training.dropout().map(dropout -> new DropoutMask(dropout, replica)).orElse(null);
  }

  /**
   * M of a layer.
   *
   * @param step steps taken before this one
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
   * Rows from..to - 1 of M.
   *
   * @param units of the layer
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

  /** Makes the words of some elements that follow each other, and says where the first one's is. */
  private int draw(long step, int layer, long element, int count, int[] words) {
    int at = (int) (element % Philox.BLOCK);
    int blocks = (at + count + Philox.BLOCK - 1) / Philox.BLOCK;
    Philox.words(seed, step, layer, (int) (element / Philox.BLOCK), blocks, words);
    return at;
  }

  /** Without a jump, which no processor could foretell: the sign of the difference chooses. */
  private double factor(int word) {
    return factors[(int) ((Integer.toUnsignedLong(word) - threshold) >>> 63)];
  }

  /** product = a·m; the product may be a itself. */
  static void multiply(double[] a, double[] m, double[] product, int from, int to) {
    for (int i = from; i < to; i++) {
      product[i] = a[i] * m[i];
    }
  }
}
