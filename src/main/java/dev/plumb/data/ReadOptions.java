package dev.plumb.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How a data file is read; what is empty is found out from its content. Format, words and kinds concern text files only.
 *
 * @param format of a text file
 * @param words columns to read as text even when they hold numbers, such as region codes; each must be in the file
 * @param kinds how a trained model reads its columns, by name; see {@link TableEncoding#readOptions}. They need not be in the file
 * @param labels the file of labels that belongs to an IDX or NPY file; without it, that of an IDX file is looked for by name
 * @param targetsNeeded whether an IDX file must have its labels; to predict, the images are enough
 */
public record ReadOptions(TextFormat format, Set<String> words, Map<String, ColumnKind> kinds, Optional<Path> labels,
    boolean targetsNeeded) {
  public static final ReadOptions DEFAULT = new ReadOptions(TextFormat.DEFAULT, Set.of(), Map.of(), Optional.empty(), true);

  public ReadOptions {
    words = Set.copyOf(words);
    kinds = Map.copyOf(kinds);
  }

  public ReadOptions withFormat(TextFormat newFormat) {
    return new ReadOptions(newFormat, words, kinds, labels, targetsNeeded);
  }

  public ReadOptions withDelimiter(char delimiter) {
    return withFormat(format.withDelimiter(delimiter));
  }

  public ReadOptions withHeader(boolean header) {
    return withFormat(format.withHeader(header));
  }

  public ReadOptions withNaValues(List<String> naValues) {
    return withFormat(format.withNaValues(naValues));
  }

  public ReadOptions withWords(Set<String> newWords) {
    return new ReadOptions(format, newWords, kinds, labels, targetsNeeded);
  }

  public ReadOptions withKinds(Map<String, ColumnKind> newKinds) {
    return new ReadOptions(format, words, newKinds, labels, targetsNeeded);
  }

  public ReadOptions withLabels(Path newLabels) {
    return new ReadOptions(format, words, kinds, Optional.of(newLabels), targetsNeeded);
  }

  public ReadOptions withoutTargets() {
    return new ReadOptions(format, words, kinds, labels, false);
  }

  /** How a column is read, where that is settled before its content is seen. */
  Optional<ColumnKind> kind(String column) {
    return words.contains(column) ? Optional.of(ColumnKind.TEXT) : Optional.ofNullable(kinds.get(column));
  }
}
