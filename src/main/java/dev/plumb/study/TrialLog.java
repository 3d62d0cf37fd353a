package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.backend.Numerics;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.FileNames;
import dev.plumb.train.DataFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The run file of a grid or search: a line of JSON with the study, then a line for each finished network, in the order in which
 * they finished. Lines are written together, so that a kill loses at most the networks in training; an incomplete
 * last line is cut off when the next is added. Nothing is written to a file that does not begin like a run file. If a study was
 * resumed under other numerics, a line of JSON with them precedes the networks trained under them. A lock prevents two studies
 * from writing to one file.
 */
public final class TrialLog implements AutoCloseable {
  /**
   * The first line of a run file.
   *
   * @param plumb version of Plumb
   * @param java version of Java: another may round differently
   * @param device kind of the device
   * @param text text of the specification
   * @param numerics numerics of the training; empty if the version of Plumb that began it recorded none
   * @param folder the working directory, which relative paths of the specification refer to; empty for the notebook's data
   * @param data the files of the table, with their hashes; empty for the notebook's data
   */
  public record Head(String plumb, String java, String device, Precision precision, long seed, int seeds, String text,
      Optional<Numerics> numerics, Optional<Path> folder, List<DataFile> data) {
    public Head {
      data = List.copyOf(data);
    }

    /** Returns the files of the table with paths that do not depend on the working folder. */
    public List<DataFile> dataHere() {
      return data.stream().map(file -> new DataFile(file.role(), folder.orElseThrow().resolve(file.path()).toString(), file.sha256()))
          .toList();
    }

    /** @param parse parses the text */
    public Study study(Function<String, Study> parse) {
      return parse.apply(text).withSeeds(seeds).withSeed(seed).withPrecision(precision);
    }
  }

  /** Beginning of the first line. */
  private static final String START = "{\"plumb\":\"";

  private static final String NUMERICS = "numerics";
  private static final String FOLDER = "folder";
  private static final String NUMERICS_LINE = "{\"" + NUMERICS + "\":";
  private static final int MAX_NAMES = 100_000;

  private final Path path;
  private final LineFile file;
  private final Head head;
  private final List<Numerics> numerics = new ArrayList<>();

  private TrialLog(Path path, LineFile file, Head head) {
    this.path = path;
    this.file = file;
    this.head = head;
  }

  /**
   * Creates a run file.
   *
   * @throws InvalidInputException when the file exists or cannot be created
   */
  public static TrialLog create(Path path, Head head) {
    try {
      return new TrialLog(path, LineFile.create(path, line(head)), head);
    } catch (FileAlreadyExistsException e) {
      requireRegular(path);
      throw new InvalidInputException(path + ": this file exists; to resume its study, use --resume " + path
          + ", else name another", e);
    } catch (IOException e) {
      throw FileErrors.cannotWrite(path, e);
    }
  }

  /**
   * Creates a run file in the current folder under the first free name NAME-n.runs.
   *
   * @param isTaken whether another file will be written under a name
   */
  public static TrialLog create(String name, Head head, Predicate<Path> isTaken) {
    String start = FileNames.of(name, "study");
    for (int n = 1; n < MAX_NAMES; n++) {
      Path path = Path.of(start + "-" + n + ".runs");
      if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !isTaken.test(path)) {
        try {
          return new TrialLog(path, LineFile.create(path, line(head)), head);
        } catch (FileAlreadyExistsException e) {
          // Another process was faster; tries the next number.
        } catch (IOException e) {
          throw FileErrors.cannotWrite(path, e);
        }
      }
    }
    throw new InvalidInputException("no name " + start + "-n.runs is free; name the file by --log");
  }

  /**
   * Opens a run file to resume its study. Does not change it.
   *
   * @throws InvalidInputException when it is not there, is no run file, or is in use
   */
  public static TrialLog open(Path path) {
    requireRegular(path);
    try {
      LineFile file = LineFile.open(path);
      try {
        String first = file.firstLine(START).orElseThrow(() -> notARunFile(path, null));
        return new TrialLog(path, file, head(path, first));
      } catch (IOException | RuntimeException | Error e) {
        file.close();
        throw e;
      }
    } catch (NoSuchFileException e) {
      throw FileErrors.cannotRead(path, e);
    } catch (IOException e) {
      throw new InvalidInputException("cannot resume " + path + ": " + FileErrors.reason(e), e);
    }
  }

  private static void requireRegular(Path path) {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new InvalidInputException(path + ": a study keeps its networks in a file, to be resumed, and this is "
          + (Files.isDirectory(path) ? "a folder" : "a pipe or a device"));
    }
  }

  private static String line(Head head) throws IOException {
    return new String(JsonOutput.compact(json -> {
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
      if (head.folder().isPresent()) {
        json.writeStringField(FOLDER, head.folder().get().toString());
        DataFile.write(head.data(), json);
      }
      json.writeEndObject();
    }), StandardCharsets.UTF_8);
  }

  private static Head head(Path path, String line) {
    try {
      JsonObject json = JsonInput.parse(line.getBytes(StandardCharsets.UTF_8));
      return new Head(json.text("plumb"), json.text("java"), json.text("device"), json.parsed("precision", Precision::of),
          json.longInteger("seed"), json.integer("seeds"), json.text("spec"),
          json.has(NUMERICS) ? Optional.of(numerics(json.object(NUMERICS))) : Optional.empty(),
          json.has(FOLDER) ? Optional.of(json.parsed(FOLDER, Path::of)) : Optional.empty(),
          DataFile.read(json));
    } catch (IllegalArgumentException e) {
      throw notARunFile(path, e);
    }
  }

  private static InvalidInputException notARunFile(Path path, IllegalArgumentException cause) {
    return new InvalidInputException(path + ": this is no run file of a study: its first line is not one that plumb study writes", cause);
  }

  public Path path() {
    return path;
  }

  public Head head() {
    return head;
  }

  /**
   * Returns the study of the first line.
   *
   * @param parse parses the text
   */
  public Study study(Function<String, Study> parse) {
    try {
      return head.study(parse);
    } catch (InvalidInputException e) {
      throw e.at(path + ", line 1");
    }
  }

  /**
   * Reads all networks.
   *
   * @param study the study of the first line
   * @param rows receives each network at its number
   * @return the numbers of the networks
   */
  public BitSet read(Study study, TrialRow[] rows) {
    BitSet done = new BitSet();
    readLines((line, number) -> {
      TrialRow row = row(line, study, number);
      if (done.get(row.trial())) {
        throw new InvalidInputException(path + ", line " + number + ": network " + row.trial() + " is there twice");
      }
      rows[row.trial()] = row;
      done.set(row.trial());
    });
    return done;
  }

  /**
   * Reads the trials of a hyperparameter search.
   *
   * @throws InvalidInputException when a line is none
   */
  public List<TuningTrial> readTuning() {
    List<TuningTrial> trials = new ArrayList<>();
    readLines((line, number) -> trials.add(parsed(number, () -> TuningTrial.parse(line))));
    return trials;
  }

  /** Receives a line and its number, from 1. */
  private interface LineReader {
    void read(String line, int number);
  }

  private void readLines(LineReader reader) {
    numerics.clear();
    head.numerics().ifPresent(numerics::add);
    try {
      BufferedReader lines = file.lines();
      lines.readLine();
      int number = 1;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.startsWith(NUMERICS_LINE)) {
          numerics.add(numerics(line, number));
        } else {
          reader.read(line, number);
        }
      }
    } catch (IOException e) {
      throw FileErrors.cannotRead(path, e);
    }
  }

  private TrialRow row(String line, Study study, int number) {
    return parsed(number, () -> TrialRow.parse(line, study));
  }

  private <T> T parsed(int number, Supplier<T> parser) {
    try {
      return parser.get();
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(path + ", line " + number + ": this is not as it was written (" + e.getMessage()
          + "); take the line out, and its network is trained again", e);
    }
  }

  /** Returns the numerics under which networks were trained, in order, the last ones for those to come. Call it after reading all. */
  public List<Numerics> numerics() {
    return List.copyOf(numerics);
  }

  /** Adds a line with the numerics under which the networks of later lines are trained. */
  public void add(Numerics other) {
    try {
      file.add(new String(JsonOutput.compact(json -> {
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

  public void add(List<TrialRow> rows) {
    addLines(rows.stream().map(TrialRow::line).toList());
  }

  /** Adds lines for trials, each without its line feed. */
  public void addLines(List<String> trials) {
    StringBuilder lines = new StringBuilder();
    trials.forEach(trial -> lines.append(trial).append('\n'));
    try {
      file.add(lines.toString());
    } catch (IOException e) {
      throw new InvalidInputException("cannot add to " + path + ": " + FileErrors.reason(e), e);
    }
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw FileErrors.cannotWrite(path, e);
    }
  }
}
