package dev.plumb.data;

import java.io.IOException;
import java.io.Reader;

/**
 * Text without the blanks next to quotes, so that a quote is recognized wherever a field begins with it: {@code 1, "two"}. Blanks
 * around fields without quotes are left to those who read the fields. Where a blank is the delimiter, runs of blanks and tabs
 * become one, and those at the ends of a line none.
 */
final class BlankNormalizingReader extends Reader {
  private static final int CHARS = 1 << 13;

  private static final int FIELD_START = 0;
  private static final int FIELD = 1;
  private static final int QUOTES = 2;
  /** After a quote within quotes: another one makes it a character of the field. */
  private static final int QUOTE_IN_QUOTES = 3;
  private static final int AFTER_QUOTES = 4;

  private final Reader in;
  private final char delimiter;
  private final boolean mergesBlanks;
  private int state = FIELD_START;

  /** Only where blanks are merged. */
  private final char[] read;
  private final char[] ready;
  private int from;
  private int to;
  private boolean atLineStart = true;
  /** A run of blanks that is a delimiter if something follows it in the line. */
  private boolean pending;

  BlankNormalizingReader(Reader in, char delimiter) {
    this.in = in;
    this.delimiter = delimiter;
    mergesBlanks = delimiter == ' ';
    read = new char[mergesBlanks ? CHARS : 0];
    ready = new char[2 * read.length];
  }

  /** Whether the text that was read so far ends within quotes. */
  boolean isInQuotes() {
    return state == QUOTES;
  }

  @Override
  public int read(char[] chars, int offset, int length) throws IOException {
    if (mergesBlanks) {
      return readMerged(chars, offset, length);
    }
    while (true) {
      int count = in.read(chars, offset, length);
      if (count < 0) {
        return -1;
      }
      boolean outside = state == FIELD_START || state == FIELD;
      int end = outside && !hasQuote(chars, offset, offset + count) ? plain(chars, offset, offset + count)
          : compact(chars, offset, offset + count);
      int kept = end - offset;
      if (kept > 0) {
        return kept;
      }
    }
  }

  private static boolean hasQuote(char[] chars, int start, int end) {
    for (int at = start; at < end; at++) {
      if (chars[at] == '"') {
        return true;
      }
    }
    return false;
  }

  /** Takes over text without quotes, apart from blanks at its end that a quote may follow. */
  private int plain(char[] chars, int start, int end) {
    int at = end;
    while (at > start && chars[at - 1] != delimiter && Field.isBlank(chars[at - 1])) {
      at--;
    }
    boolean startsField = at == start ? state == FIELD_START : chars[at - 1] == delimiter || isLineEnd(chars[at - 1]);
    state = startsField ? FIELD_START : FIELD;
    return startsField ? at : end;
  }

  /** Removes blanks next to quotes and before fields, in place. Text is moved only after a blank was removed. */
  private int compact(char[] chars, int start, int end) {
    int at = start;
    int kept = start;
    while (at < end) {
      int next = plainEnd(chars, at, end);
      if (next > at) {
        if (kept < at) {
          System.arraycopy(chars, at, chars, kept, next - at);
        }
        kept += next - at;
        at = next;
      } else {
        char c = chars[at++];
        if (isKept(c)) {
          chars[kept++] = c;
        }
      }
    }
    return kept;
  }

  /** Where text ends that is taken over as it is: within quotes at the next quote, in a field at its end. */
  private int plainEnd(char[] chars, int start, int end) {
    int at = start;
    if (state == FIELD) {
      while (at < end && chars[at] != delimiter && chars[at] != '\n' && chars[at] != '\r') {
        at++;
      }
    } else if (state == QUOTES) {
      while (at < end && chars[at] != '"') {
        at++;
      }
    }
    return at;
  }

  /** Takes the next character, and tells whether it belongs to the text. */
  private boolean isKept(char c) {
    if (state == QUOTES) {
      state = c == '"' ? QUOTE_IN_QUOTES : QUOTES;
      return true;
    }
    if (state == QUOTE_IN_QUOTES) {
      state = c == '"' ? QUOTES : AFTER_QUOTES;
      if (state == QUOTES) {
        return true;
      }
    }
    if (c == delimiter || isLineEnd(c)) {
      state = FIELD_START;
      return true;
    }
    if (state != FIELD && Field.isBlank(c)) {
      return false;
    }
    if (state == FIELD_START) {
      state = c == '"' ? QUOTES : FIELD;
    }
    return true;
  }

  private int readMerged(char[] chars, int offset, int length) throws IOException {
    while (from == to) {
      int count = in.read(read, 0, CHARS);
      if (count < 0) {
        return -1;
      }
      from = 0;
      to = 0;
      for (int i = 0; i < count; i++) {
        merge(read[i]);
      }
    }
    int count = Math.min(length, to - from);
    System.arraycopy(ready, from, chars, offset, count);
    from += count;
    return count;
  }

  private void merge(char c) {
    boolean isQuoted = state == QUOTES || state == QUOTE_IN_QUOTES && c == '"';
    if (!isQuoted && Field.isBlank(c)) {
      pending = !atLineStart;
      state = FIELD_START;
      return;
    }
    if (!isQuoted && isLineEnd(c)) {
      pending = false;
      atLineStart = true;
    } else {
      atLineStart = false;
      if (pending) {
        ready[to++] = ' ';
        pending = false;
      }
    }
    isKept(c);
    ready[to++] = c;
  }

  private static boolean isLineEnd(char c) {
    return c == '\n' || c == '\r';
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
