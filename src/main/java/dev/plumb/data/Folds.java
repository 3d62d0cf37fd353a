package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The folds of a cross-validation. Except for folds by time, every repeat draws one permutation from the random stream and divides
 * all rows into folds; each fold is the test rows once, and the rows of the other folds are its training rows.
 *
 * <ul>
 *   <li>Regression: the rows are dealt to the folds in the order of the permutation.
 *   <li>Classification: stratified. The rows are dealt class by class, so that neither the numbers of rows of a class nor the sizes
 *       of two folds differ by more than 1.
 *   <li>By group: groups, from the largest to the smallest, go to the fold with the fewest rows. Groups of one size are in the order
 *       of the permutation, which is one of the groups.
 *   <li>By time: as in scikit-learn's TimeSeriesSplit. The rows are sorted by time; the last blocks, of
 *       floor(rows / (folds + 1)) rows each, are the test rows, and all rows before a block are its training rows. A block
 *       whose first time occurs before it too starts at the first row of that time, so that training rows are always earlier.
 * </ul>
 */
public final class Folds {
  /**
   * One division of rows.
   *
   * @param repeat number of the repeat, from 1
   * @param number number of the fold in its repeat, from 1
   * @param training row indices in ascending order
   * @param test row indices in ascending order
   */
  public record Fold(int repeat, int number, int[] training, int[] test) {}

  private Folds() {}

  /**
   * Divides the rows of a table.
   *
   * @param table usable rows, without missing targets
   * @param columns resolved
   * @param options of the folds
   * @param stream of random numbers
   * @return the folds of the first repeat, then those of the second, ...
   * @throws InvalidInputException when the rows cannot be divided into so many folds, or a group or time is missing
   */
  public static List<Fold> of(Table table, EncodingOptions columns, FoldOptions options, NumpyRandom stream) {
    int rows = table.rows();
    if (options.folds() > rows) {
      throw tooMany(options.folds(), rows, rows == 1 ? "row" : "rows");
    }
    if (options.time().isPresent()) {
      return byTime(ranks(table, options.time().get()), options.folds());
    }
    List<Fold> folds = new ArrayList<>();
    if (options.group().isPresent()) {
      int[] groups = groups(table, options.group().get());
      int count = Arrays.stream(groups).max().orElse(0) + 1;
      if (options.folds() > count) {
        throw tooMany(options.folds(), count, count == 1 ? "group" : "groups").at("--group");
      }
      for (int repeat = 1; repeat <= options.repeats(); repeat++) {
        folds.addAll(divided(repeat, options.folds(), byGroup(groups, options.folds(), stream.permutation(count))));
      }
      return folds;
    }
    int[] labels = columns.labels(table);
    if (labels != null) {
      requireClasses(table.column(columns.targets().get(0)), labels, options.folds());
    }
    for (int repeat = 1; repeat <= options.repeats(); repeat++) {
      folds.addAll(divided(repeat, options.folds(), dealt(labels, options.folds(), stream.permutation(rows))));
    }
    return folds;
  }

  private static void requireClasses(Column target, int[] labels, int folds) {
    int[] counts = counts(labels);
    int rarest = IntStream.range(0, counts.length).boxed().min(Comparator.comparingInt(label -> counts[label])).orElseThrow();
    if (counts[rarest] < folds) {
      throw new InvalidInputException("class \"" + ClassNames.of(target).names().get(rarest) + "\" of column \"" + target.name()
          + "\" has " + counts[rarest] + (counts[rarest] == 1 ? " row" : " rows") + ", fewer than the " + folds + " folds; "
          + (counts[rarest] > 1 ? "use --folds " + counts[rarest] + " or fewer, or " : "")
          + "leave the class out");
    }
  }

  private static InvalidInputException tooMany(int folds, int count, String unit) {
    return new InvalidInputException("there are " + folds + " folds, but only " + count + " " + unit
        + (count > 1 ? "; use --folds " + count + " or fewer" : "; at least 2 are needed"));
  }

  /**
   * Deals the rows to the folds in turn.
   *
   * @param labels class of each row, or null
   * @return the fold of each row, from 0
   */
  static int[] dealt(int[] labels, int folds, int[] permutation) {
    int[] order = labels == null ? permutation
        : Arrays.stream(permutation).boxed().sorted(Comparator.comparingInt(row -> labels[row])).mapToInt(Integer::intValue).toArray();
    int[] foldOfRow = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      foldOfRow[order[i]] = i % folds;
    }
    return foldOfRow;
  }

  /**
   * Assigns groups to folds.
   *
   * @param groups group of each row, from 0
   * @param permutation of the groups
   * @return the fold of each row, from 0
   */
  static int[] byGroup(int[] groups, int folds, int[] permutation) {
    int[] sizes = counts(groups);
    int[] bySize = Arrays.stream(permutation).boxed().sorted(Comparator.comparingInt(group -> -sizes[group]))
        .mapToInt(Integer::intValue).toArray();
    int[] rows = new int[folds];
    int[] foldOfGroup = new int[sizes.length];
    for (int group : bySize) {
      int smallest = IntStream.range(0, folds).boxed().min(Comparator.comparingInt(fold -> rows[fold])).orElseThrow();
      foldOfGroup[group] = smallest;
      rows[smallest] += sizes[group];
    }
    return Arrays.stream(groups).map(group -> foldOfGroup[group]).toArray();
  }

  /** @param times rank of each row's time */
  static List<Fold> byTime(int[] times, int folds) {
    int rows = times.length;
    int[] order = IntStream.range(0, rows).boxed().sorted(Comparator.comparingInt(row -> times[row])).mapToInt(Integer::intValue)
        .toArray();
    int block = rows / (folds + 1);
    if (block == 0) {
      throw new InvalidInputException("--time: " + folds + " folds need at least " + (folds + 1) + " rows, but there are " + rows
          + (rows > 2 ? "; use --folds " + (rows - 1) + " or fewer" : ""));
    }
    int[] starts = new int[folds + 1];
    for (int fold = 0; fold < folds; fold++) {
      int start = rows - (folds - fold) * block;
      while (start > 0 && times[order[start - 1]] == times[order[start]]) {
        start--;
      }
      starts[fold] = start;
    }
    starts[folds] = rows;
    List<Fold> result = new ArrayList<>();
    for (int fold = 0; fold < folds; fold++) {
      if (starts[fold] == 0 || starts[fold] == starts[fold + 1]) {
        throw new InvalidInputException("--time: too many rows have the same time for " + folds + " folds: fold " + (fold + 1)
            + " would have no " + (starts[fold] == 0 ? "earlier rows to train on" : "rows to predict") + "; use fewer --folds");
      }
      result.add(new Fold(1, fold + 1, Arrays.stream(order, 0, starts[fold]).sorted().toArray(),
          Arrays.stream(order, starts[fold], starts[fold + 1]).sorted().toArray()));
    }
    return result;
  }

  private static List<Fold> divided(int repeat, int folds, int[] foldOfRow) {
    return IntStream.range(0, folds).mapToObj(fold -> new Fold(repeat, fold + 1,
        IntStream.range(0, foldOfRow.length).filter(row -> foldOfRow[row] != fold).toArray(),
        IntStream.range(0, foldOfRow.length).filter(row -> foldOfRow[row] == fold).toArray())).toList();
  }

  private static int[] counts(int[] labels) {
    int[] counts = new int[Arrays.stream(labels).max().orElse(0) + 1];
    for (int label : labels) {
      counts[label]++;
    }
    return counts;
  }

  /** Returns the group of each row, in the order of their first rows. */
  private static int[] groups(Table table, String name) {
    Column column = present(table, name, "--group", "group");
    Map<Object, Integer> groups = new HashMap<>();
    return IntStream.range(0, column.rows()).map(row -> {
      Object value = column.isNumeric() ? column.identity(row) : column.text(row);
      groups.putIfAbsent(value, groups.size());
      return groups.get(value);
    }).toArray();
  }

  /** Returns the rank of each row's time: numbers by value, text by its characters. Equal times have the same rank. */
  private static int[] ranks(Table table, String name) {
    Column column = present(table, name, "--time", "time");
    Comparator<Integer> byTime = column.isNumeric() ? Comparator.comparingDouble(row -> column.number(row) + 0.0)
        : Comparator.comparing(row -> column.text(row));
    List<Integer> order = IntStream.range(0, column.rows()).boxed().sorted(byTime).toList();
    int[] ranks = new int[column.rows()];
    for (int i = 1; i < ranks.length; i++) {
      boolean later = byTime.compare(order.get(i - 1), order.get(i)) != 0;
      ranks[order.get(i)] = ranks[order.get(i - 1)] + (later ? 1 : 0);
    }
    return ranks;
  }

  private static Column present(Table table, String name, String option, String meaning) {
    Column column = table.column(name);
    for (int row = 0; row < column.rows(); row++) {
      if (column.isMissing(row)) {
        throw new InvalidInputException(option + ": row " + table.sourceRow(row) + ": column \"" + name + "\" has no value"
            + column.missingNote() + "; every row needs a " + meaning);
      }
    }
    return column;
  }
}
