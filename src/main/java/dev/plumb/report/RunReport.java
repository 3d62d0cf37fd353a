package dev.plumb.report;

import dev.plumb.train.ClassJudgment;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.Importance;
import dev.plumb.train.RegressionScores;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * The content of a training report.
 *
 * @param title heading of the page: the run's name
 * @param summary sentences for the top of the page: how the training ended
 * @param warnings sentences that are highlighted there; often none
 * @param scores the scores of the training, validation and test rows, as far as they exist
 * @param lossName name and unit of the loss: "cross entropy in nats"
 * @param metricName name of the epochs' metric: "accuracy", "R²"
 * @param epochs in ascending order; after a resumed training some may be missing, and values may be NaN
 * @param layerNames one per gradient norm, the output layer last; empty for "layer 1" to "output"
 * @param keptEpoch the epoch whose weights the model has; empty if it is not known
 * @param divergedAtEpoch the first epoch with a value that is not finite
 * @param predictions predictions on held-out rows, if there are any, otherwise on the training rows; of each kind of rows at most one
 * @param configuration keys and values as the user would write them
 * @param manifest versions, device, hashes, the command
 * @param importance permutation importance of the columns on held-out rows, if it was computed
 */
public record RunReport(
    String title,
    List<String> summary,
    List<String> warnings,
    Optional<ScoreTable> scores,
    String lossName,
    String metricName,
    List<EpochMetrics> epochs,
    List<String> layerNames,
    OptionalInt keptEpoch,
    OptionalInt divergedAtEpoch,
    List<Predictions> predictions,
    SortedMap<String, String> configuration,
    SortedMap<String, String> manifest,
    Optional<RowsImportance> importance) {

  /** Creates a report without the importance of the columns. */
  public RunReport(String title, List<String> summary, List<String> warnings, Optional<ScoreTable> scores, String lossName,
      String metricName, List<EpochMetrics> epochs, List<String> layerNames, OptionalInt keptEpoch, OptionalInt divergedAtEpoch,
      List<Predictions> predictions, SortedMap<String, String> configuration, SortedMap<String, String> manifest) {
    this(title, summary, warnings, scores, lossName, metricName, epochs, layerNames, keptEpoch, divergedAtEpoch, predictions,
        configuration, manifest, Optional.empty());
  }

  public RunReport {
    summary = List.copyOf(summary);
    warnings = List.copyOf(warnings);
    predictions = List.copyOf(predictions);
    epochs = List.copyOf(epochs);
    layerNames = List.copyOf(layerNames);
  }

  /**
   * Returns the report of a training run.
   *
   * @param summary sentences for the top of the page
   * @param warnings sentences that are highlighted there
   */
  public static RunReport of(TrainingResult result, List<String> summary, List<String> warnings) {
    TrainerState state = result.state();
    boolean diverged = state.end().filter(TrainerState.End.DIVERGED::equals).isPresent();
    SortedMap<String, String> manifest = result.manifest().texts();
    manifest.remove("config");
    return new RunReport(
        result.folder().path().getFileName().toString(),
        summary,
        warnings,
        result.scores().isEmpty() ? Optional.empty() : Optional.of(ScoreTable.of(result)),
        result.lossName(),
        result.prepared().metric().label(),
        state.history(),
        List.of(),
        state.bestEpoch() == 0 ? OptionalInt.empty() : OptionalInt.of(state.bestEpoch()),
        diverged ? OptionalInt.of(state.stepInEpoch() > 0 ? state.epochs() + 1 : state.epochs()) : OptionalInt.empty(),
        predictions(result.scores()),
        TrainConfigJson.lines(result.manifest().run().config()),
        manifest);
  }

  /** Returns this report with the importance of the columns. */
  public RunReport withImportance(Optional<RowsImportance> computed) {
    return new RunReport(title, summary, warnings, scores, lossName, metricName, epochs, layerNames, keptEpoch, divergedAtEpoch,
        predictions, configuration, manifest, computed);
  }

  /** Returns the predictions for the test data and the validation rows; if there are none, for the training rows. */
  private static List<Predictions> predictions(Map<String, Scores> scores) {
    List<Predictions> heldOut = Stream.of("test", "validation").filter(scores::containsKey)
        .map(rows -> predictions(rows, scores.get(rows))).toList();
    return heldOut.isEmpty() && scores.containsKey("training") ? List.of(predictions("training", scores.get("training"))) : heldOut;
  }

  /**
   * Returns the predictions that were scored.
   *
   * @param scores with the judgment of probabilities, if they are those of classes
   */
  static Predictions predictions(String rows, Scores scores) {
    if (scores instanceof ClassificationScores classes) {
      return new Classes(rows, classes.classNames(), classes.confusion(), Optional.of(classes.judgment()), classes.threshold());
    }
    RegressionScores numbers = (RegressionScores) scores;
    List<Target> targets = new ArrayList<>();
    for (int i = 0; i < numbers.targets().size(); i++) {
      targets.add(new Target(numbers.targets().get(i), numbers.truth()[i], numbers.predicted()[i]));
    }
    return new Numbers(rows, targets);
  }

  /** Returns the number of gradient norms in the last epoch; 0 if there are none. */
  int layers() {
    return epochs.isEmpty() ? 0 : epochs.get(epochs.size() - 1).gradientNorms().length;
  }

  /**
   * Importance of the columns on some rows.
   *
   * @param rows name of the rows: "validation", "test"
   */
  public record RowsImportance(String rows, Importance importance) {}

  /** Predictions of a trained network on labeled rows. */
  public sealed interface Predictions permits Classes, Numbers {
    /** Returns the name of the rows: "validation", "test". */
    String rows();
  }

  /**
   * Predicted classes.
   *
   * @param judgment of the predicted probabilities, if they are known
   * @param threshold that decides between two classes; empty if the most probable class is predicted
   */
  public record Classes(String rows, List<String> names, ConfusionMatrix counts, Optional<ClassJudgment> judgment,
      OptionalDouble threshold) implements Predictions {
    public Classes(String rows, List<String> names, ConfusionMatrix counts) {
      this(rows, names, counts, Optional.empty(), OptionalDouble.empty());
    }

    public Classes {
      names = List.copyOf(names);
      if (counts.classes() != names.size()) {
        throw new IllegalArgumentException(
            "the confusion matrix has " + counts.classes() + " classes, but there are " + names.size() + " names");
      }
    }
  }

  /** Predicted numbers of one or more targets. */
  public record Numbers(String rows, List<Target> targets) implements Predictions {
    public Numbers {
      targets = List.copyOf(targets);
    }
  }

  /** True and predicted values of one target, row by row, in the units of the data. */
  public record Target(String name, double[] actual, double[] predicted) {
    public Target {
      if (actual.length != predicted.length) {
        throw new IllegalArgumentException(actual.length + " true values, but " + predicted.length + " predicted values");
      }
    }
  }
}
