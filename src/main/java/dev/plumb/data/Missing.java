package dev.plumb.data;

import dev.plumb.model.NamedEnum;

/** Treatment of rows with missing values. */
public enum Missing implements NamedEnum {
  /** An error that names the first missing value. */
  REFUSE,
  /** Drop the rows. */
  DROP,
  /** Fill in the training rows' mean for a number and their most frequent category for a text. Targets are never filled in. */
  MEAN
}
