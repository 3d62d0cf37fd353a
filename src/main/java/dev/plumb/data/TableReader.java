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
 * Reader of data files: delimited text (CSV, TSV), NPY, NPZ and IDX, gzipped or not. The format is detected by the first bytes,
 * not by the name. A file whose table does not fit in the heap is refused before it is read completely.
 */
public final class TableReader {
  private TableReader() {}

  /**
   * Reads a table from a file. A column that cannot be read, with a text among numbers or an infinity, is an error only when it
   * is used: see {@link Table#column}.
   *
   * @param file to read
   * @param options of reading
   * @return the table
   * @throws InvalidInputException when it cannot be read; the message names the file, and the line where there are lines
   */
  public static Table read(Path file, ReadOptions options) {
    return read(file, options, HeapBudget.ofHeap(options.use()));
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
   * Reads a table from a stream of unknown length, such as standard input, to its end.
   *
   * @param stream to read; not closed
   * @param name of the stream for messages: "stdin"
   * @param options of reading
   * @return the table
   * @throws InvalidInputException when it cannot be read; the message has the name, and the line where there are lines
   */
  public static Table read(InputStream stream, String name, ReadOptions options) {
    return read(stream, name, options, HeapBudget.ofHeap(options.use()));
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

  /** Reads a source; the file is null for a stream. */
  private static Table read(ByteSource source, Path file, ReadOptions options, HeapBudget budget) throws IOException {
    try {
      if (source.isEmpty()) {
        throw new InvalidInputException("is empty; a table is needed");
      }
      if (source.startsWith('P', 'K', 3, 4) || source.startsWith('P', 'K', 5, 6)) {
        if (file == null || source.isPacked() || !Files.isRegularFile(file)) {
          throw new InvalidInputException("is an NPZ archive, which can be read only from a file, not from a stream or inside"
              + " gzip");
        }
        return ArrayTable.readNpz(file, options, budget);
      }
      if (NpyFormat.isOf(source) || IdxFormat.isOf(source)) {
        return ArrayTable.read(source, file, options, budget);
      }
      if (options.labels().isPresent()) {
        throw new InvalidInputException("is neither IDX nor NPY; only these have their labels in a separate file");
      }
      return CsvTable.read(source, options, budget);
    } catch (ZipException | EOFException e) {
      throw source.isPacked() ? ByteSource.damaged(e)
          : new InvalidInputException("is a damaged ZIP file: " + FileErrors.reason(e), e);
    }
  }

  /**
   * Returns the labels file that reading an IDX file of images finds next to it by its name.
   *
   * @param file of images
   * @return empty when the file is not IDX or has no labels file
   */
  public static Optional<Path> labelsNextTo(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (ByteSource source = ByteSource.of(file)) {
      return IdxFormat.isOf(source) ? ArrayTable.labelsNextTo(file) : Optional.empty();
    } catch (IOException | InvalidInputException e) {
      return Optional.empty();
    }
  }
}
