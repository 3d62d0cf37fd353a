package dev.plumb.cli;

import dev.plumb.store.TerminalOutput;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Standard output and standard error of the process, for any text. */
final class StandardStreams {
  /** Set by scripts/plumb, which detects on every system whether stdout is a terminal. */
  static final String TERMINAL_PROPERTY = "plumb.stdout.terminal";

  private static final Path STDOUT = Path.of("/proc/self/fd/1");

  private StandardStreams() {}

  /** Returns standard output; on a terminal, control characters are replaced. */
  static PrintStream out() {
    // Not through System.out, which does not report why a write failed.
    OutputStream descriptor = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
    return isTerminal()
        ? new StandardOutput(new TerminalOutput(descriptor), charset("stdout.encoding", "sun.stdout.encoding", "native.encoding"))
        : new StandardOutput(descriptor, charset("stdout.encoding", "sun.stdout.encoding"));
  }

  /** Returns standard error. The progress bar needs control characters, so callers sanitize their messages instead. */
  static PrintStream err() {
    return LocaleEncoding.isAscii() ? new PrintStream(System.err, true, StandardCharsets.UTF_8) : System.err;
  }

  private static boolean isTerminal() {
    return Optional.ofNullable(System.getProperty(TERMINAL_PROPERTY)).map(Boolean::valueOf)
        .orElseGet(() -> TerminalOutput.isTerminal(STDOUT));
  }

  /** Returns the encoding of System.out: newer Java versions have a property for it. */
  private static Charset charset(String... properties) {
    return LocaleEncoding.isAscii() ? StandardCharsets.UTF_8 : Stream.of(properties)
        .map(System::getProperty)
        .filter(name -> name != null && Charset.isSupported(name))
        .findFirst().map(Charset::forName).orElse(Charset.defaultCharset());
  }
}
