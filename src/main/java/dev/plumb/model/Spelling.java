package dev.plumb.model;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggestions for misspelled names. */
public final class Spelling {
  private Spelling() {}

  /**
   * Returns the known name with the smallest edit distance, ignoring case.
   *
   * @param word that is not known
   * @param known names
   * @return empty when no known name is near enough to be a typo
   */
  public static Optional<String> nearest(String word, Collection<String> known) {
    String lower = word.toLowerCase(Locale.ROOT);
    return known.stream()
        // The difference of the lengths is a lower bound of the distance, so that long words cost little.
        .filter(name -> Math.abs(word.length() - name.length()) <= maxEdits(name))
        .min(Comparator.comparingInt(name -> editDistance(lower, name.toLowerCase(Locale.ROOT))))
        .filter(name -> editDistance(lower, name.toLowerCase(Locale.ROOT)) <= maxEdits(name));
  }

  private static int maxEdits(String name) {
    return Math.max(2, name.length() / 3);
  }

  /**
   * Returns a clause to append to the unknown name: {@code  (did you mean "relu"?)} with a leading blank.
   *
   * @param word that is not known
   * @param known names
   * @return empty when no known name is near
   */
  public static String didYouMean(String word, Collection<String> known) {
    return nearest(word, known).map(name -> " (did you mean \"" + name + "\"?)").orElse("");
  }

  /** Returns the Levenshtein distance: the smallest number of insertions, deletions and replacements that turn a into b. */
  private static int editDistance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replace, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
