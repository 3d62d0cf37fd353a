package dev.plumb.data;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a trained model knows of the columns of a file.
 *
 * @param kinds how it reads its columns, by name
 * @param features the names of those that every file must have
 * @param header whether the training file had a header line; empty for files that are not text
 */
public record ColumnSchema(Map<String, ColumnKind> kinds, Set<String> features, Optional<Boolean> header) {
  public static final ColumnSchema NONE = new ColumnSchema(Map.of(), Set.of(), Optional.empty());

  public ColumnSchema {
    kinds = Map.copyOf(kinds);
    features = Set.copyOf(features);
  }
}
