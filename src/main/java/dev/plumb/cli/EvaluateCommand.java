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
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb evaluate}: evaluates a trained model on labeled rows. */
final class EvaluateCommand implements Command {
  /** The maximum number of classes in a printed confusion matrix; with more, only the most frequent errors are listed. */
  private static final int MAX_TABLE_CLASSES = 100;
  private static final int MAX_ERRORS = 20;

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
        squared error.
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
        TablePredictor predictor = input.predictor(device)) {
      RowWeights weights = TrainRequest.weights(arguments, RowWeights.NONE);
      Scores scores = input.atData(() -> predictor.score(table, weights));
      out.println(DeviceChoice.line(device));
      out.println(TerminalText.sanitize("data: " + input.data() + ", " + table.rows() + " rows"));
      out.println();
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(input.model().encoding(), table, "", err);
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
      printConfusion(figures, out);
    } else if (scores instanceof RegressionScores figures) {
      out.println("loss      " + Decimal.fixed(scores.loss(), 6));
      out.println();
      TextTable table = new TextTable().left("target").right("r2").right("mae").right("rmse");
      for (int i = 0; i < figures.targets().size(); i++) {
        RegressionScores.Errors errors = figures.errors().get(i);
        table.row(List.of(figures.targets().get(i), Decimal.fixed(errors.r2(), 4), Decimal.fixed(errors.mae(), 4),
            Decimal.fixed(errors.rmse(), 4)));
      }
      if (figures.targets().size() > 1) {
        table.row(List.of("(mean)", Decimal.fixed(figures.r2(), 4), Decimal.fixed(figures.mae(), 4),
            Decimal.fixed(figures.rmse(), 4)));
      }
      table.print(out);
    }
  }

  private static void printMetrics(ClassificationScores figures, PrintStream out) {
    List<Metric> metrics = Arrays.stream(Metric.values()).filter(metric -> metric.appliesTo(Task.CLASSIFICATION)).toList();
    int width = metrics.stream().mapToInt(metric -> metric.label().length()).max().orElse(0);
    for (Metric metric : metrics) {
      double value = figures.value(metric);
      String label = metric.label();
      out.println(label + " ".repeat(width - label.length() + 2) + (Double.isNaN(value) ? "-" : Decimal.fixed(value, 6)));
    }
  }

  private static void printConfusion(ClassificationScores figures, PrintStream out) {
    List<String> names = figures.classNames();
    if (names.size() > MAX_TABLE_CLASSES) {
      List<ConfusionMatrix.Cell> errors = figures.confusion().cells().stream().filter(cell -> cell.actual() != cell.predicted())
          .sorted(Comparator.comparingLong((ConfusionMatrix.Cell cell) -> -cell.count())).limit(MAX_ERRORS).toList();
      TextTable table = new TextTable().left("actual").left("predicted").right("rows");
      errors.forEach(cell -> table.row(
          List.of(names.get(cell.actual()), names.get(cell.predicted()), Long.toString(cell.count()))));
      out.println("most frequent errors:");
      table.print(out);
      return;
    }
    TextTable table = new TextTable().left("actual \\ predicted");
    names.forEach(name -> table.right(TerminalText.sanitize(name)));
    long[][] counts = figures.confusion().table();
    for (int c = 0; c < names.size(); c++) {
      List<String> cells = new ArrayList<>(List.of(names.get(c)));
      for (long count : counts[c]) {
        cells.add(Long.toString(count));
      }
      table.row(cells);
    }
    table.print(out);
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
      json.writeEndObject();
    });
  }
}
