package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Patches the JCublas native, which is built for CUDA 12 on Linux, to load the cuBLAS of CUDA 13. The native contains the
 * library's name once, both as the needed library and as the version of its symbols, and a checksum of that name.
 * native-config/README.md explains why the functions are the same.
 */
final class Cublas13 {
  private static final String OLD = "libcublas.so.12";
  private static final String NEW = "libcublas.so.13";

  private Cublas13() {}

  /**
   * Returns a patched copy of the native.
   *
   * @throws IOException when the native does not contain the name and the checksum exactly once each
   */
  static byte[] patched(byte[] library) throws IOException {
    byte[] changed = library.clone();
    replace(changed, text(OLD), text(NEW), "name");
    replace(changed, bytes(checksum(OLD)), bytes(checksum(NEW)), "version checksum");
    return changed;
  }

  private static void replace(byte[] library, byte[] old, byte[] replacement, String label) throws IOException {
    int at = find(library, old, 0);
    if (at < 0 || find(library, old, at + 1) >= 0) {
      throw new IOException("the JCublas native does not contain the " + label + " of " + OLD + " exactly once");
    }
    System.arraycopy(replacement, 0, library, at, replacement.length);
  }

  private static int find(byte[] library, byte[] pattern, int from) {
    for (int at = from; at <= library.length - pattern.length; at++) {
      int i = 0;
      while (i < pattern.length && library[at + i] == pattern[i]) {
        i++;
      }
      if (i == pattern.length) {
        return at;
      }
    }
    return -1;
  }

  /** Returns a complete string of the file: the name between zero bytes. */
  private static byte[] text(String name) {
    return ("\0" + name + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  /** Computes the hash function of the ELF specification. */
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
