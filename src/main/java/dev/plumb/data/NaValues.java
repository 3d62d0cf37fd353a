package dev.plumb.data;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Texts that mark a missing value. A number among them matches all equal numbers: 999 matches 999.0. */
final class NaValues {
  private final Set<String> texts;
  private final Set<Double> numbers;
  private final int maxLength;

  /**
   * Creates a set.
   *
   * @param texts in lower case
   */
  NaValues(Set<String> texts) {
    this.texts = texts;
    numbers = texts.stream().filter(CsvColumn::isNumber).map(CsvColumn::toNumber).collect(Collectors.toUnmodifiableSet());
    maxLength = texts.stream().mapToInt(String::length).max().orElse(0);
  }

  /** Returns whether a number marks a missing value. */
  boolean isMissing(double number) {
    return !numbers.isEmpty() && numbers.contains(number + 0.0);
  }

  /** Returns whether a field in a column of numbers is missing: it is empty or one of the texts, quoted or not. */
  boolean isMissingNumber(String text) {
    return text.isEmpty() || (text.length() <= maxLength && texts.contains(text.toLowerCase(Locale.ROOT)))
        || (!numbers.isEmpty() && CsvColumn.isNumber(text) && isMissing(CsvColumn.toNumber(text)));
  }

  /** Returns whether a field in a column of text is missing: it is empty or one of the texts, not quoted. */
  boolean isMissingText(Field field) {
    return field.text().isEmpty() || (!field.quoted() && isMissingNumber(field.text()));
  }
}
