package dev.plumb.data;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Columns that a trained model expects in a file.
 *
 * @param kinds type of each column, by name
 * @param features names of the columns that every file must have
 * @param header whether the training file had a header line; empty for files that are not text
 */
public record ColumnSchema(Map<String, ColumnKind> kinds, Set<String> features, Optional<Boolean> header) {
  /** Schema without expectations. */
  public static final ColumnSchema NONE = new ColumnSchema(Map.of(), Set.of(), Optional.empty());

  /**
   * Copies the collections.
   *
   * @param kinds type of each column, by name
   * @param features names of the columns that every file must have
   * @param header whether the training file had a header line; empty for files that are not text
   */
  public ColumnSchema {
    kinds = Map.copyOf(kinds);
    features = Set.copyOf(features);
  }
}
