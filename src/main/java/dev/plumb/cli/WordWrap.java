package dev.plumb.cli;

import java.util.ArrayList;
import java.util.List;

/** Line breaks in running text. */
final class WordWrap {
  private WordWrap() {}

  /** Returns a text in lines of at most {@code width} characters, broken at blanks; a longer word gets a line of its own. */
  static List<String> lines(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
