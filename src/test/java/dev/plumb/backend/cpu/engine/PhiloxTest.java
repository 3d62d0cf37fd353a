package dev.plumb.backend.cpu.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PhiloxTest {
  /** The known answers that come with Random123, in its file kat_vectors: philox4x32, 10 rounds. */
  @Test
  void knownAnswersOfItsAuthorsComeOut() {
    assertWords(0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertWords(-1, -1, -1, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertWords(0x299f31d0a4093822L, 0x0370734413198a2eL, 0x85a308d3, 0x243f6a88, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  /** As the second of two blocks. */
  private static void assertWords(long seed, long step, int layer, int block, int... expected) {
    int[] words = new int[8];
    Philox.words(seed, step, layer, block - 1, 2, words);
    assertArrayEquals(expected, Arrays.copyOfRange(words, 4, 8));
  }
}
