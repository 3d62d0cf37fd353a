package dev.plumb.data;

/** What the values of a column are read as. */
public enum ColumnKind {
  NUMBERS,
  TEXT
}
