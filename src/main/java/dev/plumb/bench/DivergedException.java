package dev.plumb.bench;

/** Training that is no longer finite: its times do not count. */
final class DivergedException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  DivergedException(String message) {
    super(message);
  }
}
