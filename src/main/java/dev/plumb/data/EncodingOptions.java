package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Choice of targets, features and their treatment. The order of use: {@link #resolve} on the whole table fills in names and task,
 * {@link #handleMissing} removes or checks missing values, the rows are split, and {@link TableEncoding#fit} takes the training
 * rows.
 *
 * @param targets columns to predict; empty for those that the file marks as targets, otherwise the last column
 * @param features columns to predict from; empty for all columns but the targets and the excluded ones
 * @param excluded columns that are neither targets nor features
 * @param categorical columns that are categories even when they are written in digits, such as region codes; a target among them
 *     makes the task a classification
 * @param task empty to infer it
 * @param standardize whether numeric features, and the targets of a regression, are scaled to mean 0 and standard deviation 1
 * @param missing treatment of missing values
 */
public record EncodingOptions(
    List<String> targets, List<String> features, List<String> excluded, List<String> categorical, Optional<Task> task,
    boolean standardize, Missing missing) {
  /** Targets, features and task inferred, numbers standardized, missing values refused. */
  public static final EncodingOptions DEFAULT =
      new EncodingOptions(List.of(), List.of(), List.of(), List.of(), Optional.empty(), true, Missing.REFUSE);

  /**
   * Validates the names.
   *
   * @param targets columns to predict; empty for those that the file marks as targets, otherwise the last column
   * @param features columns to predict from; empty for all columns but the targets and the excluded ones
   * @param excluded columns that are neither targets nor features
   * @param categorical columns that are categories even when they are written in digits, such as region codes; a target among
   *     them makes the task a classification
   * @param task empty to infer it
   * @param standardize whether numeric features, and the targets of a regression, are scaled to mean 0 and standard deviation 1
   * @param missing treatment of missing values
   * @throws InvalidInputException when a column is named twice, or with two roles
   */
  public EncodingOptions {
    targets = List.copyOf(targets);
    features = List.copyOf(features);
    excluded = List.copyOf(excluded);
    categorical = List.copyOf(categorical);
    requireOnce(targets, "target");
    requireOnce(features, "feature");
    requireOnce(excluded, "excluded column");
    requireOnce(categorical, "categorical column");
    requireOneRole(targets, "a target", features, "a feature");
    requireOneRole(targets, "a target", excluded, "excluded");
    requireOneRole(features, "a feature", excluded, "excluded");
  }

  /**
   * Returns these options with other targets.
   *
   * @param names of columns
   * @return the changed options
   */
  public EncodingOptions withTargets(String... names) {
    return new EncodingOptions(List.of(names), features, excluded, categorical, task, standardize, missing);
  }

  /**
   * Returns these options with other features.
   *
   * @param names of columns
   * @return the changed options
   */
  public EncodingOptions withFeatures(String... names) {
    return new EncodingOptions(targets, List.of(names), excluded, categorical, task, standardize, missing);
  }

  /**
   * Returns these options with other excluded columns.
   *
   * @param names of columns that are neither targets nor features
   * @return the changed options
   */
  public EncodingOptions withExcluded(String... names) {
    return new EncodingOptions(targets, features, List.of(names), categorical, task, standardize, missing);
  }

  /**
   * Returns these options with other categorical columns.
   *
   * @param names of columns
   * @return the changed options
   */
  public EncodingOptions withCategorical(String... names) {
    return new EncodingOptions(targets, features, excluded, List.of(names), task, standardize, missing);
  }

  /**
   * Returns these options with a task.
   *
   * @param newTask of the training
   * @return the changed options
   */
  public EncodingOptions withTask(Task newTask) {
    return new EncodingOptions(targets, features, excluded, categorical, Optional.of(newTask), standardize, missing);
  }

  /**
   * Returns these options with or without standardization.
   *
   * @param newStandardize whether numbers are standardized
   * @return the changed options
   */
  public EncodingOptions withStandardize(boolean newStandardize) {
    return new EncodingOptions(targets, features, excluded, categorical, task, newStandardize, missing);
  }

  /**
   * Returns these options with another treatment of missing values.
   *
   * @param newMissing treatment
   * @return the changed options
   */
  public EncodingOptions withMissing(Missing newMissing) {
    return new EncodingOptions(targets, features, excluded, categorical, task, standardize, newMissing);
  }

  /**
   * Returns these options with targets, features and task filled in from the whole table.
   *
   * @param table with all rows
   * @return the complete options
   * @throws InvalidInputException when a column does not exist, no feature is left, or a target does not suit the task
   */
  public EncodingOptions resolve(Table table) {
    return resolve(table, Set.of());
  }

  /**
   * Returns these options with targets, features and task filled in from the whole table.
   *
   * @param table with all rows
   * @param reserved names of columns with another role, such as weights: neither default targets nor default features
   * @return the complete options
   * @throws InvalidInputException as {@link #resolve(Table)}
   */
  public EncodingOptions resolve(Table table, Set<String> reserved) {
    List<String> names = table.names().stream().filter(name -> !reserved.contains(name) || features.contains(name)).toList();
    // An excluded column need not be readable, so only unknown ones are looked up, which is an error.
    excluded.stream().filter(name -> !table.has(name)).forEach(table::column);
    List<String> targetNames = targets.isEmpty() ? defaultTargets(table, names) : targets;
    List<String> featureNames = features.isEmpty()
        ? names.stream().filter(name -> !targetNames.contains(name) && !table.targets().contains(name) && !excluded.contains(name))
            .toList() : features;
    Stream.of(targetNames, featureNames, categorical).flatMap(List::stream).forEach(table::column);
    if (featureNames.isEmpty()) {
      throw new InvalidInputException(names.size() == 1
          ? "has only one column, \"" + names.get(0) + "\", and no feature to learn from"
              + (table.header().isPresent() ? "; if its lines have several fields, set --delimiter" : "")
          : names.stream().anyMatch(excluded::contains)
              ? "all columns but the target are excluded; there is no feature to learn from"
              : "all " + names.size() + " columns are targets; there is no feature to learn from");
    }
    List<Column> columns = targetNames.stream().map(table::column).toList();
    Task resolvedTask = task.orElseGet(() -> columns.size() > 1 ? Task.REGRESSION : infer(columns.get(0)));
    if (resolvedTask == Task.CLASSIFICATION && columns.size() > 1) {
      throw new InvalidInputException("classification has one target, but there are " + columns.size() + ": "
          + String.join(", ", targetNames));
    }
    for (Column column : columns) {
      if (resolvedTask == Task.REGRESSION && !column.isNumeric()) {
        int row = IntStream.range(0, column.rows()).filter(i -> !column.isMissing(i)).findFirst().orElse(0);
        throw new InvalidInputException("regression needs numeric targets, but column \"" + column.name()
            + "\" contains text (row " + table.sourceRow(row) + ": \"" + column.text(row) + "\")"
            + (columns.size() == 1 ? "; use --task classification" : ""));
      }
    }
    return new EncodingOptions(targetNames, featureNames, excluded, categorical, Optional.of(resolvedTask), standardize, missing);
  }

  private Task infer(Column target) {
    return categorical.contains(target.name()) ? Task.CLASSIFICATION : Task.infer(target);
  }

  /**
   * Checks or drops rows with missing values, before the split.
   *
   * @param table with all rows
   * @return the usable rows
   * @throws InvalidInputException when a value is missing that must be present, or no row is left
   */
  public Table handleMissing(Table table) {
    return handleMissing(table, RowWeights.NONE);
  }

  /**
   * Checks or drops rows with missing values, before the split. Unless missing values are refused, rows without a target or a weight
   * are dropped; with {@link Missing#DROP}, rows without a feature too.
   *
   * @param table with all rows
   * @param weights whose column may have missing values
   * @return the usable rows
   * @throws InvalidInputException when a value is missing that must be present, or no row is left
   */
  public Table handleMissing(Table table, RowWeights weights) {
    EncodingOptions resolved = resolve(table);
    List<Column> targetColumns = resolved.targets.stream().map(table::column).toList();
    for (Column column : targetColumns) {
      if (IntStream.range(0, column.rows()).allMatch(column::isMissing)) {
        throw new InvalidInputException("column \"" + column.name() + "\" has no value in any row;"
            + " choose another target (--target)");
      }
    }
    List<Column> featureColumns = resolved.features.stream().map(table::column).toList();
    if (missing == Missing.REFUSE) {
      requirePresent(table, Stream.concat(featureColumns.stream(), targetColumns.stream()).toList());
      return table;
    }
    List<Column> labels = Stream.concat(targetColumns.stream(), weights.column().filter(table::has).map(table::column).stream())
        .toList();
    int[] labeled = IntStream.range(0, table.rows()).filter(row -> labels.stream().noneMatch(c -> c.isMissing(row))).toArray();
    if (labeled.length == 0) {
      throw new InvalidInputException("every row lacks its target or its weight, so none is left");
    }
    int[] usable = missing != Missing.DROP ? labeled
        : Arrays.stream(labeled).filter(row -> featureColumns.stream().noneMatch(c -> c.isMissing(row))).toArray();
    if (usable.length == 0) {
      throw new InvalidInputException("every row has a missing value, so none is left"
          + "; use --missing " + Missing.MEAN.key() + " instead of " + Missing.DROP.key());
    }
    return usable.length == table.rows() ? table : table.rows(usable);
  }

  /**
   * Returns the class of each row for a stratified split, from 0 in the order of {@link TargetEncoding.Classes#classNames}.
   *
   * @param usable table without missing targets
   * @return null for regression
   */
  public int[] labels(Table usable) {
    EncodingOptions resolved = resolve(usable);
    if (resolved.task.orElseThrow() != Task.CLASSIFICATION) {
      return null;
    }
    Column target = usable.column(resolved.targets.get(0));
    return ClassNames.of(target).labels(target, usable);
  }

  private static void requirePresent(Table table, List<Column> columns) {
    for (int row = 0; row < table.rows(); row++) {
      for (Column column : columns) {
        if (column.isMissing(row)) {
          throw new InvalidInputException("row " + table.sourceRow(row) + ": column \"" + column.name() + "\" has no value"
              + column.missingNote() + "; use --missing " + Missing.DROP.key() + " or --missing " + Missing.MEAN.key());
        }
      }
    }
  }

  private List<String> defaultTargets(Table table, List<String> names) {
    List<String> others = new ArrayList<>(table.targets().isEmpty() ? names : table.targets());
    others.retainAll(names);
    others.removeAll(features);
    if (names.isEmpty()) {
      throw new InvalidInputException("has no column for the target and the features");
    }
    if (others.isEmpty()) {
      throw new InvalidInputException("all " + (table.targets().isEmpty() ? names.size() + " columns" : "targets")
          + " are named as features; there is no target to learn");
    }
    List<String> defaults = table.targets().isEmpty() ? others.subList(others.size() - 1, others.size()) : others;
    defaults.stream().filter(excluded::contains).findFirst().ifPresent(name -> {
      throw new InvalidInputException("column \"" + name + "\" is excluded, but it is the default target; name the target with --target");
    });
    return defaults;
  }

  private static void requireOneRole(List<String> names, String role, List<String> others, String otherRole) {
    names.stream().filter(others::contains).findFirst().ifPresent(name -> {
      throw new InvalidInputException("column \"" + name + "\" is named as " + role + " and as " + otherRole
          + "; it can be only one of them");
    });
  }

  private static void requireOnce(List<String> names, String what) {
    Set<String> seen = new HashSet<>();
    String twice = names.stream().filter(name -> !seen.add(name)).distinct().collect(Collectors.joining(", "));
    if (!twice.isEmpty()) {
      throw new InvalidInputException(what + " named twice: " + twice);
    }
  }
}
