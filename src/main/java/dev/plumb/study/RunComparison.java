package dev.plumb.study;

import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.train.DataFile;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.TrainConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A comparison of runs of the same task: the configuration keys that differ, the scores, and what makes the scores incomparable.
 *
 * @param runs at least 2
 * @param names a name for each run: that of its folder, or its path if several folders have that name
 */
public record RunComparison(List<RunRecord> runs, List<String> names) {
  /** The maximum number of runs: more curves cannot be told apart. */
  public static final int MAX_RUNS = 12;

  /** The maximum number of runs that are columns of a table of the configuration; more are rows. */
  public static final int MAX_COLUMNS = 5;

  /** Length of a hash in texts. */
  private static final int HASH_DIGITS = 12;

  private static final String NOT_COMPARABLE = "; their scores are not comparable";

  /**
   * A key with different values.
   *
   * @param values one per run, for people
   * @param json one per run, as JSON
   */
  public record Difference(String key, List<String> values, List<String> json) {}

  public RunComparison {
    runs = List.copyOf(runs);
    names = List.copyOf(names);
  }

  /**
   * Reads run folders.
   *
   * @throws InvalidInputException when one is not a run folder, is damaged or is named twice, or their tasks differ; the message
   *     names the folder
   */
  public static RunComparison read(List<Path> folders) {
    if (folders.size() > MAX_RUNS) {
      throw new InvalidInputException(folders.size() + " runs: at most " + MAX_RUNS + " can be compared");
    }
    List<RunRecord> runs = new ArrayList<>();
    Map<Path, Path> seen = new HashMap<>();
    for (Path folder : folders) {
      if (!RunRecord.isRun(folder)) {
        throw new InvalidInputException(folder + ": this is no run folder; name one such as runs/iris-1 (plumb runs lists them)");
      }
      Path other = seen.put(real(folder), folder);
      if (other != null) {
        throw new InvalidInputException(folder + ": the run is named twice" + (other.equals(folder) ? "" : ", also as " + other)
            + "; name different runs");
      }
      runs.add(RunRecord.read(folder));
    }
    RunRecord first = runs.get(0);
    for (RunRecord run : runs) {
      if (run.task() != first.task()) {
        throw new InvalidInputException(run.folder() + ": the run predicts " + target(run.task()) + ", but " + first.folder()
            + " " + target(first.task()) + "; compare runs of the same task");
      }
    }
    return new RunComparison(runs, names(runs));
  }

  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      return folder.toAbsolutePath().normalize();
    }
  }

  private static String target(Task task) {
    return task == Task.CLASSIFICATION ? "classes" : "numbers";
  }

  private static List<String> names(List<RunRecord> runs) {
    Map<String, Long> counts = runs.stream().collect(Collectors.groupingBy(RunRecord::name, Collectors.counting()));
    return runs.stream().map(run -> counts.get(run.name()) == 1 ? run.name() : run.folder().toString()).toList();
  }

  /** Returns the task of all runs. */
  public Task task() {
    return runs.get(0).task();
  }

  /** Returns the main metric of the runs: accuracy or R². */
  public Metric main() {
    return Metric.main(task());
  }

  /** Returns the metrics of the table of scores: the loss, those of the task, and those that a run watched. */
  public List<Metric> metrics() {
    Set<Metric> metrics = new TreeSet<>(task() == Task.CLASSIFICATION ? List.of(Metric.LOSS, Metric.ACCURACY)
        : List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE));
    runs.forEach(run -> metrics.add(run.metric()));
    return List.copyOf(metrics);
  }

  /** Returns the files, the version and the configuration keys whose values differ between the runs. */
  public List<Difference> differences() {
    List<Difference> differences = new ArrayList<>();
    for (String role : List.of("data", "labels", "test", "from")) {
      List<Optional<DataFile>> files = runs.stream().map(run -> run.file(role)).toList();
      add(role, files.stream().map(file -> file.map(DataFile::path)).toList(), differences);
      add(role + " SHA-256", files.stream().map(file -> file.map(DataFile::sha256)).toList(), differences);
    }
    add("plumb", runs.stream().map(run -> Optional.of(run.plumb())).toList(), differences);
    List<Map<String, ConfigValues.Value>> configs = runs.stream().map(run -> ConfigValues.of(run.config())).toList();
    for (String key : keys(configs)) {
      addValues(key, configs.stream().map(config -> config.getOrDefault(key, ConfigValues.Value.NONE)).toList(), differences);
    }
    return differences;
  }

  /** Returns all keys in the order of the configuration, those of a nested object next to each other. */
  private static List<String> keys(List<Map<String, ConfigValues.Value>> configs) {
    Map<String, Set<String>> keys = new LinkedHashMap<>();
    for (Map<String, ConfigValues.Value> config : configs) {
      config.keySet().forEach(key -> keys.computeIfAbsent(key.split("\\.", 2)[0], first -> new LinkedHashSet<>()).add(key));
    }
    return keys.values().stream().flatMap(Set::stream).toList();
  }

  private static void add(String key, List<Optional<String>> texts, List<Difference> differences) {
    addValues(key, texts.stream().map(text -> text.map(ConfigValues.Value::ofText).orElse(ConfigValues.Value.NONE)).toList(),
        differences);
  }

  private static void addValues(String key, List<ConfigValues.Value> values, List<Difference> differences) {
    if (values.stream().distinct().count() > 1) {
      boolean isHash = key.endsWith("SHA-256");
      differences.add(new Difference(key, values.stream().map(ConfigValues.Value::text)
          .map(text -> isHash && text.length() > HASH_DIGITS ? text.substring(0, HASH_DIGITS) : text).toList(),
          values.stream().map(ConfigValues.Value::json).toList()));
    }
  }

  /** Returns sentences without full stop on what makes scores incomparable or preliminary. */
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    List<RunRecord> validated = runs.stream().filter(run -> run.scores().containsKey("validation")).toList();
    List<RunRecord> tested = runs.stream().filter(run -> run.scores().containsKey("test")).toList();
    if (!same(runs, RunComparison::dataHashes)) {
      warnings.add("the runs were trained on different data; only their test scores are comparable");
    } else if (!same(runs, run -> run.config().columns().targets())) {
      warnings.add("the runs have different targets" + NOT_COMPARABLE);
    } else {
      if (!same(validated, RunComparison::validationRows)) {
        warnings.add("the runs have different validation rows" + NOT_COMPARABLE
            + "; train with the same --validation and --split-seed");
      }
      if (!validated.isEmpty() && validated.size() < runs.size()) {
        warnings.add("some runs have no validation rows (" + runs.stream().filter(run -> !validated.contains(run)).map(this::name)
            .collect(Collectors.joining(", ")) + "); their scores are not comparable with those of the other runs");
      }
    }
    if (!same(tested, run -> run.file("test").map(DataFile::sha256))) {
      warnings.add("the runs were tested on different data; their test scores are not comparable");
    }
    if (!same(runs, RunComparison::lossDefinition)) {
      warnings.add("the runs have different loss functions or weights; their losses are not comparable");
    }
    for (RunRecord run : runs) {
      if (run.status() == RunRecord.Status.RUNNING || run.status() == RunRecord.Status.INTERRUPTED) {
        warnings.add("the run " + name(run) + " is " + run.status().label() + "; its scores are those after "
            + run.history().size() + " of " + run.config().trainer().training().epochs() + " epochs");
      }
    }
    return warnings;
  }

  /** Returns sentences without full stop on the columns of the table of scores. */
  public List<String> notes() {
    return task() == Task.CLASSIFICATION
        ? List.of("95 % interval: of the accuracy; Wilson's for validation and test rows, Student's for the mean over folds",
            ScoreTable.BASELINE + ": accuracy of the majority class of the training rows")
        : List.of("95 % interval: of R², Student's for the mean over folds; none for validation and test rows",
            ScoreTable.BASELINE + ": R² of the mean of the training rows");
  }

  private String name(RunRecord run) {
    return names.get(runs.indexOf(run));
  }

  private static boolean same(Collection<RunRecord> runs, Function<RunRecord, ?> value) {
    return runs.stream().map(value).distinct().count() <= 1;
  }

  private static List<String> dataHashes(RunRecord run) {
    return run.data().stream().filter(file -> List.of("data", "labels").contains(file.role())).map(DataFile::sha256).toList();
  }

  /** Returns all that the choice of the validation rows depends on, for runs with the same data. */
  private static Map<String, Object> validationRows(RunRecord run) {
    TrainConfig config = run.config();
    Map<String, Object> choice = new LinkedHashMap<>();
    choice.put("rows", run.count("used"));
    choice.put("share", config.validation());
    choice.put("seed", config.splitSeed().orElse(config.seed()));
    choice.put("dropped", run.count("dropped"));
    if (run.count("dropped").orElse(1) > 0) {
      choice.put("columns", List.of(config.columns().features(), config.columns().missing(), config.weights().column(),
          config.format().naValues()));
    }
    return choice;
  }

  private static List<Object> lossDefinition(RunRecord run) {
    return Arrays.asList(run.config().loss(), run.config().weights(),
        run.task() == Task.REGRESSION && run.config().columns().standardize());
  }
}
