package dev.plumb.data;

/** What the values of a column are read as. */
public enum ColumnKind {
  NUMBERS,
  TEXT,
  /** Names that are written as numbers: text, with blanks and words for missing values treated as in a column of numbers. */
  NUMERALS
}
