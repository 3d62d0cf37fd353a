package dev.plumb.model;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Which of the known names a misspelt one was probably meant to be. */
public final class Spelling {
  private Spelling() {}

  /** The known name with the fewest edits away from {@code word}; empty when every one is too far to be a slip of the fingers. */
  public static Optional<String> nearest(String word, Collection<String> known) {
    String lower = word.toLowerCase(Locale.ROOT);
    return known.stream()
        // As many edits as the lengths differ by are needed at least; words of any length cost little so.
        .filter(name -> Math.abs(word.length() - name.length()) <= mostEdits(name))
        .min(Comparator.comparingInt(name -> editDistance(lower, name.toLowerCase(Locale.ROOT))))
        .filter(name -> editDistance(lower, name.toLowerCase(Locale.ROOT)) <= mostEdits(name));
  }

  private static int mostEdits(String name) {
    return Math.max(2, name.length() / 3);
  }

  /** A clause to put behind the name, {@code (did you mean "relu"?)} with a blank before it; nothing when none is near. */
  public static String didYouMean(String word, Collection<String> known) {
    return nearest(word, known).map(name -> " (did you mean \"" + name + "\"?)").orElse("");
  }

  /** Levenshtein's distance: the fewest insertions, deletions and replacements of one character that turn a into b. */
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
