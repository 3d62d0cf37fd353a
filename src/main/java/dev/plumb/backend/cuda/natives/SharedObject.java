package dev.plumb.backend.cuda.natives;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Checks Linux shared libraries before they are loaded: the system's loader maps even a truncated library, and the process is
 * then killed.
 */
final class SharedObject {
  /** The state of a file. */
  enum State {
    /** A complete library for this processor, as far as its headers show. */
    WHOLE,
    /** A library for another processor, which the loader skips. */
    FOREIGN,
    /** A truncated file, or not a library. */
    DAMAGED
  }

  // From the ELF specification: offsets of fields in the file's header and in a program header, in bytes.
  private static final int HEADER_BYTES = 64;
  private static final int MAGIC = 0x464c457f;
  private static final int CLASS = 4;
  private static final int CLASS_64 = 2;
  private static final int MACHINE = 18;
  private static final int MACHINE_X86_64 = 62;
  private static final int PROGRAM_HEADERS = 32;
  private static final int PROGRAM_HEADER_BYTES = 54;
  private static final int PROGRAM_HEADER_COUNT = 56;
  private static final int SEGMENT_OFFSET = 8;
  private static final int SEGMENT_BYTES_IN_FILE = 32;
  private static final int MIN_PROGRAM_HEADER_BYTES = 56;
  private static final int LOADED_SEGMENT = 1;

  private SharedObject() {}

  /** Reads the ELF headers of a file. */
  static State state(Path file) throws IOException {
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "r")) {
      ByteBuffer header = read(content, 0, HEADER_BYTES);
      if (header.getInt(0) != MAGIC) {
        return State.DAMAGED;
      }
      if (header.get(CLASS) != CLASS_64 || header.getShort(MACHINE) != MACHINE_X86_64) {
        return State.FOREIGN;
      }
      int bytes = Short.toUnsignedInt(header.getShort(PROGRAM_HEADER_BYTES));
      int count = Short.toUnsignedInt(header.getShort(PROGRAM_HEADER_COUNT));
      if (bytes < MIN_PROGRAM_HEADER_BYTES || count == 0) {
        return State.DAMAGED;
      }
      ByteBuffer segments = read(content, header.getLong(PROGRAM_HEADERS), bytes * count);
      for (int at = 0; at < bytes * count; at += bytes) {
        long end = segments.getLong(at + SEGMENT_OFFSET) + segments.getLong(at + SEGMENT_BYTES_IN_FILE);
        if (segments.getInt(at) == LOADED_SEGMENT && end > content.length()) {
          return State.DAMAGED;
        }
      }
      return State.WHOLE;
    } catch (EOFException e) {
      return State.DAMAGED;
    }
  }

  private static ByteBuffer read(RandomAccessFile content, long from, int bytes) throws IOException {
    if (from < 0) {
      throw new EOFException();
    }
    byte[] read = new byte[bytes];
    content.seek(from);
    content.readFully(read);
    return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN);
  }
}
