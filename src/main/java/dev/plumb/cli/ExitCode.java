package dev.plumb.cli;

/** What the process says to its caller. */
final class ExitCode {
  static final int DONE = 0;
  /** A check failed, or training was not finite any more. */
  static final int FAILED = 1;
  /** A bad command line, specification or data, or a file that cannot be read or written. */
  static final int BAD_INPUT = 2;
  /** The device asked for cannot be used. */
  static final int DEVICE_UNAVAILABLE = 3;
  /** Something that must not happen. */
  static final int BUG = 70;

  /** Stopped by Ctrl-C or a signal, in good order: 128 and the number of SIGINT, as shells have it. */
  static final int STOPPED = 130;

  private ExitCode() {}
}
