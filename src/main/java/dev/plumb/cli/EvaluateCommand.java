package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.report.EvaluationReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.Figure;
import dev.plumb.train.RegressionScores;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb evaluate}: evaluates a trained model on labeled rows. */
final class EvaluateCommand implements Command {
  private final DeviceChoice devices;

  EvaluateCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public String summary() {
    return "Evaluate a trained model on labeled rows";
  }

  @Override
  public String usage() {
    return "MODEL DATA [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors. DATA has the columns of the training data in any
        order; - stands for standard input.

        For classes, prints the loss, accuracy, balanced accuracy, macro F1, log loss, areas under the ROC
        and precision-recall curves, Matthews correlation, Brier score, expected calibration error and
        top-k accuracies; precision, recall and F1 of each class; and the confusion matrix (with more than
        100 classes: the most frequent errors). A metric that is undefined is printed as "-". For numbers,
        prints the loss, R2, mean absolute error and root mean squared error. The baseline always predicts
        the majority class or the mean of the training rows.

        --report has the curves, a reliability diagram, and for numbers the residuals by prediction. --json
        has them as numbers.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb evaluate runs/iris-1 more-irises.csv
        plumb evaluate runs/iris-1 more-irises.csv --json scores.json --report scores.html
        plumb evaluate runs/patients-1 more-patients.csv --choose-threshold youden
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(ScoringInput.options(Flags.JSON, Flags.REPORT).getOptions());
    options.addAll(List.of(Flags.THRESHOLD, Flags.CHOOSE_THRESHOLD,
        Flags.meaning(Flags.WEIGHT, "COL", "Column with the weight of each row in the loss and in the metrics."),
        Flags.CLASS_WEIGHTS));
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    ThresholdChoice choice = ThresholdChoice.of(arguments);
    ScoringInput input = ScoringInput.read(arguments, true, Flags.JSON, Flags.REPORT);
    choice.requireTwoClasses(input.model());
    Table table = input.table();
    try (Backends.Selection device = devices.open(arguments, err);
        TablePredictor predictor = input.predictor(device, DeviceChoice.onNote(arguments, err))) {
      RowWeights weights = TrainRequest.weights(arguments, RowWeights.NONE);
      Scores scores = input.atData(() -> choice.applied(predictor.score(table, weights)));
      out.println(DeviceChoice.line(device));
      out.println(TerminalText.sanitize("data: " + input.data() + ", " + table.rows() + " rows"));
      choice.sentences(scores).forEach(sentence -> out.println(TerminalText.sanitize(sentence)));
      out.println();
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(input.model().encoding().unknownCategories(table), "", err);
        MissingNote.other(input.model().encoding().replaced(table), "", err);
      }
      print(scores, out);
      out.flush();
      arguments.path(Flags.JSON).ifPresent(file -> AtomicFile.write(file, stream ->
          EvaluationJson.write(scores, table.rows(), choice, stream)));
      arguments.path(Flags.REPORT).ifPresent(file -> AtomicFile.write(file, stream ->
          report(arguments, input, device, scores, choice).write(stream)));
    }
    return ExitCode.DONE;
  }

  private static EvaluationReport report(Arguments arguments, ScoringInput input, Backends.Selection device, Scores scores,
      ThresholdChoice choice) {
    List<String> summary = new ArrayList<>(List.of("data: " + input.data() + ", " + input.table().rows() + " rows"));
    summary.addAll(choice.sentences(scores));
    return new EvaluationReport(arguments.operandPaths("MODEL", "DATA").get(0).toString(), summary, scores,
        DeviceChoice.manifest(device.backend().device(), "evaluate", arguments));
  }

  private static void print(Scores scores, PrintStream out) {
    if (scores instanceof ClassificationScores figures) {
      printMetrics(figures, out);
      out.println();
      TextTable table = new TextTable().left("class").right("precision").right("recall").right("f1").right("rows");
      for (int c = 0; c < figures.classNames().size(); c++) {
        table.row(List.of(figures.classNames().get(c), Decimal.fixed(figures.precision(c), 4),
            Decimal.fixed(figures.recall(c), 4), Decimal.fixed(figures.f1(c), 4), Long.toString(figures.support(c))));
      }
      table.print(out);
      out.println();
      ConfusionText.print(figures, out);
      ThresholdChoice.print(figures, out);
    } else if (scores instanceof RegressionScores figures) {
      out.println("loss      " + Decimal.fixed(scores.loss(), 6));
      out.println();
      TextTable table = new TextTable().left("target").right("r2").right("mae").right("rmse");
      for (int i = 0; i < figures.targets().size(); i++) {
        RegressionScores.Errors errors = figures.errors().get(i);
        addRow(table, figures.targets().get(i), errors.r2(), errors.mae(), errors.rmse());
        if (hasBaseline(scores)) {
          RegressionScores.Errors baseline = figures.baseline().get(i);
          addRow(table, "  " + ScoreTable.BASELINE, baseline.r2(), baseline.mae(), baseline.rmse());
        }
      }
      if (figures.targets().size() > 1) {
        addRow(table, "(mean)", figures.r2(), figures.mae(), figures.rmse());
      }
      table.print(out);
      printBaseline(figures, out);
    }
  }

  private static void addRow(TextTable table, String name, double r2, double mae, double rmse) {
    table.row(List.of(name, Decimal.fixed(r2, 4), Decimal.fixed(mae, 4), Decimal.fixed(rmse, 4)));
  }

  /** Returns whether the model's file contains the baseline; those of earlier versions do not. */
  static boolean hasBaseline(Scores scores) {
    return scores instanceof ClassificationScores classes ? classes.majorityClass().isPresent()
        : !((RegressionScores) scores).baseline().isEmpty();
  }

  private static void printBaseline(Scores scores, PrintStream out) {
    if (hasBaseline(scores)) {
      out.println();
      out.println(TerminalText.sanitize(ScoreTable.BASELINE + ": " + ScoreTable.baseline(scores)));
    }
  }

  private static void printMetrics(ClassificationScores figures, PrintStream out) {
    TextTable table = new TextTable().left("metric").right("score");
    if (hasBaseline(figures)) {
      table.right(ScoreTable.BASELINE);
    }
    for (Figure figure : figures.figures()) {
      List<String> cells = new ArrayList<>(List.of(figure.label(), Decimal.orDash(figure.value(), 6)));
      if (hasBaseline(figures)) {
        cells.add(Decimal.orDash(figure.baseline(), 6));
      }
      table.row(cells);
    }
    table.print(out);
    printBaseline(figures, out);
  }
}
