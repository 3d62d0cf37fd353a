package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The distinct values of a column as names, in ascending order (numbers by their value), and the place of each. Names keep the
 * text of the file: 007 and 7 are two of them. Where all names are ordinary numbers, another way to write one of them finds it:
 * 1.0 finds 1.
 */
final class ClassNames {
  private static final Pattern ORDINARY = Pattern.compile("[-+]?(0|[1-9]\\d{0,14})?(\\.\\d{0,15})?(?<=\\d\\.?)");

  private final List<String> names;
  private final Map<String, Integer> places = new HashMap<>();
  /** By value; empty where some name is no ordinary number, or two are of one value. */
  private final Map<Double, Integer> placesOfNumbers = new HashMap<>();

  ClassNames(List<String> names) {
    this.names = names;
    for (int place = 0; place < names.size(); place++) {
      places.put(names.get(place), place);
      OptionalDouble number = ordinaryNumber(names.get(place));
      if (number.isPresent()) {
        placesOfNumbers.put(number.getAsDouble(), place);
      }
    }
    if (placesOfNumbers.size() < names.size()) {
      placesOfNumbers.clear();
    }
  }

  /** @throws InvalidInputException when two ways to write one number could be one class or two */
  static ClassNames of(Column column) {
    int[] rows = IntStream.range(0, column.rows()).filter(row -> !column.isMissing(row)).toArray();
    if (!column.isNumeric()) {
      return new ClassNames(Arrays.stream(rows).mapToObj(column::text).distinct().sorted().toList());
    }
    Map<String, Double> numbers = new HashMap<>();
    for (int row : rows) {
      numbers.put(column.text(row), column.number(row) + 0.0);
    }
    List<String> names = numbers.keySet().stream()
        .sorted(Comparator.comparing((String name) -> numbers.get(name)).thenComparing((String name) -> new BigDecimal(name))
            .thenComparing(Comparator.naturalOrder())).toList();
    for (int i = 1; i < names.size(); i++) {
      String one = names.get(i - 1);
      String other = names.get(i);
      if (numbers.get(one).equals(numbers.get(other)) && ordinaryNumber(one).isPresent() && ordinaryNumber(other).isPresent()) {
        throw new InvalidInputException("column \"" + column.name() + "\" has both " + one + " and " + other
            + ", which are one number; write it in one way, or read the column as text (--categorical) to make them two classes");
      }
    }
    return new ClassNames(names);
  }

  /** A number whose text may vary without it being another name: without leading zeros or an exponent, and exact in a double. */
  private static OptionalDouble ordinaryNumber(String name) {
    return ORDINARY.matcher(name).matches() ? OptionalDouble.of(Double.parseDouble(name) + 0.0) : OptionalDouble.empty();
  }

  List<String> names() {
    return names;
  }

  /** -1 when there is no such name. */
  int place(String name) {
    Integer place = places.get(name);
    if (place == null && name != null && !placesOfNumbers.isEmpty()) {
      OptionalDouble number = ordinaryNumber(name);
      place = number.isPresent() ? placesOfNumbers.get(number.getAsDouble()) : null;
    }
    return place == null ? -1 : place;
  }

  /** @throws InvalidInputException when a row has none of the names */
  int[] labels(Column column, Table table) {
    int[] labels = new int[column.rows()];
    for (int row = 0; row < labels.length; row++) {
      String word = column.text(row);
      labels[row] = place(word);
      if (labels[row] < 0) {
        String where = "row " + table.sourceRow(row);
        throw new InvalidInputException(word == null
            ? where + " has no value in column \"" + column.name() + "\"" + column.missingNote()
                + ", its target; leave such rows out"
            : where + ": \"" + word + "\" in column \"" + column.name() + "\" is not one of the classes learned: " + some(names));
      }
    }
    return labels;
  }

  private static String some(Collection<String> names) {
    int shown = Math.min(names.size(), 12);
    return String.join(", ", names.stream().limit(shown).toList()) + (shown < names.size() ? ", ..." : "");
  }
}
