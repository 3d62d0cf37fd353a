package dev.plumb.data;

import dev.plumb.model.NamedEnum;

/** What becomes of rows in which a value is missing. */
public enum Missing implements NamedEnum {
  /** They are an error, which names the first one. */
  REFUSE,
  /** They are left out. */
  DROP,
  /** The training split's mean stands in for a number, and its most frequent category for a word. Targets are never filled in. */
  MEAN
}
