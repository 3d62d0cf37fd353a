package dev.plumb.data;

import dev.plumb.model.NamedEnum;
import java.util.HashSet;
import java.util.Set;

/** Task of a training: predicting numbers or classes. */
public enum Task implements NamedEnum {
  /** Prediction of numbers. */
  REGRESSION,
  /** Prediction of one of several classes. */
  CLASSIFICATION;

  /** Limit of classes inferred from numbers; more than the letters of the alphabet. */
  private static final int MAX_INFERRED_CLASSES = 30;

  /**
   * Infers the task from a target column. Text means classification; so do whole numbers of which some have leading zeros or more
   * digits than a double holds, and whole numbers with few distinct values: two, or up to 30 and at most the square root of the
   * number of rows. All others mean regression.
   *
   * @param target column
   * @return the task
   * @throws dev.plumb.model.InvalidInputException when the column could not be read
   */
  public static Task infer(Column target) {
    if (!target.isNumeric() || target.hasCodes()) {
      return CLASSIFICATION;
    }
    int most = Math.min(MAX_INFERRED_CLASSES, Math.max(2, (int) Math.sqrt(target.rows())));
    Set<Object> seen = new HashSet<>();
    for (int row = 0; row < target.rows(); row++) {
      double number = target.number(row);
      if (Double.isNaN(number)) {
        continue;
      }
      if (number != Math.rint(number) || (seen.add(target.identity(row)) && seen.size() > most)) {
        return REGRESSION;
      }
    }
    return seen.size() < 2 ? REGRESSION : CLASSIFICATION;
  }
}
