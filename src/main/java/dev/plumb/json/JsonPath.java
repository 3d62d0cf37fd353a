package dev.plumb.json;

import dev.plumb.model.Excerpt;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Where an object or a list is in its document. Its path is put together only for a message: kept with every object, it would take
 * memory in proportion to the lengths of keys times the number of objects.
 *
 * @param parent null for a value of the outermost object
 * @param key in the parent; null for an item of a list
 * @param index in the parent, from 0; 0 for a value of an object
 */
record JsonPath(JsonPath parent, String key, int index) {
  /** Segments of a path that are shown: the first and the last ones of a path that is longer. */
  private static final int MAX_SHOWN = 10;

  /** Returns the path as messages show it, networks[1].layers, with long keys cut. */
  String path() {
    Deque<JsonPath> places = new ArrayDeque<>();
    for (JsonPath place = this; place != null; place = place.parent) {
      places.addFirst(place);
    }
    StringBuilder path = new StringBuilder();
    int number = 0;
    for (JsonPath place : places) {
      boolean shown = number < MAX_SHOWN / 2 || number >= places.size() - MAX_SHOWN / 2;
      if (shown) {
        path.append(place.key == null ? "[" + place.index + "]" : (path.length() == 0 ? "" : ".") + Excerpt.of(place.key));
      } else if (number == MAX_SHOWN / 2) {
        path.append("...");
      }
      number++;
    }
    return path.toString();
  }
}
