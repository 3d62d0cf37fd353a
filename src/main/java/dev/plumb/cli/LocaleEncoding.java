package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * The encoding in which Java reads arguments and names files: that of the locale at its start. In a C locale this is ASCII, and all
 * other characters are lost before {@code main} is called. {@code scripts/plumb} starts Java in a UTF-8 locale there.
 */
final class LocaleEncoding {
  /** Stands for bytes that are no character in the encoding. */
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
   * Requires that Java has read the arguments and the working folder's name as they are.
   *
   * @throws InvalidInputException when it could not, in this locale
   */
  static void requireDecoded(List<String> arguments) {
    // In any other encoding the character may be meant.
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
   * @throws InvalidInputException when it cannot be one
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

  /** Says in one line why a text cannot be a path, and what to do. */
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
