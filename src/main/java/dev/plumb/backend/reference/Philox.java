package dev.plumb.backend.reference;

import dev.plumb.model.Dropout;

/**
 * The random number generator Philox4x32-10 of Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011): ten rounds that
 * mix a counter of four words with a key of two words, all of 32 bits.
 */
final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  /** Fractional part of the golden ratio, and the square root of 3 minus 1, times 2^32. */
  private static final int KEY_STEP_0 = 0x9E3779B9;
  private static final int KEY_STEP_1 = 0xBB67AE85;

  private Philox() {}

  /** Returns whether dropout drops a unit; {@link Dropout} defines counter and key. */
  static boolean drops(Dropout dropout, int replica, long step, int layer, long element) {
    long seed = dropout.seed() + replica;
    int[] words = words(
        new int[] {(int) (element / 4), layer, (int) step, (int) (step >>> 32)}, new int[] {(int) seed, (int) (seed >>> 32)});
    long threshold = Math.round(dropout.probability() * Math.pow(2, 32));
    return Integer.toUnsignedLong(words[(int) (element % 4)]) < threshold;
  }

  /** Returns four random words for a counter [4] and a key [2]. */
  static int[] words(int[] counter, int[] key) {
    int[] words = counter.clone();
    int key0 = key[0];
    int key1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(words[0]);
      long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(words[2]);
      words = new int[] {
        high(product1) ^ words[1] ^ key0, low(product1), high(product0) ^ words[3] ^ key1, low(product0),
      };
      key0 += KEY_STEP_0;
      key1 += KEY_STEP_1;
    }
    return words;
  }

  private static int high(long product) {
    return (int) (product >>> 32);
  }

  private static int low(long product) {
    return (int) product;
  }
}
