package dev.plumb.data;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Search for features that determine a target exactly, which often means that they would not be known when predicting. Two kinds
 * are found:
 *
 * <ul>
 *   <li>Each value of the feature occurs with one value of the target only. Values must occur twice on average, and so
 *       often that it would be improbable (p &lt; 10<sup>-6</sup>) if the feature and the target were independent. A missing value is
 *       a value too.
 *   <li>A numeric target is a linear function of a numeric feature, up to rounding: no row is further from the line than
 *       10<sup>-3</sup> standard deviations of the target.
 * </ul>
 *
 * <p>Continuous measurements, names and ids have too few repeated values to be found by the first rule.
 */
public final class TargetLeaks {
  /** Number of distinct values above which a feature is not searched, as for categories. */
  private static final int MAX_DISTINCT = 1000;
  private static final double MAX_LOG_PROBABILITY = Math.log(1e-6);
  /** Fewer rows are on a line by chance. */
  private static final int MIN_LINE_ROWS = 10;
  private static final double MAX_LINE_DISTANCE = 1e-3;

  private TargetLeaks() {}

  /**
   * Finds the features that determine a target exactly.
   *
   * @param table rows without missing targets
   * @param columns resolved
   * @return the names of the features, in the order of the columns
   */
  public static List<String> find(Table table, EncodingOptions columns) {
    List<String> found = new ArrayList<>();
    for (String feature : columns.features()) {
      Column column = table.column(feature);
      if (columns.targets().stream().map(table::column).anyMatch(target ->
          determinesByValue(column, target) || columns.task().orElseThrow() == Task.REGRESSION && isLinear(column, target))) {
        found.add(feature);
      }
    }
    return found;
  }

  private static boolean determinesByValue(Column feature, Column target) {
    int rows = feature.rows();
    int maxDistinct = Math.min(MAX_DISTINCT, rows / 2);
    Map<Object, Object> targetOfValue = new HashMap<>();
    Map<Object, Integer> repetitions = new HashMap<>();
    for (int row = 0; row < rows; row++) {
      Object value = value(feature, row);
      Object known = targetOfValue.putIfAbsent(value, value(target, row));
      if (known != null && !known.equals(value(target, row)) || targetOfValue.size() > maxDistinct) {
        return false;
      }
      repetitions.merge(value, 1, Integer::sum);
    }
    if (targetOfValue.size() < 2) {
      return false;
    }
    Map<Object, Integer> targets = new HashMap<>();
    for (int row = 0; row < rows; row++) {
      targets.merge(value(target, row), 1, Integer::sum);
    }
    return targets.size() > 1 && logProbability(repetitions, targets, rows) < MAX_LOG_PROBABILITY;
  }

  /** Returns the logarithm of the probability that rows of one value have one target value, if they were independent. */
  private static double logProbability(Map<Object, Integer> repetitions, Map<Object, Integer> targets, int rows) {
    Map<Integer, Integer> valuesByRepetitions = new HashMap<>();
    repetitions.values().forEach(count -> valuesByRepetitions.merge(count, 1, Integer::sum));
    double log = 0;
    for (Map.Entry<Integer, Integer> entry : valuesByRepetitions.entrySet()) {
      double same = targets.values().stream().mapToDouble(count -> Math.pow((double) count / rows, entry.getKey())).sum();
      log += entry.getValue() * Math.log(same);
    }
    return log;
  }

  private static Object value(Column column, int row) {
    return column.isMissing(row) ? (Object) Double.NaN : column.isNumeric() ? column.identity(row) : column.text(row);
  }

  private static boolean isLinear(Column feature, Column target) {
    int rows = feature.rows();
    if (rows < MIN_LINE_ROWS || !feature.isNumeric() || !target.isNumeric()
        || IntStream.range(0, rows).anyMatch(row -> feature.isMissing(row) || target.isMissing(row))) {
      return false;
    }
    double meanX = IntStream.range(0, rows).mapToDouble(feature::number).average().orElseThrow();
    double meanY = IntStream.range(0, rows).mapToDouble(target::number).average().orElseThrow();
    double xx = 0;
    double xy = 0;
    double yy = 0;
    boolean onlyTwoValues = true;
    double other = Double.NaN;
    for (int row = 0; row < rows; row++) {
      double x = feature.number(row);
      xx += (x - meanX) * (x - meanX);
      xy += (x - meanX) * (target.number(row) - meanY);
      yy += (target.number(row) - meanY) * (target.number(row) - meanY);
      if (x != feature.number(0)) {
        onlyTwoValues &= Double.isNaN(other) || x == other;
        other = x;
      }
    }
    if (onlyTwoValues || !(xx > 0 && yy > 0)) {
      return false;
    }
    double slope = xy / xx;
    double limit = MAX_LINE_DISTANCE * Math.sqrt(yy / rows);
    return IntStream.range(0, rows).allMatch(row ->
        Math.abs(target.number(row) - meanY - slope * (feature.number(row) - meanX)) <= limit);
  }
}
