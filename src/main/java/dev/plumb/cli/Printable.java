package dev.plumb.cli;

/** Text from users' files, made harmless for a terminal. */
final class Printable {
  private Printable() {}

  /** Control characters, line ends among them, become question marks. */
  static String text(String text) {
    return text.codePoints()
        .map(c -> Character.isISOControl(c) ? '?' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
