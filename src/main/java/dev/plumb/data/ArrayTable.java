package dev.plumb.data;

import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Reader of numeric arrays, NPY, NPZ and IDX, as tables. Features are named 1, 2, 3, ...; targets come last and are named label
 * or y.
 */
final class ArrayTable {
  private static final int MAX_LISTED = 12;

  private ArrayTable() {}

  /**
   * Reads one array, and the labels file next to it if there is one.
   *
   * @param file of the source, next to which labels are looked for; null for a stream
   */
  static Table read(ByteSource source, Path file, ReadOptions options, HeapBudget budget) throws IOException {
    boolean isIdx = IdxFormat.isOf(source);
    NumberArray array = array(source, budget);
    List<Column> columns = new ArrayList<>(array.asColumns(i -> Integer.toString(i + 1)));
    if (isIdx && options.labels().isEmpty() && options.targetsNeeded() && labelsNextTo(file).isEmpty()) {
      throw new InvalidInputException("has no labels file next to it, whose name has labels and idx1 instead of images and"
          + " idx3; use --labels FILE");
    }
    Optional<Path> labels = options.labels().or(() -> isIdx ? labelsNextTo(file) : Optional.empty());
    List<Column> targets = labels.isPresent() ? labels(labels.get(), array.rows(), budget.without(array)) : List.of();
    return joined(columns, targets);
  }

  private static Table joined(List<Column> features, List<Column> targets) {
    List<Column> all = new ArrayList<>(features);
    all.addAll(targets);
    return Table.of(all, targets.stream().map(Column::name).toList());
  }

  /** Reads the arrays X and y of an NPZ archive, a ZIP of NPY files, or its only array. */
  static Table readNpz(Path file, ReadOptions options, HeapBudget budget) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      TreeMap<String, ZipEntry> entries = new TreeMap<>();
      for (ZipEntry entry : zip.stream().filter(candidate -> candidate.getName().endsWith(".npy")).toList()) {
        String name = entry.getName().substring(0, entry.getName().length() - 4);
        if (entries.put(name, entry) != null) {
          throw new InvalidInputException("has two arrays named " + name + "; names must be unique");
        }
      }
      ZipEntry x = entries.getOrDefault("X", entries.get("x"));
      ZipEntry y = entries.getOrDefault("y", entries.get("Y"));
      if (x == null && entries.size() == 1) {
        return Table.of(array(zip, entries.firstEntry().getValue(), budget).asColumns(i -> Integer.toString(i + 1)));
      }
      if (x == null) {
        throw new InvalidInputException(entries.isEmpty()
            ? "is a ZIP file without NumPy arrays; save a spreadsheet as CSV"
            : "has the arrays " + String.join(", ", entries.keySet().stream().limit(MAX_LISTED).toList())
                + (entries.size() > MAX_LISTED ? ", ..." : "") + "; it needs X and y, or only one array");
      }
      if (y == null && options.targetsNeeded()) {
        throw new InvalidInputException("has an array X, but no array y with the targets");
      }
      NumberArray array = array(zip, x, budget);
      List<Column> features = array.asColumns(i -> Integer.toString(i + 1));
      return joined(features, y == null ? List.of() : targets(array(zip, y, budget.without(array)), "y", array.rows()));
    }
  }

  private static NumberArray array(ByteSource source, HeapBudget budget) throws IOException {
    InputStream in = source.in();
    NumberArray.Header header = NpyFormat.isOf(source) ? NpyFormat.readHeader(in) : IdxFormat.readHeader(in);
    NumberArray array = header.readNumbers(in, source.bytesLeft(), budget);
    requireEnd(in);
    return array;
  }

  private static NumberArray array(ZipFile zip, ZipEntry entry, HeapBudget budget) throws IOException {
    try (CheckedInputStream in = new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
      NumberArray.Header header = NpyFormat.readHeader(in);
      NumberArray array = header.readNumbers(in, -1, budget);
      requireEnd(in);
      if (in.getChecksum().getValue() != entry.getCrc()) {
        throw new InvalidInputException("is damaged: its checksum does not match");
      }
      return array;
    } catch (InvalidInputException e) {
      throw e.at("array " + entry.getName());
    }
  }

  private static void requireEnd(InputStream in) throws IOException {
    if (in.read() >= 0) {
      throw new InvalidInputException("has more bytes than its header says");
    }
  }

  private static List<Column> labels(Path file, int rows, HeapBudget budget) throws IOException {
    try (ByteSource source = ByteSource.of(file)) {
      if (!NpyFormat.isOf(source) && !IdxFormat.isOf(source)) {
        throw new InvalidInputException("is neither IDX nor NPY; a labels file must be one of them");
      }
      return targets(array(source, budget), "label", rows);
    } catch (InvalidInputException e) {
      throw e.at("labels " + file);
    } catch (ZipException | EOFException e) {
      throw ByteSource.damaged(e).at("labels " + file);
    } catch (IOException e) {
      throw new InvalidInputException("labels " + file + ": " + FileErrors.reading(file, e), e);
    }
  }

  private static List<Column> targets(NumberArray array, String name, int rows) {
    if (array.rows() != rows) {
      throw new InvalidInputException(name + " has " + array.rows() + " rows, but there are " + rows + " rows of features");
    }
    return array.asColumns(i -> array.columns() == 1 ? name : name + (i + 1));
  }

  /** Finds labels by MNIST's names: train-labels-idx1-ubyte next to train-images-idx3-ubyte; either may be gzipped. */
  static Optional<Path> labelsNextTo(Path images) {
    if (images == null || images.getFileName() == null || !images.getFileName().toString().contains("images")) {
      return Optional.empty();
    }
    String name = images.getFileName().toString().replace("images", "labels").replace("idx3", "idx1");
    String other = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name + ".gz";
    return List.of(images.resolveSibling(name), images.resolveSibling(other)).stream().filter(Files::isRegularFile).findFirst();
  }
}
