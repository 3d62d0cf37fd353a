package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

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
   * Resolves the columns of a training. The columns of groups, times and weights are neither features nor the default target, unless
   * the features name them.
   *
   * @param table with all rows
   * @param columns not yet resolved
   * @param weights of the rows
   * @return the complete options
   * @throws InvalidInputException as {@link RowWeights#resolve}, and when the column of groups or times does not exist or is named as
   *     a target
   */
  public EncodingOptions resolve(Table table, EncodingOptions columns, RowWeights weights) {
    Set<String> reserved = new HashSet<>(weights.reserved(table, columns));
    group.or(() -> time).ifPresent(name -> {
      String option = group.isPresent() ? "--group" : "--time";
      try {
        table.column(name);
      } catch (InvalidInputException e) {
        throw e.at(option);
      }
      if (columns.targets().contains(name)) {
        throw new InvalidInputException(option + ": column \"" + name + "\" is the target; name another column");
      }
      reserved.add(name);
    });
    return columns.resolve(table, reserved);
  }
}
