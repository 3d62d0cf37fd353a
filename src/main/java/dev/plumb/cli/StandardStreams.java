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
  /** Set by scripts/plumb, which can tell whether stdout is a terminal on every system. */
  static final String TERMINAL_PROPERTY = "plumb.stdout.terminal";

  private static final Path STDOUT = Path.of("/proc/self/fd/1");

  private StandardStreams() {}

  /** Returns standard output; on a terminal, control characters from users' files are made harmless. */
  static PrintStream out() {
    if (!isTerminal()) {
      return LocaleEncoding.isAscii() ? new PrintStream(System.out, true, StandardCharsets.UTF_8) : System.out;
    }
    // Not over System.out, which keeps to itself what could not be written.
    OutputStream descriptor = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
    return new PrintStream(new TerminalOutput(descriptor), true, charset());
  }

  /** Returns standard error; text from users' files is made harmless where it is printed, for the progress bar moves the cursor. */
  static PrintStream err() {
    return LocaleEncoding.isAscii() ? new PrintStream(System.err, true, StandardCharsets.UTF_8) : System.err;
  }

  private static boolean isTerminal() {
    return Optional.ofNullable(System.getProperty(TERMINAL_PROPERTY)).map(Boolean::valueOf)
        .orElseGet(() -> TerminalOutput.isTerminal(STDOUT));
  }

  /** The encoding of System.out: newer Javas have a property for it. */
  private static Charset charset() {
    return LocaleEncoding.isAscii() ? StandardCharsets.UTF_8
        : Stream.of("stdout.encoding", "sun.stdout.encoding", "native.encoding")
        .map(System::getProperty)
        .filter(name -> name != null && Charset.isSupported(name))
        .findFirst().map(Charset::forName).orElse(Charset.defaultCharset());
  }
}
