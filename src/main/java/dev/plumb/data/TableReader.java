package dev.plumb.data;

import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipException;

/**
 * Reads a data file: delimited text (CSV, TSV), NPY, NPZ or IDX, each gzipped or not. What a file is, is told by its first bytes,
 * not by its name. A file whose table does not fit the heap is refused before it is read whole.
 */
public final class TableReader {
  private TableReader() {}

  /**
   * Reads a table. A column that cannot be read, with a word among numbers or an infinity, is refused only when it is used: see
   * {@link Table#column}.
   *
   * @throws InvalidInputException when it cannot be read; the message names the file, and the line where there are lines
   */
  public static Table read(Path file, ReadOptions options) {
    return read(file, options, HeapBudget.ofHeap());
  }

  static Table read(Path file, ReadOptions options, HeapBudget budget) {
    try (ByteSource source = ByteSource.of(file)) {
      return read(source, file, options, budget).at(file.toString());
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    }
  }

  /**
   * Reads a stream whose length is not known, such as standard input, to its end.
   *
   * @param name what messages call it: "stdin"
   */
  public static Table read(InputStream stream, String name, ReadOptions options) {
    return read(stream, name, options, HeapBudget.ofHeap());
  }

  static Table read(InputStream stream, String name, ReadOptions options, HeapBudget budget) {
    try {
      return read(new ByteSource(stream, -1), null, options, budget).at(name);
    } catch (InvalidInputException e) {
      throw e.at(name);
    } catch (IOException e) {
      throw new InvalidInputException(name + ": " + FileErrors.reading(null, e), e);
    }
  }

  /** @param file null when the source is a stream */
  private static Table read(ByteSource source, Path file, ReadOptions options, HeapBudget budget) throws IOException {
    try {
      if (source.isEmpty()) {
        throw new InvalidInputException("is empty; a table is needed");
      }
      if (source.startsWith('P', 'K', 3, 4) || source.startsWith('P', 'K', 5, 6)) {
        if (file == null || source.isPacked() || !Files.isRegularFile(file)) {
          throw new InvalidInputException("is an NPZ file, which must be a file of its own: no stream, and not gzipped again");
        }
        return ArrayTable.readNpz(file, options, budget);
      }
      if (NpyFormat.isOf(source) || IdxFormat.isOf(source)) {
        return ArrayTable.read(source, file, options, budget);
      }
      if (options.labels().isPresent()) {
        throw new InvalidInputException("is neither IDX nor NPY, which alone have their labels in a file beside them");
      }
      return CsvTable.read(source, options, budget);
    } catch (ZipException | EOFException e) {
      throw source.isPacked() ? ByteSource.damaged(e) : new InvalidInputException("is a damaged ZIP file: " + FileErrors.reason(e), e);
    }
  }

  /** Returns the file of labels that reading an IDX file of images finds by its name next to it. */
  public static Optional<Path> labelsNextTo(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (ByteSource source = ByteSource.of(file)) {
      return IdxFormat.isOf(source) ? ArrayTable.labelsBeside(file) : Optional.empty();
    } catch (IOException | InvalidInputException e) {
      return Optional.empty();
    }
  }
}
