package dev.plumb.data;

import dev.plumb.model.NamedEnum;

/** Treatment of missing values. Rows without a target are dropped in every mode but {@link #REFUSE}. */
public enum Missing implements NamedEnum {
  /** An error that names the first missing value. */
  REFUSE,
  /** Drop the rows. */
  DROP,
  /** Fill in the mean of the training rows for a number; a missing text is a category of its own. */
  MEAN,
  /** Fill in the median of the training rows for a number; a missing text is a category of its own. */
  MEDIAN,
  /** As {@link #MEAN}, and an additional input marks the missing numbers of a column that has some in the training rows. */
  INDICATOR;

  /**
   * Returns whether missing features are filled in.
   *
   * @return false when they are refused, or their rows dropped
   */
  public boolean fills() {
    return this == MEAN || this == MEDIAN || this == INDICATOR;
  }
}
