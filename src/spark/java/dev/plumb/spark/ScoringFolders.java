package dev.plumb.spark;

import dev.plumb.cli.ScoringRequest.Format;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.TextFormat;
import dev.plumb.data.TextLines;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.TrainedModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * The input and output folders of a scoring. The output is written to a hidden folder next to its place, and renamed when it is
 * complete.
 */
final class ScoringFolders {
  private static final int SAMPLE_BYTES = 1 << 16;
  /** The maximum length of a header and a row. */
  private static final int MAX_SAMPLE_BYTES = 1 << 26;
  private static final byte[] PARQUET = "PAR1".getBytes(StandardCharsets.US_ASCII);

  private final String in;
  private final String out;
  private final Configuration hadoop;
  private Path outPath;
  /** Hidden folder next to the output, with the folder that is written and a file as long as this run owns it. */
  private Path parts;
  private Path part;
  private Path owned;
  /** The largest file. */
  private FileStatus example;

  ScoringFolders(String in, String out, SparkConf conf) {
    this.in = in;
    this.out = out;
    hadoop = SparkHadoopUtil.get().newConfiguration(conf);
  }

  /** Checks that the input exists and the output does not. */
  void check() throws IOException {
    Path inPath = path(in);
    outPath = path(out);
    FileSystem system = outPath.getFileSystem(hadoop);
    outPath = system.makeQualified(outPath);
    if (outPath.getParent() == null || system.exists(outPath)) {
      throw new InvalidInputException(out + ": already exists; choose another folder for the output");
    }
    parts = new Path(outPath.getParent(), "." + outPath.getName() + ".part");
    String id = UUID.randomUUID().toString();
    part = new Path(parts, id);
    owned = new Path(parts, id + ".running");
    FileSystem source = inPath.getFileSystem(hadoop);
    if (!source.exists(inPath)) {
      throw new InvalidInputException(in + ": there is no such file or folder");
    }
    Path root = source.makeQualified(inPath);
    if (outPath.toString().startsWith(root + "/")) {
      throw new InvalidInputException(out + ": is in the folder " + in + "; choose a folder outside of it for the output");
    }
    for (RemoteIterator<LocatedFileStatus> files = source.listFiles(inPath, true); files.hasNext();) {
      LocatedFileStatus file = files.next();
      if (!isHidden(root, file.getPath())) {
        requireNoSubfolder(root, file.getPath());
      }
      if (!isHidden(root, file.getPath()) && (example == null || file.getLen() > example.getLen())) {
        example = file;
      }
    }
    if (example == null || example.getLen() == 0) {
      throw new InvalidInputException(in + ": is empty; a folder of Parquet or CSV files is needed");
    }
  }

  /** Spark reads the files of a folder, and of folders NAME=VALUE in it, but of no others. */
  private void requireNoSubfolder(Path root, Path file) {
    for (Path path = file.getParent(); !file.equals(root) && path != null && !path.equals(root); path = path.getParent()) {
      if (!path.getName().contains("=")) {
        throw new InvalidInputException(in + ": has files in the folder " + path.getName() + "; score each folder, or move the files to "
            + in);
      }
    }
  }

  private static Path path(String text) {
    try {
      return new Path(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(text + ": is not a path or URL: " + e.getMessage(), e);
    }
  }

  /** Returns whether Spark ignores a file. */
  private static boolean isHidden(Path root, Path file) {
    for (Path path = file; path != null && !path.equals(root); path = path.getParent()) {
      if (path.getName().startsWith(".") || path.getName().startsWith("_") && !path.getName().contains("=")) {
        return true;
      }
    }
    return false;
  }

  /** Returns the format of the largest file. */
  Format format() throws IOException {
    try (InputStream stream = example.getPath().getFileSystem(hadoop).open(example.getPath())) {
      return Arrays.equals(stream.readNBytes(PARQUET.length), PARQUET) ? Format.PARQUET : Format.CSV;
    }
  }

  /**
   * Reads the first lines of the largest file.
   *
   * @throws InvalidInputException when they cannot be predicted
   */
  TextSample sample(TrainedModel model, TextFormat format) throws IOException {
    byte[] text = start();
    ReadOptions options = ScoredLines.options(model.encoding(), format);
    String name = example.getPath().getName();
    try {
      TextLines lines = TextLines.detect(new String(text, StandardCharsets.UTF_8), options);
      if (lines.delimiter() == ' ') {
        throw new InvalidInputException("its fields are separated by blanks, so a row cannot have an empty prediction; use"
            + " another delimiter");
      }
      Table table = TableReader.read(new ByteArrayInputStream(text), name,
          options.withDelimiter(lines.delimiter()).withHeader(lines.header().isPresent()));
      model.encoding().encodeFeatures(table);
      return new TextSample(lines, table.names());
    } catch (InvalidInputException e) {
      throw e.at(name);
    }
  }

  /** Returns the first lines of the largest file, at least two if there are as many, unpacked, without a byte order mark. */
  private byte[] start() throws IOException {
    CompressionCodec codec = new CompressionCodecFactory(hadoop).getCodec(example.getPath());
    byte[] text;
    int to;
    try (InputStream stream = example.getPath().getFileSystem(hadoop).open(example.getPath());
        InputStream unpacked = codec == null ? stream : codec.createInputStream(stream)) {
      text = unpacked.readNBytes(SAMPLE_BYTES);
      int asked = SAMPLE_BYTES;
      while (text.length == asked && !hasTwoLines(text)) {
        if (asked >= MAX_SAMPLE_BYTES) {
          throw new InvalidInputException(example.getPath().getName() + ": its first two lines are longer than "
              + (MAX_SAMPLE_BYTES >> 20) + " MiB; is it a CSV file with a row in each line?");
        }
        byte[] more = unpacked.readNBytes(asked);
        text = Arrays.copyOf(text, text.length + more.length);
        System.arraycopy(more, 0, text, asked, more.length);
        asked *= 2;
      }
      to = text.length;
      while (text.length == asked && text[to - 1] != '\n' && text[to - 1] != '\r') {
        to--;
      }
    }
    int from = to >= 3 && (text[0] & 0xFF) == 0xEF && (text[1] & 0xFF) == 0xBB && (text[2] & 0xFF) == 0xBF ? 3 : 0;
    return Arrays.copyOfRange(text, from, to);
  }

  /** Returns whether there is text after two lines that are not empty. */
  private static boolean hasTwoLines(byte[] text) {
    return new String(text, StandardCharsets.ISO_8859_1).lines().filter(line -> !line.isEmpty()).limit(3).count() == 3;
  }

  /** Removes what a killed run has left. */
  void begin() throws IOException {
    FileSystem system = parts.getFileSystem(hadoop);
    system.delete(parts, true);
    system.create(owned, false).close();
    // Also if this process is stopped by a signal.
    system.deleteOnExit(part);
    system.deleteOnExit(owned);
  }

  /** Returns the folder to write to. */
  String part() {
    return part.toString();
  }

  /**
   * Renames the written folder to that of the output.
   *
   * @param extension of the files, instead of that of text files; empty to keep the names
   */
  void commit(String extension) throws IOException {
    FileSystem system = part.getFileSystem(hadoop);
    if (!extension.isEmpty()) {
      for (FileStatus file : system.listStatus(part)) {
        String name = file.getPath().getName();
        if (name.endsWith(".txt")) {
          rename(system, file.getPath(), new Path(part, name.substring(0, name.length() - ".txt".length()) + extension));
        }
      }
    }
    if (!system.exists(owned)) {
      throw new InvalidInputException(out + ": another run has begun to write to it; wait for its end");
    }
    if (system.exists(outPath)) {
      throw new InvalidInputException(out + ": was created by another process in the meantime; choose another folder for the"
          + " output");
    }
    rename(system, part, outPath);
  }

  private static void rename(FileSystem system, Path from, Path to) throws IOException {
    if (!system.rename(from, to)) {
      throw new IOException(from + " cannot be renamed to " + to.getName());
    }
  }

  /** Removes the written folder unless it has its name. */
  void removePart() throws IOException {
    FileSystem system = parts.getFileSystem(hadoop);
    system.delete(part, true);
    system.delete(owned, false);
    if (system.exists(parts) && system.listStatus(parts).length == 0) {
      system.delete(parts, false);
    }
  }
}
