package dev.plumb.cli;

import dev.plumb.data.Dataset;
import dev.plumb.data.Task;
import dev.plumb.model.Dropout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.DataView;
import dev.plumb.train.Metric;
import dev.plumb.train.PreparedData;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainerState;
import dev.plumb.train.TrainingRequest;
import dev.plumb.train.TrainingResult;
import dev.plumb.train.TrainingRun;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The texts of {@code plumb train} about a run: before training, after it, and in its report. */
final class TrainSummary {
  private TrainSummary() {}

  static void printHead(TrainingRun run, PrintStream out) {
    TrainingRequest request = run.request();
    PreparedData prepared = run.prepared();
    DataView view = prepared.view();
    int held = view.validation().map(rows -> rows.rows()).orElse(0);
    out.println(DataLine.of(request.data().toString(), request.config(), view));
    out.println("rows: " + view.training().rows() + " for training, " + (held == 0 ? "none for validation"
        : held + " for validation" + (view.encoding().task() == Task.CLASSIFICATION ? " (stratified by class)" : ""))
        + dropped(view.droppedRows(), request.config()));
    run.estimate().filter(estimate -> estimate.candidates() > 1).ifPresent(estimate -> out.println("chosen by " + estimate.folds()
        + " folds from " + estimate.candidates() + " candidates: " + prepared.fit().training().epochs() + " epochs, weight decay "
        + prepared.fit().training().optimizer().weightDecay() + ", dropout "
        + prepared.fit().training().dropout().map(Dropout::probability).orElse(0.0)));
    out.println(network(prepared));
    request.from().ifPresent(from -> out.println(TerminalText.sanitize("start: parameters of " + from.file().orElseThrow()
        + (from.keepsOutputs(view.encoding(), view.loss()) ? ""
            : "; a new output layer, because its " + from.outputDifference(view.encoding(), view.loss()) + " differ"))));
  }

  /** Returns the end of a line about rows: the number of rows that were dropped, if there are any. */
  static String dropped(int rows, TrainConfig config) {
    return rows == 0 ? "" : "; " + rows + " dropped because of " + config.droppedBecauseOf();
  }

  /** Returns a line about the network and its training. */
  static String network(PreparedData prepared) {
    TrainingSpec training = prepared.fit().training();
    return "network: " + prepared.network().shape() + " " + prepared.network().description() + ", loss "
        + training.loss().key() + ", optimizer " + training.optimizer().kind().key() + ", learning rate "
        + training.learningRate() + " (schedule " + prepared.fit().schedule().kind().key() + "), "
        + (training.batchSize().isPresent() ? "batch size " + training.batchSize().getAsInt() : "full batch") + ", at most "
        + training.epochs() + " epochs, " + training.precision().key() + ", seed " + prepared.config().seed()
        + (prepared.config().splitSeed().isPresent() ? ", split seed " + prepared.config().splitSeed().getAsLong() : "");
  }

  /** Prints notes about columns that the network cannot learn from, or that determine the target. */
  static void printNotes(TrainingRun run, PrintStream err) {
    DataView view = run.prepared().view();
    view.nearlyUniqueFeatures().forEach(name -> err.println(TerminalText.sanitize("note: column \"" + name
        + "\" has a unique value in most rows, so nothing can be learned from it; exclude it with --exclude")));
    DataView.Findings findings = view.findings();
    LeakNote.print(findings.leaks(), err);
    MissingNote.training(findings.missing(), view.encoding(), view.columns(), err);
    UnknownCategories.note(findings.unknownInTraining(), "training rows: ", err);
    UnknownCategories.note(findings.unknownCategories(), "validation rows: ", err);
    MissingNote.other(findings.replaced(), "validation rows: ", err);
    run.test().ifPresent(rows -> {
      UnknownCategories.note(view.encoding().unknownCategories(rows), "test rows: ", err);
      MissingNote.other(view.encoding().replaced(rows), "test rows: ", err);
    });
  }

  static void printEnd(TrainingResult result, PrintStream out) {
    out.println();
    if (!result.scores().isEmpty()) {
      printScores(ScoreTable.of(result), out);
      out.println();
      heldOutClasses(result).ifPresent(rows -> {
        out.println(rows + " rows:");
        ConfusionText.print((ClassificationScores) result.scores().get(rows), out);
        out.println();
      });
    }
    calibration(result).ifPresent(out::println);
    ending(result).ifPresent(out::println);
    out.println(TerminalText.sanitize("run: " + result.folder().path()));
  }

  private static void printScores(ScoreTable scores, PrintStream out) {
    TextTable table = new TextTable().left("rows");
    scores.metrics().forEach(metric -> table.right(metric.key()));
    for (ScoreTable.Row row : scores.rows()) {
      List<String> cells = new ArrayList<>(List.of((row.isBaseline() ? "  " : "") + row.name()));
      for (int i = 0; i < row.values().size(); i++) {
        double value = row.values().get(i);
        cells.add(Double.isNaN(value) ? "-" : Decimal.fixed(value, 4)
            + (row.deviations().isEmpty() ? "" : " ± " + Decimal.fixed(row.deviations().get(i), 4)));
      }
      table.row(cells);
    }
    table.print(out);
    out.println();
    scores.notes().forEach(note -> out.println(TerminalText.sanitize(note)));
  }

  /** Returns the rows whose confusion matrix is printed: those of the test data, otherwise the validation rows. */
  private static Optional<String> heldOutClasses(TrainingResult result) {
    return Stream.of("test", "validation").filter(rows -> result.scores().get(rows) instanceof ClassificationScores).findFirst();
  }

  /** Returns why the run has no complete result, for a message; empty if it has one. */
  static Optional<String> failure(TrainingResult result) {
    TrainerState state = result.state();
    if (state.end().isEmpty()) {
      return Optional.of("stopped in epoch " + (state.epochs() + 1) + "; resume with: plumb train --resume "
          + result.folder().path());
    }
    boolean diverged = state.end().get() == TrainerState.End.DIVERGED;
    String remedy = "; try --lr below " + result.prepared().fit().training().learningRate() + " or --clip-norm 1";
    if (!diverged && result.scores().containsKey("training")) {
      return didNotLearn(result).map(text -> text + remedy);
    }
    return Optional.of("training diverged: " + (diverged ? "values are not finite in epoch "
        + Math.max(1, state.stepInEpoch() > 0 ? state.epochs() + 1 : state.epochs())
        : "the outputs for the training rows are not finite") + remedy);
  }

  private static Optional<String> didNotLearn(TrainingResult result) {
    return result.initialLoss().isEmpty() ? Optional.empty()
        : Optional.of("the network did not learn: the loss of the training rows is " + loss(result.scores().get("training").loss())
            + ", and was " + loss(result.initialLoss().getAsDouble()) + " before the training");
  }

  private static String loss(double value) {
    return value < 1e5 ? Decimal.fixed(value, 4) : Decimal.scientific(value);
  }

  /** Describes which epoch's weights are saved, and whether training stopped early; empty before the end of the first epoch. */
  private static Optional<String> ending(TrainingResult result) {
    TrainerState state = result.state();
    if (state.bestEpoch() == 0) {
      return Optional.empty();
    }
    String saved = "saved: weights of the best epoch, " + state.bestEpoch() + " of " + state.epochs() + " ("
        + watched(result.prepared().fit().watch()) + ")";
    return Optional.of(state.end().filter(TrainerState.End.EARLY_STOPPING::equals)
        .map(end -> saved + "; stopped early").orElse(saved));
  }

  /** Returns the temperature of a calibrated model and the rows that it was fitted to. */
  private static Optional<String> calibration(TrainingResult result) {
    if (result.temperature().isEmpty()) {
      return Optional.empty();
    }
    Optional<Dataset> validation = result.prepared().view().validation();
    return Optional.of("calibrated: temperature " + Decimal.fixed(result.temperature().getAsDouble(), 4) + ", fitted to "
        + validation.map(rows -> "the " + rows.rows() + " validation rows").orElse("the test rows of the folds"));
  }

  private static String watched(Metric metric) {
    return (metric.isHigherBetter() ? "highest " : "lowest ") + metric.label();
  }

  /** Returns the sentences at the top of the HTML report. */
  static List<String> reportSummary(TrainingResult result) {
    return Stream.of(calibration(result), ending(result)).flatMap(Optional::stream)
        .map(text -> text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) + ".").toList();
  }

  /** Returns the warnings at the top of the HTML report. */
  static List<String> reportWarnings(TrainingResult result) {
    List<String> warnings = new ArrayList<>();
    if (result.state().end().isEmpty()) {
      warnings.add("The run was stopped before it finished; it can be resumed.");
    }
    didNotLearn(result).ifPresent(text -> warnings.add(text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) + "."));
    return warnings;
  }
}
