package dev.plumb.cli;

import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.TrainingSpec;
import dev.plumb.report.HtmlReport;
import dev.plumb.report.RunReport;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.DataView;
import dev.plumb.train.Manifest;
import dev.plumb.train.PreparedData;
import dev.plumb.train.RunFolder;
import dev.plumb.train.RegressionScores;
import dev.plumb.train.Scores;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainerState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/** The description of a training: before it starts, at its end, and as an HTML report. */
final class TrainSummary {
  private static final int MAX_NAMED_CLASSES = 8;

  private TrainSummary() {}

  static void printHead(TrainRequest request, PreparedData prepared, PrintStream out) {
    DataView view = prepared.view();
    TrainingSpec training = prepared.fit().training();
    boolean inferred = request.config().columns().task().isEmpty();
    int held = view.validation().map(rows -> rows.rows()).orElse(0);
    int features = view.columns().features().size();
    out.println(TerminalText.sanitize("data: " + request.data() + ", " + view.rows() + " rows, " + features
        + (features == 1 ? " feature" : " features") + "; task: " + view.encoding().task().key()
        + (inferred ? " (inferred)" : "") + "; target: " + target(view.encoding().target())));
    out.println("rows: " + view.training().rows() + " for training, " + (held == 0 ? "none for validation"
        : held + " for validation" + (view.encoding().task() == Task.CLASSIFICATION ? " (stratified by class)" : ""))
        + (view.droppedRows() == 0 ? "" : "; " + view.droppedRows() + " dropped because of missing values"));
    out.println("network: " + prepared.network().shape() + " " + prepared.network().activation().key() + ", loss "
        + training.loss().key() + ", optimizer " + training.optimizer().kind().key() + ", learning rate "
        + training.learningRate() + " (schedule " + prepared.fit().schedule().kind().key() + "), "
        + (training.batchSize().isPresent() ? "batch size " + training.batchSize().getAsInt() : "full batch") + ", at most "
        + training.epochs() + " epochs, " + training.precision().key() + ", seed " + prepared.config().seed()
        + (prepared.config().splitSeed().isPresent() ? ", split seed " + prepared.config().splitSeed().getAsLong() : ""));
  }

  private static String target(TargetEncoding target) {
    if (target instanceof TargetEncoding.Classes classes) {
      List<String> names = classes.classNames();
      return "\"" + classes.name() + "\", " + names.size() + " classes: "
          + String.join(", ", names.subList(0, Math.min(MAX_NAMED_CLASSES, names.size())))
          + (names.size() > MAX_NAMED_CLASSES ? ", ..." : "");
    }
    return "\"" + String.join("\", \"", target.names()) + "\"";
  }

  static void printEnd(RunFolder folder, TrainerState state, Map<String, Scores> scores, PrintStream out) {
    out.println();
    if (!scores.isEmpty()) {
      String metric = metricName(scores.values().iterator().next());
      TextTable table = new TextTable().left("rows").right("loss").right(metric);
      scores.forEach((rows, score) ->
          table.row(List.of(rows, Decimal.fixed(score.loss(), 4), Decimal.fixed(metric(score), 4))));
      table.print(out);
      out.println();
    }
    ending(state).ifPresent(out::println);
    out.println(TerminalText.sanitize("run: " + folder.path()));
  }

  /** Returns the one figure of a summary: accuracy for classes, R² for numbers. */
  static double metric(Scores scores) {
    return scores instanceof ClassificationScores ? scores.accuracy() : scores.r2();
  }

  private static String metricName(Scores scores) {
    return scores instanceof ClassificationScores ? "accuracy" : "r2";
  }

  /** Describes which epoch's weights are saved, and whether training stopped early; empty before the end of the first epoch. */
  private static Optional<String> ending(TrainerState state) {
    if (state.bestEpoch() == 0) {
      return Optional.empty();
    }
    String saved = "saved: weights of the best epoch, " + state.bestEpoch() + " of " + state.epochs() + " (lowest loss)";
    return Optional.of(state.end().filter(TrainerState.End.EARLY_STOPPING::equals)
        .map(end -> saved + "; stopped early").orElse(saved));
  }

  static void writeReport(String name, Manifest manifest, PreparedData prepared, TrainerState state, Map<String, Scores> scores,
      OutputStream out) throws IOException {
    List<String> notes = new ArrayList<>();
    ending(state).ifPresent(notes::add);
    if (state.end().isEmpty()) {
      notes.add("The run was stopped before it finished; it can be resumed.");
    }
    scores.forEach((rows, score) -> notes.add(rows + ": loss " + Decimal.fixed(score.loss(), 4) + ", " + metricName(score) + " "
        + Decimal.fixed(metric(score), 4)));
    boolean diverged = state.end().filter(TrainerState.End.DIVERGED::equals).isPresent();
    SortedMap<String, String> texts = manifest.texts();
    texts.remove("config");
    HtmlReport.write(new RunReport(
        name,
        notes,
        prepared.view().encoding().task() == Task.CLASSIFICATION ? "accuracy" : "R²",
        state.history(),
        List.of(),
        state.bestEpoch() == 0 || state.bestEpoch() == state.epochs() ? OptionalInt.empty() : OptionalInt.of(state.bestEpoch()),
        diverged ? OptionalInt.of(state.stepInEpoch() > 0 ? state.epochs() + 1 : state.epochs()) : OptionalInt.empty(),
        predictions(scores),
        configuration(manifest),
        texts), out);
  }

  /** Returns the predictions for the test data, otherwise for the validation rows, otherwise for the training rows. */
  private static Optional<RunReport.Predictions> predictions(Map<String, Scores> scores) {
    String rows = scores.containsKey("test") ? "test" : scores.containsKey("validation") ? "validation" : "training";
    Scores score = scores.get(rows);
    if (score instanceof ClassificationScores classes) {
      return Optional.of(new RunReport.Classes(rows, classes.classNames(), classes.confusion()));
    }
    if (score instanceof RegressionScores numbers) {
      List<RunReport.Target> targets = new ArrayList<>();
      for (int i = 0; i < numbers.targets().size(); i++) {
        targets.add(new RunReport.Target(numbers.targets().get(i), numbers.truth()[i], numbers.predicted()[i]));
      }
      return Optional.of(new RunReport.Numbers(rows, targets));
    }
    return Optional.empty();
  }

  /** Returns the configuration by its JSON keys. */
  private static SortedMap<String, String> configuration(Manifest manifest) {
    SortedMap<String, String> configuration = new TreeMap<>();
    TrainConfigJson.lines(manifest.config()).forEach(configuration::put);
    return configuration;
  }
}
