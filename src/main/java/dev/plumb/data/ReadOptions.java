package dev.plumb.data;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * How a data file is read; what is empty is found out from its content. Delimiter, header and words
 * concern text files alone.
 *
 * @param delimiter between the fields of a line
 * @param header whether the first line has the names of the columns; without it they are named 1, 2, 3, ...
 * @param words columns to read as words even when they hold numbers: categories that have numbers for names
 * @param labels the file of labels beside an IDX or NPY file; without it, that of an IDX file is looked for by name
 * @param targetsNeeded whether an IDX file must have its labels; to predict, images alone will do
 */
public record ReadOptions(
    Optional<Character> delimiter, Optional<Boolean> header, Set<String> words, Optional<Path> labels,
    boolean targetsNeeded) {
  public static final ReadOptions DEFAULT = new ReadOptions(Optional.empty(), Optional.empty(), Set.of(), Optional.empty(), true);

  public ReadOptions {
    words = Set.copyOf(words);
  }

  public ReadOptions withDelimiter(char newDelimiter) {
    return new ReadOptions(Optional.of(newDelimiter), header, words, labels, targetsNeeded);
  }

  public ReadOptions withHeader(boolean newHeader) {
    return new ReadOptions(delimiter, Optional.of(newHeader), words, labels, targetsNeeded);
  }

  public ReadOptions withWords(Set<String> newWords) {
    return new ReadOptions(delimiter, header, newWords, labels, targetsNeeded);
  }

  public ReadOptions withLabels(Path newLabels) {
    return new ReadOptions(delimiter, header, words, Optional.of(newLabels), targetsNeeded);
  }

  public ReadOptions withoutTargets() {
    return new ReadOptions(delimiter, header, words, labels, false);
  }
}
