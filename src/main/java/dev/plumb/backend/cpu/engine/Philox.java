package dev.plumb.backend.cpu.engine;

/**
 * Philox4x32-10 of Salmon et al. (2011), with the counters that dropout has; {@link dev.plumb.model.Dropout} says which.
 *
 * <p>Products of 32-bit words fit a long. HotSpot of Java 17 makes no vectors of such products on AVX2. Factors in halves would
 * fit ints, of which it does, but then a product takes five multiplications and as many additions: by count, not by measurement,
 * about what vectors save.
 */
public final class Philox {
  /** Words that one counter gives. */
  public static final int BLOCK = 4;

  private static final int ROUNDS = 10;
  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /** @param words [4 x blocks]: those of elements 4·firstBlock and on */
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
