package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The form of a delimited text file. What is empty is found out from the content.
 *
 * @param delimiter between the fields of a line; a blank stands for any run of blanks and tabs
 * @param header whether the first line has the names of the columns; without it they are named 1, 2, 3, ...
 * @param naValues words that stand for a missing value, in any case; empty for {@link #DEFAULT_NA_VALUES}. An empty field is
 *     always missing, and a word in quotes is missing only in a column of numbers
 */
public record TextFormat(Optional<Character> delimiter, Optional<Boolean> header, Optional<List<String>> naValues) {
  public static final List<String> DEFAULT_NA_VALUES = List.of("?", "NA", "N/A", "NaN", "null");
  public static final TextFormat DEFAULT = new TextFormat(Optional.empty(), Optional.empty(), Optional.empty());

  public TextFormat {
    delimiter.ifPresent(TextFormat::requireDelimiter);
    naValues = naValues.map(List::copyOf);
  }

  public TextFormat withDelimiter(char newDelimiter) {
    return new TextFormat(Optional.of(newDelimiter), header, naValues);
  }

  public TextFormat withHeader(boolean newHeader) {
    return new TextFormat(delimiter, Optional.of(newHeader), naValues);
  }

  public TextFormat withNaValues(List<String> newNaValues) {
    return new TextFormat(delimiter, header, Optional.of(newNaValues));
  }

  /** The words that stand for a missing value, in lower case. */
  Set<String> missingWords() {
    return naValues.orElse(DEFAULT_NA_VALUES).stream().map(word -> word.strip().toLowerCase(Locale.ROOT))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Reads a delimiter: one character, or tab or space by name. */
  public static char parseDelimiter(String word) {
    return switch (word) {
      case "tab", "\\t" -> '\t';
      case "space" -> ' ';
      default -> {
        if (word.length() != 1) {
          throw new InvalidInputException(QuotedText.of(word) + " cannot be the delimiter; one character such as , or ; or |,"
              + " or tab, or space is needed");
        }
        requireDelimiter(word.charAt(0));
        yield word.charAt(0);
      }
    };
  }

  private static void requireDelimiter(char delimiter) {
    boolean isLineEnd = delimiter == '\n' || delimiter == '\r' || delimiter == 0;
    if (isLineEnd || "\".+-".indexOf(delimiter) >= 0 || Character.isLetterOrDigit(delimiter) || Character.isSurrogate(delimiter)) {
      throw new InvalidInputException(QuotedText.of(String.valueOf(delimiter))
          + " cannot be the delimiter; one character such as , or ; or |, or tab, or space is needed");
    }
  }
}
