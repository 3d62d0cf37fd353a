package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.ZipException;

/**
 * Reads a data file: delimited text (CSV, TSV), NPY, NPZ or IDX, each gzipped or not. What a file is, is told by its first bytes,
 * not by its name. A file whose table does not fit the heap is refused before it is read whole.
 */
public final class TableReader {
  private TableReader() {}

  /** @throws InvalidInputException when it cannot be read; the message names the file, and the line where there are lines */
  public static Table read(Path file, ReadOptions options) {
    return read(file, options, HeapBudget.ofHeap());
  }

  static Table read(Path file, ReadOptions options, HeapBudget budget) {
    try (InputStream stream = Files.newInputStream(file)) {
      return read(new BufferedInputStream(stream), Files.isRegularFile(file) ? Files.size(file) : -1, options, budget);
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    } catch (IOException e) {
      throw new InvalidInputException(file + ": " + reason(file, e), e);
    }
  }

  /**
   * Reads a stream whose length is not known, such as standard input, to its end.
   *
   * @param name what messages call it: "stdin"
   */
  public static Table read(InputStream stream, String name, ReadOptions options) {
    try {
      return read(stream, -1, options, HeapBudget.ofHeap());
    } catch (InvalidInputException e) {
      throw e.at(name);
    } catch (IOException e) {
      throw new InvalidInputException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static Table read(InputStream stream, long bytes, ReadOptions options, HeapBudget budget) throws IOException {
    Source source = new Source(stream, bytes);
    try {
      if (source.isEmpty()) {
        throw new InvalidInputException("is empty; a table is needed");
      }
      return CsvTable.read(source, options, budget);
    } catch (ZipException | EOFException e) {
      throw Source.damaged(e);
    }
  }

  private static String reason(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "cannot be read: permission denied";
    }
    return "cannot be read: " + (Files.isDirectory(file) ? "it is a folder, not a file" : e.getMessage());
  }
}
