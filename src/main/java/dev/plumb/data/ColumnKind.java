package dev.plumb.data;

/** Type as which a column of a text file is read. */
public enum ColumnKind {
  /** Numbers. */
  NUMBERS,
  /** Text. */
  TEXT,
  /** Names written as numbers, such as region codes: text, in which blanks and missing values are treated as in numbers. */
  NUMERALS
}
