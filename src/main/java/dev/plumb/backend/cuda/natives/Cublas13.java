package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Makes the JCublas native, built for CUDA 12 on Linux, ask for the cuBLAS of CUDA 13. The library's name is in it once, for
 * what it needs and for the version of the symbols that it takes from there; beside that version is a checksum of its name.
 * native-config/README.md says why the functions are the same.
 */
final class Cublas13 {
  private static final String OLD = "libcublas.so.12";
  private static final String NEW = "libcublas.so.13";

  private Cublas13() {}

  /**
   * Changes a copy of the native.
   *
   * @throws IOException when it does not hold the name and the checksum exactly once each
   */
  static byte[] rewritten(byte[] library) throws IOException {
    byte[] changed = library.clone();
    replace(changed, text(OLD), text(NEW), "name");
    replace(changed, bytes(checksum(OLD)), bytes(checksum(NEW)), "version checksum");
    return changed;
  }

  private static void replace(byte[] library, byte[] old, byte[] replacement, String what) throws IOException {
    int at = find(library, old, 0);
    if (at < 0 || find(library, old, at + 1) >= 0) {
      throw new IOException("the JCublas native does not hold the " + what + " of " + OLD + " exactly once");
    }
    System.arraycopy(replacement, 0, library, at, replacement.length);
  }

  private static int find(byte[] library, byte[] wanted, int from) {
    for (int at = from; at <= library.length - wanted.length; at++) {
      int i = 0;
      while (i < wanted.length && library[at + i] == wanted[i]) {
        i++;
      }
      if (i == wanted.length) {
        return at;
      }
    }
    return -1;
  }

  /** A string of its own in the file: between zero bytes. */
  private static byte[] text(String name) {
    return ("\0" + name + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  /** The hash function of the ELF specification. */
  private static int checksum(String name) {
    int hash = 0;
    for (char c : name.toCharArray()) {
      hash = (hash << 4) + c;
      int top = hash & 0xf0000000;
      hash = (hash ^ top >>> 24) & ~top;
    }
    return hash;
  }
}
