package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The distinct values of a column as names, in ascending order (numbers by their value), and the place of each. */
final class ClassNames {
  private final List<String> names;
  private final Map<String, Integer> places = new HashMap<>();

  ClassNames(List<String> names) {
    this.names = names;
    for (int place = 0; place < names.size(); place++) {
      places.put(names.get(place), place);
    }
  }

  static ClassNames of(Column column) {
    int[] rows = IntStream.range(0, column.rows()).filter(row -> !column.isMissing(row)).toArray();
    if (!column.isNumeric()) {
      return new ClassNames(Arrays.stream(rows).mapToObj(column::word).distinct().sorted().toList());
    }
    Map<String, Double> numbers = new HashMap<>();
    for (int row : rows) {
      numbers.put(column.word(row), column.number(row));
    }
    // Names of large whole numbers can differ where the nearest doubles are the same.
    return new ClassNames(numbers.entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().thenComparing(entry -> new BigDecimal(entry.getKey())))
        .map(Map.Entry::getKey).toList());
  }

  List<String> names() {
    return names;
  }

  /** -1 when there is no such name. */
  int place(String name) {
    return places.getOrDefault(name, -1);
  }

  /** @throws InvalidInputException when a row has none of the names */
  int[] labels(Column column, Table table) {
    int[] labels = new int[column.rows()];
    for (int row = 0; row < labels.length; row++) {
      String word = column.word(row);
      labels[row] = place(word);
      if (labels[row] < 0) {
        String where = "row " + table.sourceRow(row);
        throw new InvalidInputException(word == null
            ? where + " has no value in column \"" + column.name() + "\", its target; leave such rows out"
            : where + ": \"" + word + "\" in column \"" + column.name() + "\" is not one of the classes learnt: " + some(names));
      }
    }
    return labels;
  }

  private static String some(Collection<String> names) {
    int shown = Math.min(names.size(), 12);
    return String.join(", ", names.stream().limit(shown).toList()) + (shown < names.size() ? ", ..." : "");
  }
}
