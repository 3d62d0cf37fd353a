package dev.plumb.cli;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TargetEncoding;
import dev.plumb.study.CrossValidation;
import dev.plumb.study.Tuning;
import dev.plumb.train.DataView;
import dev.plumb.train.TrainConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The line about the data of a training: rows, features, task and target. */
final class DataLine {
  private static final int MAX_NAMED_CLASSES = 8;

  private DataLine() {}

  /**
   * Returns the line for one training, or for several on the same rows.
   *
   * @param given the configuration before its columns were resolved
   */
  static String of(String file, TrainConfig given, DataView view) {
    return line(file, view.rows(), given, view.columns(), view.encoding().target(),
        defaultTarget(given, view.columnNames(), view.trainingRows(), Map.of()));
  }

  /**
   * Returns the line for a cross-validation.
   *
   * @param given the configuration before its columns were resolved
   */
  static String of(String file, TrainConfig given, CrossValidation validation) {
    FoldOptions folds = validation.spec().folds();
    Map<String, String> roles = new LinkedHashMap<>();
    folds.group().ifPresent(name -> roles.put(name, "the group"));
    folds.time().ifPresent(name -> roles.put(name, "the time"));
    return line(file, validation.table().rows(), given, validation.spec().config().columns(), validation.target(),
        defaultTarget(given, validation.table().names(), validation.table(), roles));
  }

  /**
   * Returns the line for a hyperparameter search.
   *
   * @param given the configuration before its columns were resolved
   */
  static String of(String file, TrainConfig given, Tuning tuning) {
    return line(file, tuning.table().rows(), given, tuning.view().columns(), tuning.view().encoding().target(),
        defaultTarget(given, tuning.table().names(), tuning.table(), Map.of()));
  }

  private static String line(String file, int rows, TrainConfig given, EncodingOptions columns, TargetEncoding target,
      Optional<String> defaultTarget) {
    int features = columns.features().size();
    return TerminalText.sanitize("data: " + file + ", " + rows + " rows, " + features + (features == 1 ? " feature" : " features")
        + (columns.excluded().isEmpty() ? "" : ", " + columns.excluded().size() + " excluded") + "; task: "
        + columns.task().orElseThrow().key() + (given.columns().task().isEmpty() ? " (inferred)" : "") + "; target: \""
        + String.join("\", \"", target.names()) + "\"" + defaultTarget.map(text -> " (" + text + ")").orElse("") + classes(target));
  }

  /**
   * Describes how the default target was chosen, if it is not simply the last column.
   *
   * @param names of all columns of the file
   * @param roles roles of columns other than that of the weight, by name
   */
  private static Optional<String> defaultTarget(TrainConfig given, List<String> names, Table table, Map<String, String> roles) {
    if (!given.columns().targets().isEmpty() || !table.targets().isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> all = new LinkedHashMap<>(roles);
    given.weights().column().ifPresent(name -> all.put(name, "the weight"));
    given.columns().features().forEach(name -> all.put(name, "a feature"));
    int last = names.size() - 1;
    while (all.containsKey(names.get(last))) {
      last--;
    }
    List<String> skipped = names.subList(last + 1, names.size());
    return skipped.isEmpty() ? Optional.empty() : Optional.of("last column that is not "
        + skipped.stream().map(all::get).distinct().collect(Collectors.joining(" or ")));
  }

  private static String classes(TargetEncoding target) {
    if (!(target instanceof TargetEncoding.Classes classes)) {
      return "";
    }
    List<String> names = classes.classNames();
    return ", " + names.size() + " classes: " + String.join(", ", names.subList(0, Math.min(MAX_NAMED_CLASSES, names.size())))
        + (names.size() > MAX_NAMED_CLASSES ? ", ..." : "");
  }
}
