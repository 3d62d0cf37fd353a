package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.json.JsonOutput;
import dev.plumb.store.AtomicFile;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.Metric;
import dev.plumb.train.RegressionScores;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
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
        and precision-recall curves and Matthews correlation; precision, recall and F1 of each class; and
        the confusion matrix (with more than 100 classes: the most frequent errors). A metric that is
        undefined is printed as "-". For numbers, prints the loss, R2, mean absolute error and root mean
        squared error. The baseline always predicts the majority class or the mean of the training rows.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb evaluate runs/iris-1 more-irises.csv
        plumb evaluate runs/iris-1 more-irises.csv --json scores.json
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(ScoringInput.options(Flags.JSON).getOptions());
    options.addAll(List.of(
        Flags.meaning(Flags.WEIGHT, "COL", "Column with the weight of each row in the loss and in the metrics."),
        Flags.CLASS_WEIGHTS));
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Optional<Path> json = arguments.path(Flags.JSON);
    ScoringInput input = ScoringInput.read(arguments, Flags.JSON, true);
    Table table = input.table();
    try (Backends.Selection device = devices.open(arguments, err);
        TablePredictor predictor = input.predictor(device, DeviceChoice.onNote(arguments, err))) {
      RowWeights weights = TrainRequest.weights(arguments, RowWeights.NONE);
      Scores scores = input.atData(() -> predictor.score(table, weights));
      out.println(DeviceChoice.line(device));
      out.println(TerminalText.sanitize("data: " + input.data() + ", " + table.rows() + " rows"));
      out.println();
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(input.model().encoding().unknownCategories(table), "", err);
        MissingNote.other(input.model().encoding().replaced(table), "", err);
      }
      print(scores, out);
      out.flush();
      json.ifPresent(file -> AtomicFile.write(file, stream -> write(scores, table.rows(), stream)));
    }
    return ExitCode.DONE;
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
  private static boolean hasBaseline(Scores scores) {
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
    for (Metric metric : metrics(Task.CLASSIFICATION)) {
      List<String> cells = new ArrayList<>(List.of(metric.label(), figure(figures.value(metric))));
      if (hasBaseline(figures)) {
        cells.add(figure(figures.baseline(metric)));
      }
      table.row(cells);
    }
    table.print(out);
    printBaseline(figures, out);
  }

  private static String figure(double value) {
    return Double.isNaN(value) ? "-" : Decimal.fixed(value, 6);
  }

  private static List<Metric> metrics(Task task) {
    return Arrays.stream(Metric.values()).filter(metric -> metric.appliesTo(task)).toList();
  }

  private static void write(Scores scores, int rows, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeNumberField("rows", rows);
      JsonOutput.number(json, "loss", scores.loss());
      if (scores instanceof ClassificationScores figures) {
        JsonOutput.number(json, "accuracy", figures.accuracy());
        JsonOutput.number(json, "balancedAccuracy", figures.balancedAccuracy());
        JsonOutput.number(json, "macroF1", figures.macroF1());
        JsonOutput.number(json, "logLoss", figures.logLoss());
        JsonOutput.number(json, "rocAuc", figures.rocAuc());
        JsonOutput.number(json, "prAuc", figures.prAuc());
        JsonOutput.number(json, "matthews", figures.matthews());
        json.writeArrayFieldStart("classes");
        Iterator<ConfusionMatrix.Cell> cells = figures.confusion().cells().iterator();
        ConfusionMatrix.Cell next = cells.hasNext() ? cells.next() : null;
        for (int c = 0; c < figures.classNames().size(); c++) {
          json.writeStartObject();
          json.writeStringField("name", figures.classNames().get(c));
          JsonOutput.number(json, "precision", figures.precision(c));
          JsonOutput.number(json, "recall", figures.recall(c));
          JsonOutput.number(json, "f1", figures.f1(c));
          json.writeNumberField("rows", figures.support(c));
          json.writeArrayFieldStart("takenFor");
          for (int predicted = 0; predicted < figures.classNames().size(); predicted++) {
            boolean counted = next != null && next.actual() == c && next.predicted() == predicted;
            json.writeNumber(counted ? next.count() : 0);
            next = counted ? cells.hasNext() ? cells.next() : null : next;
          }
          json.writeEndArray();
          json.writeEndObject();
        }
        json.writeEndArray();
      } else if (scores instanceof RegressionScores figures) {
        JsonOutput.number(json, "r2", figures.r2());
        JsonOutput.number(json, "mae", figures.mae());
        JsonOutput.number(json, "rmse", figures.rmse());
        json.writeArrayFieldStart("targets");
        for (int i = 0; i < figures.targets().size(); i++) {
          RegressionScores.Errors errors = figures.errors().get(i);
          json.writeStartObject();
          json.writeStringField("name", figures.targets().get(i));
          JsonOutput.number(json, "r2", errors.r2());
          JsonOutput.number(json, "mae", errors.mae());
          JsonOutput.number(json, "rmse", errors.rmse());
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      if (hasBaseline(scores)) {
        json.writeObjectFieldStart(ScoreTable.BASELINE);
        for (Metric metric : metrics(scores instanceof ClassificationScores ? Task.CLASSIFICATION : Task.REGRESSION)) {
          if (metric != Metric.LOSS) {
            JsonOutput.number(json, metric.jsonKey(), scores.baseline(metric));
          }
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    });
  }
}
