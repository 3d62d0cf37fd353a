package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * The encoding of arguments and file names, which Java takes from the locale when it starts. In a C locale this is ASCII, and all
 * other characters are lost before {@code main} is called; {@code scripts/plumb} then starts Java in a UTF-8 locale.
 */
final class LocaleEncoding {
  /** The replacement for bytes that are not a character in the encoding. */
  private static final String LOST = "\uFFFD";

  private static final String REMEDY = "set LC_ALL=C.UTF-8";

  private static final Charset CHARSET = charset();

  private LocaleEncoding() {}

  private static Charset charset() {
    String name = System.getProperty("sun.jnu.encoding", "UTF-8");
    return Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
  }

  static boolean isAscii() {
    return CHARSET.equals(StandardCharsets.US_ASCII);
  }

  /**
   * Checks that Java has decoded the arguments and the name of the working folder.
   *
   * @throws InvalidInputException if they cannot be decoded in this locale
   */
  static void requireDecoded(List<String> arguments) {
    // In any other encoding, the replacement character may be part of the argument.
    if (isAscii()) {
      arguments.stream().filter(argument -> argument.contains(LOST)).findFirst().ifPresent(argument -> {
        throw new InvalidInputException("the argument " + undecoded(argument));
      });
    }
    String folder = System.getProperty("user.dir", "");
    if (folder.contains(LOST) && !Files.exists(Path.of("").toAbsolutePath())) {
      throw new InvalidInputException("the name of the working folder " + undecoded(folder));
    }
  }

  private static String undecoded(String text) {
    return "\"" + text.replace(LOST, "?") + "\" is not in " + CHARSET + ", the encoding of this locale; "
        + (isAscii() ? REMEDY : "rename it, or set LC_ALL to a locale with its encoding");
  }

  /**
   * Reads a word as a path.
   *
   * @throws InvalidInputException if it is not a valid path
   */
  static Path path(String word) {
    try {
      Path path = Path.of(word);
      if (word.contains(LOST) && !Files.exists(path)) {
        throw new InvalidInputException("the file name " + undecoded(word));
      }
      return path;
    } catch (InvalidPathException e) {
      throw invalid(e);
    }
  }

  /** Returns an exception that says in one line why a text is not a valid path, and what to do. */
  static InvalidInputException invalid(InvalidPathException e) {
    String input = e.getInput();
    String refused = "\"" + input.replace(LOST, "?") + "\" cannot be a file name";
    if (input.indexOf('\0') >= 0) {
      return new InvalidInputException(refused + ": it contains a NUL character", e);
    }
    if (!CHARSET.newEncoder().canEncode(input)) {
      return new InvalidInputException(
          refused + " in this locale, whose encoding is " + CHARSET + "; " + REMEDY, e);
    }
    return new InvalidInputException(refused + ": " + e.getReason(), e);
  }
}
