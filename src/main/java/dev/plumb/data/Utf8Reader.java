package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Reader of UTF-8 text that refuses malformed bytes and NUL, and skips a byte order mark. */
final class Utf8Reader extends Reader {
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final InputStream in;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
      .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).limit(0);
  private long lines;
  private boolean atStart = true;
  private boolean atEnd;

  Utf8Reader(InputStream in) {
    this.in = in;
  }

  @Override
  public int read(char[] chars, int offset, int length) throws IOException {
    CharBuffer out = CharBuffer.wrap(chars, offset, length).slice();
    while (out.position() == 0 && !(atEnd && !bytes.hasRemaining())) {
      if (!atEnd) {
        bytes.compact();
        int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
        atEnd = read < 0;
        bytes.position(bytes.position() + Math.max(0, read)).flip();
      }
      CoderResult result = decoder.decode(bytes, out, atEnd);
      checkLines(chars, offset, offset + out.position());
      if (result.isError()) {
        throw new InvalidInputException("line " + (lines + 1) + ": byte 0x"
            + Integer.toHexString(bytes.get(bytes.position()) & 0xFF).toUpperCase(Locale.ROOT)
            + " is not UTF-8; save the file as UTF-8");
      }
      if (atStart && out.position() > 0) {
        atStart = false;
        if (chars[offset] == BYTE_ORDER_MARK) {
          System.arraycopy(chars, offset + 1, chars, offset, out.position() - 1);
          out.position(out.position() - 1);
        }
      }
    }
    return out.position() == 0 ? -1 : out.position();
  }

  private void checkLines(char[] chars, int from, int to) {
    for (int i = from; i < to; i++) {
      if (chars[i] <= '\n') {
        if (chars[i] == '\n') {
          lines++;
        } else if (chars[i] == 0) {
          throw new InvalidInputException("line " + (lines + 1) + " contains a NUL byte; save the file as UTF-8 text");
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
