package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.Optional;

/**
 * Choice of the folds of a cross-validation.
 *
 * @param folds number of folds, at least 2
 * @param repeats number of times that the rows are divided into folds, at least 1
 * @param group column whose values are groups: the rows of a group are all in the same fold
 * @param time column whose values are times: every fold is predicted from earlier rows only
 */
public record FoldOptions(int folds, int repeats, Optional<String> group, Optional<String> time) {
  /**
   * Validates the numbers.
   *
   * @param folds number of folds, at least 2
   * @param repeats number of times that the rows are divided into folds, at least 1
   * @param group column whose values are groups: the rows of a group are all in the same fold
   * @param time column whose values are times: every fold is predicted from earlier rows only
   * @throws InvalidInputException when a number is too small, or the options exclude each other
   */
  public FoldOptions {
    if (folds < 2) {
      throw new InvalidInputException("folds " + folds + " must be at least 2");
    }
    if (repeats < 1) {
      throw new InvalidInputException("repeats " + repeats + " must be at least 1");
    }
    if (group.isPresent() && time.isPresent()) {
      throw new InvalidInputException("--group: cannot be combined with --time; choose one of them");
    }
    if (time.isPresent() && repeats > 1) {
      throw new InvalidInputException("--repeats: the folds of --time are the same in every repeat; omit the option");
    }
  }

  /**
   * Resolves the columns of a training. The column of groups or times is neither a feature nor the default target, unless the
   * features name it.
   *
   * @param table with all rows
   * @param columns not yet resolved
   * @return the complete options
   * @throws InvalidInputException as {@link EncodingOptions#resolve}, and when the column of groups or times does not exist or is
   *     named as a target
   */
  public EncodingOptions resolve(Table table, EncodingOptions columns) {
    Optional<String> name = group.or(() -> time);
    if (name.isEmpty()) {
      return columns.resolve(table);
    }
    String option = group.isPresent() ? "--group" : "--time";
    try {
      table.column(name.get());
    } catch (InvalidInputException e) {
      throw e.at(option);
    }
    if (columns.targets().contains(name.get())) {
      throw new InvalidInputException(option + ": column \"" + name.get() + "\" is the target; name another column");
    }
    if (columns.features().contains(name.get())) {
      return columns.resolve(table);
    }
    String[] categorical = columns.categorical().stream().filter(column -> !column.equals(name.get())).toArray(String[]::new);
    return columns.withCategorical(categorical).resolve(table.without(name.get()));
  }
}
