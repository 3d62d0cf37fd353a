package dev.plumb.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Options for reading a data file; empty ones are inferred from its content. Format, text columns and schema apply only to text
 * files.
 *
 * @param format of a text file
 * @param textColumns columns to read as text even when they hold numbers, such as region codes; each must be in the file
 * @param schema columns that a trained model expects; see {@link TableEncoding#readOptions}. They need not be in the file
 * @param labels labels file of an IDX or NPY file; when it is empty, the labels of an IDX file are looked for by name
 * @param targetsNeeded whether targets must be present; a prediction needs only features
 * @param use of the table, for an estimate of the memory needed
 */
public record ReadOptions(TextFormat format, Set<String> textColumns, ColumnSchema schema, Optional<Path> labels,
    boolean targetsNeeded, TableUse use) {
  /** Everything inferred, targets required. */
  public static final ReadOptions DEFAULT =
      new ReadOptions(TextFormat.DEFAULT, Set.of(), ColumnSchema.NONE, Optional.empty(), true, TableUse.ENCODED);

  /**
   * Copies the collection.
   *
   * @param format of a text file
   * @param textColumns columns to read as text even when they hold numbers, such as region codes; each must be in the file
   * @param schema columns that a trained model expects; see {@link TableEncoding#readOptions}. They need not be in the file
   * @param labels labels file of an IDX or NPY file; when it is empty, the labels of an IDX file are looked for by name
   * @param targetsNeeded whether targets must be present; a prediction needs only features
   * @param use of the table, for an estimate of the memory needed
   */
  public ReadOptions {
    textColumns = Set.copyOf(textColumns);
  }

  /**
   * Returns these options with another text format.
   *
   * @param newFormat of a text file
   * @return the changed options
   */
  public ReadOptions withFormat(TextFormat newFormat) {
    return new ReadOptions(newFormat, textColumns, schema, labels, targetsNeeded, use);
  }

  /**
   * Returns these options with a delimiter.
   *
   * @param delimiter between fields; a blank means any run of blanks and tabs
   * @return the changed options
   */
  public ReadOptions withDelimiter(char delimiter) {
    return withFormat(format.withDelimiter(delimiter));
  }

  /**
   * Returns these options with or without a header.
   *
   * @param header whether the first line has the names of the columns
   * @return the changed options
   */
  public ReadOptions withHeader(boolean header) {
    return withFormat(format.withHeader(header));
  }

  /**
   * Returns these options with other markers of missing values.
   *
   * @param naValues texts that mark a missing value, in any case
   * @return the changed options
   */
  public ReadOptions withNaValues(List<String> naValues) {
    return withFormat(format.withNaValues(naValues));
  }

  /**
   * Returns these options with other text columns.
   *
   * @param newColumns names of columns to read as text
   * @return the changed options
   */
  public ReadOptions withTextColumns(Set<String> newColumns) {
    return new ReadOptions(format, newColumns, schema, labels, targetsNeeded, use);
  }

  /**
   * Returns these options with a schema.
   *
   * @param newSchema columns that a trained model expects
   * @return the changed options
   */
  public ReadOptions withSchema(ColumnSchema newSchema) {
    return new ReadOptions(format, textColumns, newSchema, labels, targetsNeeded, use);
  }

  /**
   * Returns these options with a labels file.
   *
   * @param newLabels file of an IDX or NPY file
   * @return the changed options
   */
  public ReadOptions withLabels(Path newLabels) {
    return new ReadOptions(format, textColumns, schema, Optional.of(newLabels), targetsNeeded, use);
  }

  /**
   * Returns these options for a file whose targets may be absent.
   *
   * @return the changed options
   */
  public ReadOptions withoutTargets() {
    return new ReadOptions(format, textColumns, schema, labels, false, use);
  }

  /**
   * Returns these options for another use of the table.
   *
   * @param newUse of the table
   * @return the changed options
   */
  public ReadOptions withUse(TableUse newUse) {
    return new ReadOptions(format, textColumns, schema, labels, targetsNeeded, newUse);
  }

  /** Returns the type of a column, if it does not depend on its content. */
  Optional<ColumnKind> kind(String column) {
    return textColumns.contains(column) ? Optional.of(ColumnKind.TEXT) : Optional.ofNullable(schema.kinds().get(column));
  }
}
