package dev.plumb.data;

import java.util.Locale;
import java.util.Set;

/** Which fields of a text file have no value. */
final class MissingWords {
  private final Set<String> words;
  private final int longest;

  /** @param words in lower case */
  MissingWords(Set<String> words) {
    this.words = words;
    longest = words.stream().mapToInt(String::length).max().orElse(0);
  }

  /** Whether a field of a column of numbers has no value: when it is empty or one of the words, in quotes or not. */
  boolean isMissingNumber(String text) {
    return text.isEmpty() || (text.length() <= longest && words.contains(text.toLowerCase(Locale.ROOT)));
  }

  /** Whether a field of a column of words has no value: when it is empty, or one of the words without quotes. */
  boolean isMissingWord(Field field) {
    return field.text().isEmpty() || (!field.quoted() && isMissingNumber(field.text()));
  }
}
