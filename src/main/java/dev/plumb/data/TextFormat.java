package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Format of a delimited text file. Empty options are inferred from the content.
 *
 * @param delimiter between the fields of a line; a blank means any run of blanks and tabs
 * @param header whether the first line has the names of the columns; otherwise they are named 1, 2, 3, ...
 * @param naValues texts that mark a missing value, in any case; empty for {@link #DEFAULT_NA_VALUES}. An empty field is always
 *     missing; a quoted text marks a missing value only in a column of numbers
 */
public record TextFormat(Optional<Character> delimiter, Optional<Boolean> header, Optional<List<String>> naValues) {
  /** Texts that mark a missing value by default. */
  public static final List<String> DEFAULT_NA_VALUES = List.of("?", "NA", "N/A", "NaN", "null");
  /** Everything inferred. */
  public static final TextFormat DEFAULT = new TextFormat(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * Validates the delimiter.
   *
   * @param delimiter between the fields of a line; a blank means any run of blanks and tabs
   * @param header whether the first line has the names of the columns; otherwise they are named 1, 2, 3, ...
   * @param naValues texts that mark a missing value, in any case; empty for {@link #DEFAULT_NA_VALUES}. An empty field is always
   *     missing; a quoted text marks a missing value only in a column of numbers
   * @throws InvalidInputException when it is a letter, a digit, or part of a number or quotation
   */
  public TextFormat {
    delimiter.ifPresent(TextFormat::requireDelimiter);
    naValues = naValues.map(List::copyOf);
  }

  /**
   * Returns this format with a delimiter.
   *
   * @param newDelimiter between fields
   * @return the changed format
   */
  public TextFormat withDelimiter(char newDelimiter) {
    return new TextFormat(Optional.of(newDelimiter), header, naValues);
  }

  /**
   * Returns this format with or without a header.
   *
   * @param newHeader whether the first line has the names of the columns
   * @return the changed format
   */
  public TextFormat withHeader(boolean newHeader) {
    return new TextFormat(delimiter, Optional.of(newHeader), naValues);
  }

  /**
   * Returns this format with other markers of missing values.
   *
   * @param newNaValues texts, in any case
   * @return the changed format
   */
  public TextFormat withNaValues(List<String> newNaValues) {
    return new TextFormat(delimiter, header, Optional.of(newNaValues));
  }

  /** Returns the texts that mark a missing value, in lower case. */
  Set<String> lowerCaseNaValues() {
    return naValues.orElse(DEFAULT_NA_VALUES).stream().map(text -> text.strip().toLowerCase(Locale.ROOT))
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Parses a delimiter as users write it: one character, or the word tab or space.
   *
   * @param word to parse
   * @return the delimiter
   * @throws InvalidInputException when it cannot be one
   */
  public static char parseDelimiter(String word) {
    return switch (word) {
      case "tab", "\\t" -> '\t';
      case "space" -> ' ';
      default -> {
        if (word.length() != 1) {
          throw new InvalidInputException(QuotedText.of(word) + " cannot be the delimiter; use one character such as , or ; or"
              + " |, or the word tab or space");
        }
        requireDelimiter(word.charAt(0));
        yield word.charAt(0);
      }
    };
  }

  private static void requireDelimiter(char delimiter) {
    boolean isLineEnd = delimiter == '\n' || delimiter == '\r' || delimiter == 0;
    if (isLineEnd || "\".+-".indexOf(delimiter) >= 0 || Character.isLetterOrDigit(delimiter)
        || Character.isSurrogate(delimiter)) {
      throw new InvalidInputException(QuotedText.of(String.valueOf(delimiter))
          + " cannot be the delimiter; use one character such as , or ; or |, or the word tab or space");
    }
  }
}
