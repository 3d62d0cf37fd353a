package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.backend.Numerics;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The run file of a grid: a line of JSON with the study, then a line for each network that is finished, in the order in which
 * they were. Lines are added in one piece and brought to the disk, so that a kill loses at most what was in training; what it
 * left of a line that was not written whole is cut off when the file is opened again. Where a study was resumed under other
 * numerics, a line of JSON says so before the networks that were trained under them. A lock keeps two processes from adding to
 * one file.
 */
public final class GridFile implements AutoCloseable {
  /**
   * What a study began with.
   *
   * @param plumb the version
   * @param java what it ran on: another may round differently
   * @param device its kind
   * @param text of the specification
   * @param numerics under which its networks are trained; empty where the version of Plumb that began it recorded none
   */
  public record Head(String plumb, String java, String device, Precision precision, long seed, int seeds, String text,
      Optional<Numerics> numerics) {
    /** @param parse makes a study of the text */
    public GridStudy study(Function<String, GridStudy> parse) {
      return parse.apply(text).withSeeds(seeds).withSeed(seed).withPrecision(precision);
    }
  }

  private static final String NUMERICS = "numerics";
  private static final String NUMERICS_LINE = "{\"" + NUMERICS + "\":";
  private static final int MOST_NAMES = 100_000;

  private final Path path;
  private final FileChannel channel;
  private final FileLock lock;
  private final List<Numerics> numerics = new ArrayList<>();

  private GridFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      channel.close();
      throw inUse(path);
    }
    if (lock == null) {
      channel.close();
      throw inUse(path);
    }
  }

  private static InvalidInputException inUse(Path path) {
    return new InvalidInputException(path + ": another study adds to this file at the moment; wait for it, or stop it");
  }

  /** @throws InvalidInputException when a file is there, or none can be made */
  public static GridFile create(Path path, Head head) {
    try {
      GridFile file = new GridFile(path,
          FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
      file.add(new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeStringField("plumb", head.plumb());
        json.writeStringField("java", head.java());
        json.writeStringField("device", head.device());
        json.writeStringField("precision", head.precision().key());
        json.writeNumberField("seed", head.seed());
        json.writeNumberField("seeds", head.seeds());
        json.writeStringField("spec", head.text());
        if (head.numerics().isPresent()) {
          json.writeFieldName(NUMERICS);
          write(head.numerics().get(), json);
        }
        json.writeEndObject();
      }), StandardCharsets.UTF_8) + "\n");
      return file;
    } catch (FileAlreadyExistsException e) {
      requireRegular(path);
      throw new InvalidInputException(path + ": this file is there already; to go on with its study use --resume " + path
          + ", else name another", e);
    } catch (IOException e) {
      throw FileErrors.cannotWrite(path, e);
    }
  }

  /** In the current folder, under the first name NAME-n.runs that is free. */
  public static GridFile create(String name, Head head) {
    String safe = name.replaceAll("[^\\p{L}\\p{N}._-]+", "_");
    String start = safe.startsWith(".") || safe.isEmpty() ? "study" + safe : safe.substring(0, Math.min(60, safe.length()));
    for (int n = 1; n < MOST_NAMES; n++) {
      Path path = Path.of(start + "-" + n + ".runs");
      if (!Files.exists(path)) {
        return create(path, head);
      }
    }
    throw new InvalidInputException("no name " + start + "-n.runs is free; name the file by --log");
  }

  /**
   * Opens one to go on.
   *
   * @throws InvalidInputException when it is not there or is no run file
   */
  public static GridFile open(Path path) {
    requireRegular(path);
    try {
      GridFile file = new GridFile(path, FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
      file.cutTornLine();
      return file;
    } catch (NoSuchFileException e) {
      throw FileErrors.cannotRead(path, e);
    } catch (IOException e) {
      throw new InvalidInputException("cannot go on with " + path + ": " + FileErrors.reason(e), e);
    }
  }

  private static void requireRegular(Path path) {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new InvalidInputException(path + ": a study keeps its networks in a file, to be resumed, and this is "
          + (Files.isDirectory(path) ? "a folder" : "a pipe or a device"));
    }
  }

  private void cutTornLine() throws IOException {
    long end = channel.size();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (end > 0) {
      one.clear();
      channel.read(one, end - 1);
      if (one.get(0) == '\n') {
        break;
      }
      end--;
    }
    if (end < channel.size()) {
      channel.truncate(end);
    }
  }

  public Path path() {
    return path;
  }

  public Head head() {
    try {
      String first = reader().readLine();
      JsonObject json = JsonInput.parse((first == null ? "" : first).getBytes(StandardCharsets.UTF_8));
      return new Head(json.text("plumb"), json.text("java"), json.text("device"), json.parsed("precision", Precision::of),
          json.longInteger("seed"), json.integer("seeds"), json.text("spec"),
          json.has(NUMERICS) ? Optional.of(numerics(json.object(NUMERICS))) : Optional.empty());
    } catch (InvalidInputException e) {
      throw new InvalidInputException(path + ": this is no run file of a study: its first line does not say which", e);
    } catch (IOException e) {
      throw FileErrors.cannotRead(path, e);
    }
  }

  /**
   * Reads all networks.
   *
   * @param rows takes each at its number
   * @return their numbers
   */
  public BitSet read(GridRow[] rows) {
    BitSet done = new BitSet();
    numerics.clear();
    head().numerics().ifPresent(numerics::add);
    try (BufferedReader reader = reader()) {
      reader.readLine();
      int number = 1;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (line.startsWith(NUMERICS_LINE)) {
          numerics.add(numerics(line, number));
          continue;
        }
        GridRow row = row(line, number);
        if (row.network() < 0 || row.network() >= rows.length || done.get(row.network())) {
          throw new InvalidInputException(path + ", line " + number + ": network " + row.network()
              + (row.network() >= 0 && row.network() < rows.length ? " is there twice" : " is not one of the study's"));
        }
        rows[row.network()] = row;
        done.set(row.network());
      }
      return done;
    } catch (IOException e) {
      throw FileErrors.cannotRead(path, e);
    }
  }

  private GridRow row(String line, int number) {
    try {
      return GridRow.parse(line);
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(path + ", line " + number + ": this is not as it was written (" + e.getMessage()
          + "); take the line out, and its network is trained again", e);
    }
  }

  /** Returns the numerics under which networks were trained, in order, the last ones for those to come; once all was read. */
  public List<Numerics> numerics() {
    return List.copyOf(numerics);
  }

  /** Adds a line that says that the networks of later lines are trained under other numerics. */
  public void add(Numerics other) {
    try {
      add(new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeFieldName(NUMERICS);
        write(other, json);
        json.writeEndObject();
      }), StandardCharsets.UTF_8) + "\n");
    } catch (IOException e) {
      throw new InvalidInputException("cannot add to " + path + ": " + FileErrors.reason(e), e);
    }
  }

  private Numerics numerics(String line, int number) {
    try {
      return numerics(JsonInput.parse(line.getBytes(StandardCharsets.UTF_8)).object(NUMERICS));
    } catch (InvalidInputException e) {
      throw new InvalidInputException(path + ", line " + number + ": this is not as it was written (" + e.getMessage() + ")", e);
    }
  }

  private static Numerics numerics(JsonObject json) {
    SortedMap<String, String> entries = new TreeMap<>();
    json.keys().forEach(key -> entries.put(key, json.text(key)));
    return new Numerics(entries);
  }

  private static void write(Numerics numerics, JsonGenerator json) throws IOException {
    json.writeStartObject();
    for (var entry : numerics.entries().entrySet()) {
      json.writeStringField(entry.getKey(), entry.getValue());
    }
    json.writeEndObject();
  }

  private BufferedReader reader() throws IOException {
    channel.position(0);
    // Closing it would close the channel; it holds nothing but memory.
    return new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8)) {
      @Override
      public void close() {
        // The channel stays open.
      }
    };
  }

  public void add(List<GridRow> rows) {
    StringBuilder lines = new StringBuilder();
    rows.forEach(row -> lines.append(row.line()).append('\n'));
    try {
      add(lines.toString());
    } catch (IOException e) {
      throw new InvalidInputException("cannot add to " + path + ": " + FileErrors.reason(e), e);
    }
  }

  private void add(String text) throws IOException {
    channel.position(channel.size());
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    channel.force(false);
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + path, e);
    }
  }
}
