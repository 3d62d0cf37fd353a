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
 * Distinct values of a column as names, in ascending order (numbers by value), with the index of each. Names keep the text of the
 * file: 007 and 7 are two names. When all names are ordinary numbers, another spelling of one finds it: 1.0 finds 1.
 */
final class ClassNames {
  private static final Pattern ORDINARY = Pattern.compile("[-+]?(0|[1-9]\\d{0,14})?(\\.\\d{0,15})?(?<=\\d\\.?)");

  private final List<String> names;
  private final Map<String, Integer> indices = new HashMap<>();
  /** Indices by value; empty when a name is not an ordinary number or two names have the same value. */
  private final Map<Double, Integer> numberIndices = new HashMap<>();

  ClassNames(List<String> names) {
    this.names = names;
    for (int index = 0; index < names.size(); index++) {
      indices.put(names.get(index), index);
      OptionalDouble number = ordinaryNumber(names.get(index));
      if (number.isPresent()) {
        numberIndices.put(number.getAsDouble(), index);
      }
    }
    if (numberIndices.size() < names.size()) {
      numberIndices.clear();
    }
  }

  /**
   * Collects the distinct values of a column.
   *
   * @throws InvalidInputException when the column spells the same number in two ways, which could be one class or two
   */
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
            + ", which are the same number; write it one way, or read the column as text (--categorical) to make them two"
            + " classes");
      }
    }
    return new ClassNames(names);
  }

  /** Parses a number whose spelling does not matter: no leading zeros, no exponent, exact in a double. */
  private static OptionalDouble ordinaryNumber(String name) {
    return ORDINARY.matcher(name).matches() ? OptionalDouble.of(Double.parseDouble(name) + 0.0) : OptionalDouble.empty();
  }

  List<String> names() {
    return names;
  }

  /** Returns the index of a name, or -1 when there is no such name. */
  int index(String name) {
    Integer index = indices.get(name);
    if (index == null && name != null && !numberIndices.isEmpty()) {
      OptionalDouble number = ordinaryNumber(name);
      index = number.isPresent() ? numberIndices.get(number.getAsDouble()) : null;
    }
    return index == null ? -1 : index;
  }

  /**
   * Returns the class index of each row.
   *
   * @throws InvalidInputException when a row has no value or an unknown one
   */
  int[] labels(Column column, Table table) {
    int[] labels = new int[column.rows()];
    for (int row = 0; row < labels.length; row++) {
      String text = column.text(row);
      labels[row] = index(text);
      if (labels[row] < 0) {
        throw text == null ? missingTarget(table, column, row) : new InvalidInputException("row " + table.sourceRow(row)
            + ": \"" + text + "\" in column \"" + column.name() + "\" is not one of the training classes:"
                + " " + some(names));
      }
    }
    return labels;
  }

  /** Returns the error about a row without a target. */
  static InvalidInputException missingTarget(Table table, Column column, int row) {
    return new InvalidInputException("row " + table.sourceRow(row) + ": target column \"" + column.name() + "\" has no value"
        + column.missingNote() + "; remove such rows");
  }

  private static String some(Collection<String> names) {
    int shown = Math.min(names.size(), 12);
    return String.join(", ", names.stream().limit(shown).toList()) + (shown < names.size() ? ", ..." : "");
  }
}
