package dev.plumb.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Decompressor of gzip files (RFC 1952) with one or several members. Verifies every member's header, length and checksum. After
 * the last member only zeros may follow, with which some programs pad blocks; Java's own GZIPInputStream ignores any data after a
 * member that is not a complete header.
 *
 * <p>A file that bgzip or a similar program wrote ends in an empty block; without it the file is incomplete.
 */
final class GzipStream extends InputStream {
  static final int FIRST_BYTE = 0x1F;
  static final int SECOND_BYTE = 0x8B;

  private static final int BUFFER = 1 << 16;
  private static final int DEFLATE = 8;
  private static final int HEADER_CHECKSUM = 1 << 1;
  private static final int EXTRA_FIELD = 1 << 2;
  private static final int NAME = 1 << 3;
  private static final int COMMENT = 1 << 4;
  private static final int RESERVED = 0xE0;

  private final InputStream in;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 checksum = new CRC32();
  private final byte[] buffer = new byte[BUFFER];
  /** Unread part of the buffer; the inflater's input while a member's data is read. */
  private int position;
  private int limit;
  /** Bytes of the file before the buffer. */
  private long bytesBefore;
  /** True while the current member is a block of bgzip. */
  private boolean isBlock;
  private boolean atEnd;

  /** Opens a stream and reads the first member's header. */
  GzipStream(InputStream in) throws IOException {
    this.in = in;
    try {
      readHeader(next());
    } catch (IOException e) {
      inflater.end();
      throw e;
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!atEnd) {
      int count = inflate(bytes, offset, length);
      if (count > 0) {
        checksum.update(bytes, offset, count);
        return count;
      }
      if (inflater.finished()) {
        position = limit - inflater.getRemaining();
        finishMember();
      } else {
        fill();
        inflater.setInput(buffer, 0, limit);
      }
    }
    return -1;
  }

  @Override
  public void close() throws IOException {
    atEnd = true;
    inflater.end();
    in.close();
  }

  private int inflate(byte[] bytes, int offset, int length) throws IOException {
    try {
      int count = inflater.inflate(bytes, offset, length);
      if (count == 0 && inflater.needsDictionary()) {
        throw new ZipException("a dictionary is needed");
      }
      return count;
    } catch (DataFormatException e) {
      throw new ZipException(e.getMessage() == null ? "not deflated data" : e.getMessage());
    }
  }

  private void finishMember() throws IOException {
    if (little(4) != checksum.getValue()) {
      throw new ZipException("its checksum does not match");
    }
    if (little(4) != (inflater.getBytesWritten() & 0xFFFFFFFFL)) {
      throw new ZipException("its length does not match");
    }
    boolean endsInBlock = isBlock && inflater.getBytesWritten() > 0;
    int first = nextOrEnd();
    if (first > 0) {
      readHeader(first);
      return;
    }
    for (int value = first; value >= 0; value = nextOrEnd()) {
      if (value > 0) {
        throw notGzip(bytesBefore + position - 1);
      }
    }
    if (endsInBlock) {
      throw new EOFException();
    }
    atEnd = true;
    inflater.end();
  }

  /**
   * Reads a member's header.
   *
   * @param first byte of the header, already read
   */
  private void readHeader(int first) throws IOException {
    long start = bytesBefore + position - 1;
    checksum.reset();
    checksum.update(first);
    if (first != FIRST_BYTE || headerByte() != SECOND_BYTE) {
      throw notGzip(start);
    }
    int method = headerByte();
    if (method != DEFLATE) {
      throw new ZipException("unknown compression method " + method);
    }
    int flags = headerByte();
    if ((flags & RESERVED) != 0) {
      throw new ZipException("unknown flags in a header");
    }
    // Time, level and operating system.
    skipHeader(6);
    isBlock = false;
    if ((flags & EXTRA_FIELD) != 0) {
      int length = headerByte() | headerByte() << 8;
      if (length >= 4) {
        isBlock = headerByte() == 'B' & headerByte() == 'C';
        length -= 2;
      }
      skipHeader(length);
    }
    if ((flags & NAME) != 0) {
      skipHeaderText();
    }
    if ((flags & COMMENT) != 0) {
      skipHeaderText();
    }
    if ((flags & HEADER_CHECKSUM) != 0) {
      long expected = checksum.getValue() & 0xFFFF;
      if (little(2) != expected) {
        throw new ZipException("the checksum of a header does not match");
      }
    }
    checksum.reset();
    inflater.reset();
    inflater.setInput(buffer, position, limit - position);
  }

  private static ZipException notGzip(long position) {
    return new ZipException("the data after its first " + position + " bytes is not gzip data");
  }

  private int headerByte() throws IOException {
    int value = next();
    checksum.update(value);
    return value;
  }

  private void skipHeader(int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      headerByte();
    }
  }

  private void skipHeaderText() throws IOException {
    while (headerByte() != 0) {
      // Ignored.
    }
  }

  private long little(int bytes) throws IOException {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (long) next() << (8 * i);
    }
    return value;
  }

  private int next() throws IOException {
    int value = nextOrEnd();
    if (value < 0) {
      throw new EOFException();
    }
    return value;
  }

  private int nextOrEnd() throws IOException {
    if (position == limit && !filled()) {
      return -1;
    }
    return buffer[position++] & 0xFF;
  }

  private void fill() throws IOException {
    if (!filled()) {
      throw new EOFException();
    }
  }

  private boolean filled() throws IOException {
    bytesBefore += limit;
    position = 0;
    limit = Math.max(0, in.read(buffer, 0, buffer.length));
    return limit > 0;
  }
}
