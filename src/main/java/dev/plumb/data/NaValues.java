package dev.plumb.data;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Which fields of a text file have no value. A number among the words stands for all that are equal to it: 999 for 999.0, too. */
final class NaValues {
  private final Set<String> words;
  private final Set<Double> numbers;
  private final int longest;

  /** @param words in lower case */
  NaValues(Set<String> words) {
    this.words = words;
    numbers = words.stream().filter(CsvColumn::isNumber).map(CsvColumn::toNumber).collect(Collectors.toUnmodifiableSet());
    longest = words.stream().mapToInt(String::length).max().orElse(0);
  }

  /** Whether a number stands for a missing value. */
  boolean isMissing(double number) {
    return !numbers.isEmpty() && numbers.contains(number + 0.0);
  }

  /** Whether a field of a column of numbers has no value: when it is empty or one of the words, in quotes or not. */
  boolean isMissingNumber(String text) {
    return text.isEmpty() || (text.length() <= longest && words.contains(text.toLowerCase(Locale.ROOT)))
        || (!numbers.isEmpty() && CsvColumn.isNumber(text) && isMissing(CsvColumn.toNumber(text)));
  }

  /** Whether a field of a column of words has no value: when it is empty, or one of the words without quotes. */
  boolean isMissingWord(Field field) {
    return field.text().isEmpty() || (!field.quoted() && isMissingNumber(field.text()));
  }
}
