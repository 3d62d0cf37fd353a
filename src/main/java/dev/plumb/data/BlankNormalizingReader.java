package dev.plumb.data;

import java.io.IOException;
import java.io.Reader;

/**
 * Reader that removes blanks next to quotes, so that a quote is recognized at the start of any field: {@code 1, "two"}. Blanks
 * around unquoted fields are kept for the consumer to strip. If a blank is the delimiter, runs of blanks and tabs are merged, and
 * those at the ends of a line removed.
 */
final class BlankNormalizingReader extends Reader {
  private static final int CHARS = 1 << 13;

  private static final int FIELD_START = 0;
  private static final int FIELD = 1;
  private static final int QUOTES = 2;
  /** State after a quote within quotes: a second one makes it a character of the field. */
  private static final int QUOTE_IN_QUOTES = 3;
  private static final int AFTER_QUOTES = 4;

  private final Reader in;
  private final char delimiter;
  private final boolean mergesBlanks;
  private int state = FIELD_START;

  /** Buffers for merging blanks. */
  private final char[] read;
  private final char[] ready;
  private int from;
  private int to;
  private boolean atLineStart = true;
  /** True after blanks that are a delimiter if a field follows in the line. */
  private boolean pending;

  BlankNormalizingReader(Reader in, char delimiter) {
    this.in = in;
    this.delimiter = delimiter;
    mergesBlanks = delimiter == ' ';
    read = new char[mergesBlanks ? CHARS : 0];
    ready = new char[2 * read.length];
  }

  /** Returns whether the text read so far ends within quotes. */
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
      int end = outside && !hasQuote(chars, offset, offset + count) ? keepPlain(chars, offset, offset + count)
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

  /** Keeps text without quotes, except trailing blanks that a quote may follow; returns the end of the kept text. */
  private int keepPlain(char[] chars, int start, int end) {
    int at = end;
    while (at > start && chars[at - 1] != delimiter && Field.isBlank(chars[at - 1])) {
      at--;
    }
    boolean startsField = at == start ? state == FIELD_START : chars[at - 1] == delimiter || isLineEnd(chars[at - 1]);
    state = startsField ? FIELD_START : FIELD;
    return startsField ? at : end;
  }

  /** Removes blanks next to quotes and before fields, in place; returns the end of the kept text. */
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

  /** Returns the end of text that needs no change: the next quote within quotes, the end of a field otherwise. */
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

  /** Advances the state by one character and returns whether to keep it. */
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
