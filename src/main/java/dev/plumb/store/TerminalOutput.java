package dev.plumb.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * UTF-8 output to a terminal, with a question mark for each character that would move the cursor, change the writing direction or
 * start an escape sequence. Line ends and tabs are kept. Only for terminals; files and pipes receive all bytes unchanged.
 */
public final class TerminalOutput extends OutputStream {
  private static final List<String> TERMINALS = List.of("/dev/pts/", "/dev/tty", "/dev/console");
  private static final int MAX_BYTES = 4;
  private static final boolean ENDS_LINES_BY_TWO = System.lineSeparator().equals("\r\n");

  private final OutputStream out;
  private final byte[] sequence = new byte[MAX_BYTES];
  private int length;
  private int missing;

  /**
   * Creates a filter.
   *
   * @param out stream to the terminal
   */
  public TerminalOutput(OutputStream out) {
    this.out = out;
  }

  /**
   * Returns whether a path, links followed, is a terminal.
   *
   * @param path to check
   * @return true for a terminal
   */
  public static boolean isTerminal(Path path) {
    try {
      String real = path.toRealPath().toString();
      return TERMINALS.stream().anyMatch(real::startsWith);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Returns whether a character is printed without any other effect on the terminal.
   *
   * @param codePoint of the character
   * @return false for control, format and separator characters and surrogates
   */
  public static boolean isHarmless(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> false;
      default -> true;
    };
  }

  @Override
  public void write(int value) throws IOException {
    int next = value & 0xff;
    if (missing > 0 && next >> 6 == 0b10) {
      sequence[length++] = (byte) next;
      missing--;
      if (missing == 0) {
        writeSequence();
      }
      return;
    }
    writeIncomplete();
    int following = next < 0xc2 ? 0 : next < 0xe0 ? 1 : next < 0xf0 ? 2 : next < 0xf5 ? 3 : 0;
    if (following > 0) {
      sequence[length++] = (byte) next;
      missing = following;
    } else {
      writeByte(next);
    }
  }

  private void writeSequence() throws IOException {
    int codePoint = new String(sequence, 0, length, StandardCharsets.UTF_8).codePointAt(0);
    if (isHarmless(codePoint)) {
      out.write(sequence, 0, length);
    } else {
      out.write('?');
    }
    length = 0;
  }

  /** Writes a byte that is not UTF-8: it may be another encoding, in which these bytes are control characters too. */
  private void writeByte(int value) throws IOException {
    boolean kept = value == '\n' || value == '\t' || value == '\r' && ENDS_LINES_BY_TWO || isHarmless(value);
    out.write(kept ? value : '?');
  }

  private void writeIncomplete() throws IOException {
    for (int i = 0; i < length; i++) {
      writeByte(sequence[i] & 0xff);
    }
    length = 0;
    missing = 0;
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    writeIncomplete();
    out.close();
  }
}
