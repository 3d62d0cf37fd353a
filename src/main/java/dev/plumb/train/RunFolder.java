package dev.plumb.train;

import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.FileNames;
import dev.plumb.store.TemporaryPath;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The folder of one training, RUNS/NAME-n, where n is the first free number: no existing folder is overwritten. */
public final class RunFolder {
  private static final String IS_A_FILE = "it is a file, not a folder";
  /** The name of the model's file. */
  public static final String MODEL = "model.safetensors";

  private static final String CHECKPOINT = "checkpoint.safetensors";
  private static final String METRICS = "metrics.csv";
  private static final String MANIFEST = "manifest.json";
  private static final String REPORT = "report.html";
  private static final String EVENTS = "events.out.tfevents.";

  private final Path path;

  private RunFolder(Path path) {
    this.path = path;
  }

  /**
   * Creates a folder atomically, with its first files.
   *
   * @param runs the folder of all runs; created if it does not exist
   * @param name the name of the run, without number
   * @param content writes the first files into the folder, which still has a temporary name
   * @throws InvalidInputException when the folder cannot be created
   */
  public static RunFolder create(Path runs, String name, Consumer<RunFolder> content) {
    String safe = FileNames.of(name, "run");
    try {
      Files.createDirectories(runs);
      TemporaryPath.deleteAbandoned(runs);
      try (TemporaryPath unfinished = TemporaryPath.folder(runs)) {
        content.accept(new RunFolder(unfinished.path()));
        for (int n = firstFree(runs, safe);; n++) {
          Path path = runs.resolve(safe + "-" + n);
          // A rename onto an empty folder would succeed, and the program that has created that folder may be about to use it.
          if (!Files.exists(path) && moved(unfinished.path(), path)) {
            return new RunFolder(path);
          }
        }
      }
    } catch (IOException e) {
      throw new InvalidInputException("cannot make a run folder in " + runs + ": " + reason(e), e);
    }
  }

  /**
   * Checks that the folder of all runs is not a file, without creating it.
   *
   * @throws InvalidInputException when it is
   */
  static void requireFolder(Path runs) {
    if (Files.exists(runs) && !Files.isDirectory(runs)) {
      throw new InvalidInputException("cannot make a run folder in " + runs + ": " + IS_A_FILE);
    }
  }

  /**
   * Opens an existing folder.
   *
   * @throws InvalidInputException when there is none, or it is not a run folder
   */
  public static RunFolder open(Path path) {
    if (!Files.isDirectory(path)) {
      throw new InvalidInputException(
          path + ": " + (Files.exists(path) ? "it is a file, not a run folder" : "there is no such run folder"));
    }
    RunFolder folder = new RunFolder(path);
    if (!Files.isRegularFile(folder.checkpoint())) {
      throw new InvalidInputException(
          path + ": this is no run folder; there is no " + folder.checkpoint().getFileName() + " in it");
    }
    return folder;
  }

  /**
   * Takes the lock of the folder, which a training holds.
   *
   * @throws InvalidInputException when another training holds it
   */
  public RunLock lock() {
    return RunLock.take(path);
  }

  /** Deletes temporary files of killed processes, in this folder and in the folder of all runs. */
  public void clean() {
    TemporaryPath.deleteAbandoned(path);
    TemporaryPath.deleteAbandoned(path.toAbsolutePath().resolveSibling(""));
  }

  public Path path() {
    return path;
  }

  public Path model() {
    return path.resolve(MODEL);
  }

  public Path checkpoint() {
    return path.resolve(CHECKPOINT);
  }

  public Path metrics() {
    return path.resolve(METRICS);
  }

  public Path manifest() {
    return path.resolve(MANIFEST);
  }

  public Path report() {
    return path.resolve(REPORT);
  }

  /** Returns the files of a training in a folder; none if it is not a run folder. */
  public static List<Path> files(Path folder) {
    boolean isRun = Files.exists(folder.resolve(CHECKPOINT))
        || (Files.exists(folder.resolve(MODEL)) && Files.exists(folder.resolve(MANIFEST)));
    if (!isRun) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> isOfRun(file.getFileName().toString())).toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Returns whether a path is in a run folder, and is the name of one of the training's files. */
  public static boolean owns(Path file) {
    Path real = AtomicFile.canonical(file);
    return isOfRun(real.getFileName().toString()) && !files(real.getParent()).isEmpty();
  }

  private static boolean isOfRun(String name) {
    return List.of(MODEL, CHECKPOINT, METRICS, MANIFEST, REPORT, RunLock.FILE_NAME).contains(name) || name.startsWith(EVENTS);
  }

  private static boolean moved(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (FileSystemException e) {
      // Another process was faster.
      if (e instanceof FileAlreadyExistsException || Files.exists(to)) {
        return false;
      }
      throw e;
    }
  }

  private static int firstFree(Path runs, String name) throws IOException {
    Pattern ours = Pattern.compile(Pattern.quote(name) + "-([0-9]{1,9})");
    try (Stream<Path> all = Files.list(runs)) {
      return all.map(path -> ours.matcher(path.getFileName().toString())).filter(Matcher::matches)
          .mapToInt(matcher -> Integer.parseInt(matcher.group(1))).max().orElse(0) + 1;
    }
  }

  private static String reason(IOException e) {
    return e instanceof FileAlreadyExistsException ? IS_A_FILE : FileErrors.reason(e);
  }
}
