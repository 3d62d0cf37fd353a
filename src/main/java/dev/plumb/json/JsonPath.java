package dev.plumb.json;

import dev.plumb.model.Excerpt;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Path of an object or a list in its document. Its text is built only for a message: stored with every object, it would take
 * memory proportional to the length of keys times the number of objects.
 *
 * @param parent null for a value of the outermost object
 * @param key in the parent; null for an item of a list
 * @param index in the parent, from 0; 0 for a value of an object
 */
record JsonPath(JsonPath parent, String key, int index) {
  /** Limit of segments in the text: of a longer path, the first and last ones. */
  private static final int MAX_SHOWN = 10;

  /** Returns the path as text, networks[1].layers, with long keys cut. */
  String text() {
    Deque<JsonPath> segments = new ArrayDeque<>();
    for (JsonPath segment = this; segment != null; segment = segment.parent) {
      segments.addFirst(segment);
    }
    StringBuilder path = new StringBuilder();
    int number = 0;
    for (JsonPath segment : segments) {
      boolean shown = number < MAX_SHOWN / 2 || number >= segments.size() - MAX_SHOWN / 2;
      if (shown) {
        path.append(segment.key == null ? "[" + segment.index + "]"
            : (path.length() == 0 ? "" : ".") + Excerpt.of(segment.key));
      } else if (number == MAX_SHOWN / 2) {
        path.append("...");
      }
      number++;
    }
    return path.toString();
  }
}
