package dev.plumb.cli;

/** Exit codes of the process. */
final class ExitCode {
  static final int DONE = 0;
  /** A check failed, or training diverged. */
  static final int FAILED = 1;
  /** Invalid command line, specification or data, or a file that cannot be read or written. */
  static final int BAD_INPUT = 2;
  /** The requested device cannot be used. */
  static final int DEVICE_UNAVAILABLE = 3;
  /** An internal error. */
  static final int BUG = 70;

  /** Stopped by SIGINT or SIGTERM after saving a checkpoint: 128 plus the number of SIGINT, as in shells. */
  static final int STOPPED = 130;

  private ExitCode() {}
}
