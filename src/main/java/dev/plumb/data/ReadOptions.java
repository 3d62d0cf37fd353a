package dev.plumb.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a data file is read; what is empty is found out from its content. Format, words and known columns concern text files only.
 *
 * @param format of a text file
 * @param textColumns columns to read as text even when they hold numbers, such as region codes; each must be in the file
 * @param schema what a trained model knows of the columns; see {@link TableEncoding#readOptions}. They need not be in the file
 * @param labels the file of labels that belongs to an IDX or NPY file; without it, that of an IDX file is looked for by name
 * @param targetsNeeded whether an IDX file must have its labels; to predict, the images are enough
 */
public record ReadOptions(TextFormat format, Set<String> textColumns, ColumnSchema schema, Optional<Path> labels,
    boolean targetsNeeded) {
  public static final ReadOptions DEFAULT = new ReadOptions(TextFormat.DEFAULT, Set.of(), ColumnSchema.NONE, Optional.empty(), true);

  public ReadOptions {
    textColumns = Set.copyOf(textColumns);
  }

  public ReadOptions withFormat(TextFormat newFormat) {
    return new ReadOptions(newFormat, textColumns, schema, labels, targetsNeeded);
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

  public ReadOptions withTextColumns(Set<String> newColumns) {
    return new ReadOptions(format, newColumns, schema, labels, targetsNeeded);
  }

  public ReadOptions withSchema(ColumnSchema newSchema) {
    return new ReadOptions(format, textColumns, newSchema, labels, targetsNeeded);
  }

  public ReadOptions withLabels(Path newLabels) {
    return new ReadOptions(format, textColumns, schema, Optional.of(newLabels), targetsNeeded);
  }

  public ReadOptions withoutTargets() {
    return new ReadOptions(format, textColumns, schema, labels, false);
  }

  /** How a column is read, where that is settled before its content is seen. */
  Optional<ColumnKind> kind(String column) {
    return textColumns.contains(column) ? Optional.of(ColumnKind.TEXT) : Optional.ofNullable(schema.kinds().get(column));
  }
}
