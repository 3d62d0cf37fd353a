package dev.plumb.data;

import dev.plumb.model.NamedEnum;
import java.util.HashSet;
import java.util.Set;

/** What is learnt: numbers, or which of some classes. */
public enum Task implements NamedEnum {
  REGRESSION,
  CLASSIFICATION;

  /** More classes than this are inferred from words alone; the letters of the alphabet are fewer. */
  private static final int MAX_INFERRED_CLASSES = 30;

  /**
   * What a target is probably meant for: words are classes. So are whole numbers of which some have leading zeros or more digits
   * than a double holds, and numbers when all are whole and only few differ: two, or up to
   * 30 and not more than the square root of the number of rows.
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
