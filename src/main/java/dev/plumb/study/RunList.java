package dev.plumb.study;

import dev.plumb.data.Task;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The runs in a folder.
 *
 * @param entries sorted
 */
public record RunList(List<Entry> entries) {
  /** The order of the runs. */
  public enum Sort implements NamedEnum {
    /** The oldest run first, damaged runs last. */
    DATE,
    /** Alphabetically, with numbers by value: iris-2 before iris-10. */
    NAME,
    /** The best run first; first those that predict classes, then those that predict numbers, then those without a score. */
    SCORE
  }

  /**
   * A run folder.
   *
   * @param run empty if the run is damaged
   * @param problem what is damaged; empty if nothing is
   */
  public record Entry(Path folder, Optional<RunRecord> run, Optional<String> problem) {
    /** Returns the score to judge the run by; empty if it has none. */
    public Optional<RunScore> score() {
      return run.flatMap(record -> RunScore.of(record).stream().findFirst());
    }

    /** Returns the name of the folder. */
    public String name() {
      return folder.getFileName().toString();
    }

    private Instant changed() {
      return run.map(RunRecord::changed).orElse(Instant.MAX);
    }

    private double main() {
      return score().map(score -> score.value(Metric.main(run.orElseThrow().task()))).orElse(Double.NaN);
    }

    /** Returns the place of the task in the order by score. */
    private int task() {
      return Double.isNaN(main()) ? 2 : run.orElseThrow().task() == Task.CLASSIFICATION ? 0 : 1;
    }
  }

  private static final Comparator<Entry> BY_NAME =
      Comparator.comparing((Entry entry) -> entry.name().replaceFirst("-[0-9]{1,9}$", ""))
          .thenComparing(entry -> number(entry.name())).thenComparing(Entry::name);

  public RunList {
    entries = List.copyOf(entries);
  }

  /**
   * Reads all run folders in a folder, or the folder itself if it is a run folder. Other files and folders are ignored.
   *
   * @throws InvalidInputException when the folder does not exist or cannot be read
   */
  public static RunList read(Path folder, Sort sort) {
    List<Path> runs;
    if (RunRecord.isRun(folder)) {
      runs = List.of(folder);
    } else if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + ": " + (Files.exists(folder) ? "it is a file" : "there is no such folder")
          + "; name the folder in which run folders are, such as runs");
    } else {
      try (Stream<Path> files = Files.list(folder)) {
        runs = files.filter(RunRecord::isRun).toList();
      } catch (IOException e) {
        throw FileErrors.cannotRead(folder, e);
      }
    }
    List<Entry> entries = new ArrayList<>();
    for (Path run : runs) {
      entries.add(entry(run));
    }
    entries.sort(switch (sort) {
      case DATE -> Comparator.comparing(Entry::changed).thenComparing(BY_NAME);
      case NAME -> BY_NAME;
      case SCORE -> Comparator.comparingInt(Entry::task).thenComparing(Entry::main, Comparator.reverseOrder())
          .thenComparing(BY_NAME);
    });
    return new RunList(entries);
  }

  private static Entry entry(Path folder) {
    try {
      return new Entry(folder, Optional.of(RunRecord.read(folder)), Optional.empty());
    } catch (InvalidInputException e) {
      return new Entry(folder, Optional.empty(), Optional.of(e.getMessage()));
    }
  }

  private static int number(String name) {
    String digits = name.replaceFirst("^.*-([0-9]{1,9})$", "$1");
    return digits.equals(name) ? 0 : Integer.parseInt(digits);
  }
}
