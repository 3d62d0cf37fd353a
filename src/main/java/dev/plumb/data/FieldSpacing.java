package dev.plumb.data;

import java.io.IOException;
import java.io.Reader;

/**
 * Text whose blanks beside quotes are left out, so that a quote is one wherever a field begins with it: {@code 1, "two"}. Blanks
 * around fields without quotes are left to those who read the fields. Where a blank is the delimiter, runs of blanks and tabs
 * become one, and those at the ends of a line none.
 */
final class FieldSpacing extends Reader {
  private static final int CHARS = 1 << 13;

  private enum State {
    FIELD_START, FIELD, QUOTES, QUOTE_IN_QUOTES, AFTER_QUOTES
  }

  private final Reader in;
  private final char delimiter;
  private final boolean mergesBlanks;
  private final char[] read = new char[CHARS];
  private final char[] ready = new char[2 * CHARS];
  private int from;
  private int to;
  private State state = State.FIELD_START;
  private boolean atLineStart = true;
  /** A run of blanks that is a delimiter if something follows it in the line. */
  private boolean pending;

  FieldSpacing(Reader in, char delimiter) {
    this.in = in;
    this.delimiter = delimiter;
    mergesBlanks = delimiter == ' ';
  }

  /** Whether the text that was read so far ends within quotes. */
  boolean isInQuotes() {
    return state == State.QUOTES;
  }

  @Override
  public int read(char[] chars, int offset, int length) throws IOException {
    while (from == to) {
      int count = in.read(read, 0, CHARS);
      if (count < 0) {
        return -1;
      }
      from = 0;
      to = 0;
      if (!mergesBlanks && state != State.QUOTES && state != State.QUOTE_IN_QUOTES && state != State.AFTER_QUOTES && !hasQuote(count)) {
        pass(count);
      } else {
        for (int i = 0; i < count; ) {
          int end = plainEnd(i, count);
          System.arraycopy(read, i, ready, to, end - i);
          to += end - i;
          i = end;
          if (i < count) {
            next(read[i++]);
          }
        }
      }
    }
    int count = Math.min(length, to - from);
    System.arraycopy(ready, from, chars, offset, count);
    from += count;
    return count;
  }

  /** Where text ends that is taken over as it is: within quotes at the next quote, in a field at its end. */
  private int plainEnd(int start, int count) {
    int end = start;
    if (state == State.QUOTES) {
      while (end < count && read[end] != '"') {
        end++;
      }
    } else if (state == State.FIELD && !mergesBlanks) {
      while (end < count && !isEnd(read[end])) {
        end++;
      }
    }
    return end;
  }

  private boolean hasQuote(int count) {
    for (int i = 0; i < count; i++) {
      if (read[i] == '"') {
        return true;
      }
    }
    return false;
  }

  /** Takes over text without quotes, apart from blanks at its end that a quote may follow. */
  private void pass(int count) {
    int end = count;
    while (end > 0 && isBlank(read[end - 1])) {
      end--;
    }
    boolean startsField = end == 0 ? state == State.FIELD_START : isEnd(read[end - 1]);
    int kept = startsField ? end : count;
    System.arraycopy(read, 0, ready, 0, kept);
    to = kept;
    state = startsField ? State.FIELD_START : State.FIELD;
  }

  private void next(char c) {
    if (state == State.QUOTES) {
      state = c == '"' ? State.QUOTE_IN_QUOTES : State.QUOTES;
      ready[to++] = c;
      return;
    }
    if (state == State.QUOTE_IN_QUOTES) {
      if (c == '"') {
        state = State.QUOTES;
        ready[to++] = c;
        return;
      }
      state = State.AFTER_QUOTES;
    }
    if (isLineEnd(c)) {
      pending = false;
      atLineStart = true;
      state = State.FIELD_START;
      ready[to++] = c;
    } else if (mergesBlanks && Field.isBlank(c)) {
      pending = !atLineStart;
      state = State.FIELD_START;
    } else if (isBlank(c) && state != State.FIELD) {
      // Left out: it stands before a field, or behind a closing quote.
      return;
    } else if (c == delimiter) {
      state = State.FIELD_START;
      ready[to++] = c;
    } else {
      if (pending) {
        ready[to++] = ' ';
        pending = false;
      }
      atLineStart = false;
      state = state == State.FIELD_START && c == '"' ? State.QUOTES : state == State.AFTER_QUOTES ? State.AFTER_QUOTES : State.FIELD;
      ready[to++] = c;
    }
  }

  private boolean isBlank(char c) {
    return Field.isBlank(c) && c != delimiter;
  }

  private static boolean isLineEnd(char c) {
    return c == '\n' || c == '\r';
  }

  private boolean isEnd(char c) {
    return c == delimiter || isLineEnd(c);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
