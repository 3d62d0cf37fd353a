package dev.plumb.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Locale;

/** Standard output of the process. It keeps the reason why it could not be written, which a plain PrintStream drops. */
final class StandardOutput extends PrintStream {
  /** Keeps the first error. */
  private static final class Recorder extends FilterOutputStream {
    private IOException error;

    Recorder(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int value) throws IOException {
      try {
        out.write(value);
      } catch (IOException e) {
        throw recorded(e);
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw recorded(e);
      }
    }

    @Override
    public void flush() throws IOException {
      try {
        out.flush();
      } catch (IOException e) {
        throw recorded(e);
      }
    }

    private IOException recorded(IOException e) {
      error = error == null ? e : error;
      return e;
    }
  }

  private final Recorder recorder;

  /** @param out buffered; flushed after each line */
  StandardOutput(OutputStream out, Charset charset) {
    this(new Recorder(out), charset);
  }

  private StandardOutput(Recorder recorder, Charset charset) {
    super(recorder, true, charset);
    this.recorder = recorder;
  }

  /**
   * Returns whether the reader of a pipe has closed it, as {@code head} does after the lines that it needs. The system's message for
   * that has the word "pipe"; in a language where it has not, this is an error like any other.
   */
  boolean isClosedByReader() {
    if (!checkError() || recorder.error == null) {
      return false;
    }
    String message = recorder.error.getMessage();
    return message != null && message.toLowerCase(Locale.ROOT).contains("pipe");
  }
}
