package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What of a table is learned from what. In order: {@link #resolve} on the whole table settles names and task, {@link #handleMissing}
 * deals with missing values, the rows are split, and {@link TableEncoding#fit} takes the training rows.
 *
 * @param targets columns to learn; none for those that the file calls its targets, otherwise the last column
 * @param features columns to learn from; none for all others, without targets that the file has besides
 * @param categorical columns of categories that may be written in digits, such as region codes; a target among them has classes
 * @param task empty to infer it
 * @param standardize whether numbers, of features and of a regression's targets, are brought to mean 0 and standard deviation 1
 */
public record EncodingOptions(
    List<String> targets, List<String> features, List<String> categorical, Optional<Task> task, boolean standardize,
    Missing missing) {
  public static final EncodingOptions DEFAULT =
      new EncodingOptions(List.of(), List.of(), List.of(), Optional.empty(), true, Missing.REFUSE);

  public EncodingOptions {
    targets = List.copyOf(targets);
    features = List.copyOf(features);
    categorical = List.copyOf(categorical);
    requireOnce(targets, "target");
    requireOnce(features, "feature");
    requireOnce(categorical, "categorical column");
    for (String target : targets) {
      if (features.contains(target)) {
        throw new InvalidInputException("column \"" + target + "\" is named as a target and as a feature; it can be one of them");
      }
    }
  }

  public EncodingOptions withTargets(String... names) {
    return new EncodingOptions(List.of(names), features, categorical, task, standardize, missing);
  }

  public EncodingOptions withFeatures(String... names) {
    return new EncodingOptions(targets, List.of(names), categorical, task, standardize, missing);
  }

  public EncodingOptions withCategorical(String... names) {
    return new EncodingOptions(targets, features, List.of(names), task, standardize, missing);
  }

  public EncodingOptions withTask(Task newTask) {
    return new EncodingOptions(targets, features, categorical, Optional.of(newTask), standardize, missing);
  }

  public EncodingOptions withStandardize(boolean newStandardize) {
    return new EncodingOptions(targets, features, categorical, task, newStandardize, missing);
  }

  public EncodingOptions withMissing(Missing newMissing) {
    return new EncodingOptions(targets, features, categorical, task, standardize, newMissing);
  }

  /**
   * The same with every name and the task filled in, from the whole table.
   *
   * @throws InvalidInputException when a column is not there, nothing is left to learn from, or a target does not suit the task
   */
  public EncodingOptions resolve(Table table) {
    List<String> names = table.names();
    List<String> wanted = targets.isEmpty() ? defaultTargets(table) : targets;
    List<String> given = features.isEmpty()
        ? names.stream().filter(name -> !wanted.contains(name) && !table.targets().contains(name)).toList() : features;
    Stream.of(wanted, given, categorical).flatMap(List::stream).forEach(table::column);
    if (given.isEmpty()) {
      throw new InvalidInputException(names.size() == 1
          ? "has one column, \"" + names.get(0) + "\", and no feature to learn from"
              + (table.header().isPresent() ? "; if its lines have several fields, name the delimiter (--delimiter)" : "")
          : "all " + names.size() + " columns are targets; there is no feature to learn from");
    }
    List<Column> columns = wanted.stream().map(table::column).toList();
    Task settled = task.orElseGet(() -> columns.size() > 1 ? Task.REGRESSION : infer(columns.get(0)));
    if (settled == Task.CLASSIFICATION && columns.size() > 1) {
      throw new InvalidInputException("classification has one target, but there are " + columns.size() + ": "
          + String.join(", ", wanted));
    }
    for (Column column : columns) {
      if (settled == Task.REGRESSION && !column.isNumeric()) {
        int row = IntStream.range(0, column.rows()).filter(i -> !column.isMissing(i)).findFirst().orElse(0);
        throw new InvalidInputException("regression needs numbers as targets, but column \"" + column.name() + "\" has words (row "
            + table.sourceRow(row) + ": \"" + column.text(row) + "\")" + (columns.size() == 1 ? "; use classification" : ""));
      }
    }
    return new EncodingOptions(wanted, given, categorical, Optional.of(settled), standardize, missing);
  }

  private Task infer(Column target) {
    return categorical.contains(target.name()) ? Task.CLASSIFICATION : Task.infer(target);
  }

  /**
   * The table with what is missing dealt with, as far as that is done before the split: all rows, or with {@link Missing#DROP}
   * the complete ones.
   *
   * @throws InvalidInputException when a value is missing that may not be, or no row is left
   */
  public Table handleMissing(Table table) {
    EncodingOptions names = resolve(table);
    List<Column> targetColumns = names.targets.stream().map(table::column).toList();
    for (Column column : targetColumns) {
      if (IntStream.range(0, column.rows()).allMatch(column::isMissing)) {
        throw new InvalidInputException("column \"" + column.name() + "\" has no value in any row; choose another target (--target)");
      }
    }
    List<Column> all = Stream.concat(names.features.stream(), names.targets.stream()).map(table::column).toList();
    if (missing != Missing.DROP) {
      requireThere(table, missing == Missing.MEAN ? targetColumns : all, missing);
      return table;
    }
    int[] complete = IntStream.range(0, table.rows()).filter(row -> all.stream().noneMatch(c -> c.isMissing(row))).toArray();
    if (complete.length == 0) {
      throw new InvalidInputException("every row has a missing value, so that none is left"
          + "; use --missing " + Missing.MEAN.key() + " instead of " + Missing.DROP.key());
    }
    return complete.length == table.rows() ? table : table.rows(complete);
  }

  /**
   * The class of each row, from 0 in the order of {@link TargetEncoding.Classes#classNames}, to split by; null for regression.
   *
   * @param usable of which every target is there
   */
  public int[] labels(Table usable) {
    EncodingOptions names = resolve(usable);
    if (names.task.orElseThrow() != Task.CLASSIFICATION) {
      return null;
    }
    Column target = usable.column(names.targets.get(0));
    return ClassNames.of(target).labels(target, usable);
  }

  private static void requireThere(Table table, List<Column> columns, Missing missing) {
    for (int row = 0; row < table.rows(); row++) {
      for (Column column : columns) {
        if (column.isMissing(row)) {
          throw new InvalidInputException("row " + table.sourceRow(row) + " has no value in column \"" + column.name() + "\""
              + column.missingNote() + "; "
              + (missing == Missing.MEAN
                  ? "a target cannot be filled in: drop such rows (--missing " + Missing.DROP.key() + ") or complete the file"
                  : "drop such rows (--missing " + Missing.DROP.key() + ") or fill in means (--missing " + Missing.MEAN.key()
                      + ")"));
        }
      }
    }
  }

  private List<String> defaultTargets(Table table) {
    List<String> others = new ArrayList<>(table.targets().isEmpty() ? table.names() : table.targets());
    others.removeAll(features);
    if (others.isEmpty()) {
      throw new InvalidInputException("all " + (table.targets().isEmpty() ? table.names().size() + " columns" : "targets")
          + " are named as features; there is no target to learn");
    }
    return table.targets().isEmpty() ? others.subList(others.size() - 1, others.size()) : others;
  }

  private static void requireOnce(List<String> names, String what) {
    Set<String> seen = new HashSet<>();
    String twice = names.stream().filter(name -> !seen.add(name)).distinct().collect(Collectors.joining(", "));
    if (!twice.isEmpty()) {
      throw new InvalidInputException(what + " named twice: " + twice);
    }
  }
}
