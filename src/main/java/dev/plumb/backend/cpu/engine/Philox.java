package dev.plumb.backend.cpu.engine;

/**
 * The random number generator Philox4x32-10 of Salmon et al. (2011), with the counters of {@link dev.plumb.model.Dropout}.
 *
 * <p>A product of 32-bit words is computed as a long, which HotSpot of Java 17 does not vectorize on AVX2. Products of 16-bit
 * halves would be vectorized, but take five multiplications and five additions each. By operation count (not measured), they
 * would cost about as much as vectorization saves.
 */
public final class Philox {
  /** Number of words per counter. */
  public static final int BLOCK = 4;

  private static final int ROUNDS = 10;
  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /**
   * Computes the words of consecutive elements.
   *
   * @param firstBlock counter of the first block; its first word belongs to element 4·firstBlock
   * @param words receives [blocks x 4] random words
   */
  public static void words(long seed, long step, int layer, int firstBlock, int blocks, int[] words) {
    for (int block = 0; block < blocks; block++) {
      int x0 = firstBlock + block;
      int x1 = layer;
      int x2 = (int) step;
      int x3 = (int) (step >> 32);
      int k0 = (int) seed;
      int k1 = (int) (seed >> 32);
      for (int round = 0; round < ROUNDS; round++) {
        long p = (x0 & LOW) * 0xD2511F53L;
        long q = (x2 & LOW) * 0xCD9E8D57L;
        x0 = (int) (q >> 32) ^ x1 ^ k0;
        x1 = (int) q;
        x2 = (int) (p >> 32) ^ x3 ^ k1;
        x3 = (int) p;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      int at = BLOCK * block;
      words[at] = x0;
      words[at + 1] = x1;
      words[at + 2] = x2;
      words[at + 3] = x3;
    }
  }
}
