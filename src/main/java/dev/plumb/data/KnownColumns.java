package dev.plumb.data;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a trained model knows of the columns of a file.
 *
 * @param kinds how it reads its columns, by name
 * @param features the names of those that every file must have
 * @param named whether they had names in the file of the training, rather than numbers by their place; empty where that file had no
 *     lines
 */
public record KnownColumns(Map<String, ColumnKind> kinds, Set<String> features, Optional<Boolean> named) {
  public static final KnownColumns NONE = new KnownColumns(Map.of(), Set.of(), Optional.empty());

  public KnownColumns {
    kinds = Map.copyOf(kinds);
    features = Set.copyOf(features);
  }
}
