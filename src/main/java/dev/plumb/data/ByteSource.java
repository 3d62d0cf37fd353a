package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipException;

/**
 * Bytes of a data file, decompressed if they are gzipped, regardless of the file's name. The first bytes can be inspected without
 * consuming them, and the total size is known or estimated after the first read.
 */
final class ByteSource implements AutoCloseable {
  private static final int PEEKED_BYTES = 16;

  private final CountedStream file;
  private final CountedStream content;
  private final PushbackInputStream in;
  private final long fileBytes;
  private final boolean packed;
  private final byte[] start;

  /**
   * Opens a stream.
   *
   * @param fileBytes size of the file, or -1 when it is unknown
   */
  ByteSource(InputStream stream, long fileBytes) throws IOException {
    this.fileBytes = fileBytes;
    file = new CountedStream(stream);
    PushbackInputStream raw = new PushbackInputStream(file, PEEKED_BYTES);
    byte[] first = peek(raw);
    packed = first.length >= 2 && (first[0] & 0xFF) == GzipStream.FIRST_BYTE && (first[1] & 0xFF) == GzipStream.SECOND_BYTE;
    content = new CountedStream(packed ? unpack(raw) : raw);
    in = new PushbackInputStream(content, PEEKED_BYTES);
    start = packed ? peekUnpacked(in) : first;
  }

  static ByteSource of(Path file) throws IOException {
    InputStream stream = Files.newInputStream(file);
    try {
      long size = Files.isRegularFile(file) ? Files.size(file) : 0;
      // Files that the system generates while they are read, such as those in /proc, have a size of 0.
      return new ByteSource(stream, size > 0 ? size : -1);
    } catch (IOException | RuntimeException e) {
      stream.close();
      throw e;
    }
  }

  InputStream in() {
    return in;
  }

  boolean startsWith(int... bytes) {
    if (start.length < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if ((start[i] & 0xFF) != bytes[i]) {
        return false;
      }
    }
    return true;
  }

  boolean isPacked() {
    return packed;
  }

  boolean isEmpty() {
    return start.length == 0;
  }

  /** Returns the number of bytes still to be read, or -1 when it is unknown. */
  long bytesLeft() {
    return packed || fileBytes < 0 ? -1 : fileBytes - content.count;
  }

  /** Returns the decompressed size, estimated from the part read so far for gzipped files; -1 when it is unknown. */
  double bytes() {
    if (!packed || fileBytes < 0 || file.count == 0) {
      return fileBytes;
    }
    return (double) fileBytes * content.count / file.count;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private static InputStream unpack(InputStream raw) throws IOException {
    try {
      return new GzipStream(raw);
    } catch (ZipException | EOFException e) {
      throw damaged(e);
    }
  }

  static InvalidInputException damaged(IOException e) {
    return new InvalidInputException(e instanceof EOFException
        ? "its gzip data ends too early; the file is not complete"
        : "its gzip data is damaged: " + e.getMessage(), e);
  }

  private static byte[] peekUnpacked(PushbackInputStream stream) throws IOException {
    try {
      return peek(stream);
    } catch (ZipException | EOFException e) {
      throw damaged(e);
    }
  }

  private static byte[] peek(PushbackInputStream stream) throws IOException {
    byte[] first = stream.readNBytes(PEEKED_BYTES);
    stream.unread(first);
    return first;
  }

  private static final class CountedStream extends FilterInputStream {
    private long count;

    CountedStream(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      count += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = super.read(bytes, offset, length);
      count += Math.max(0, read);
      return read;
    }
  }
}
