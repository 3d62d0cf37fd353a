package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.json.JsonOutput;
import dev.plumb.random.NumpyRandom;
import dev.plumb.report.HtmlReport;
import dev.plumb.report.ImportanceReport;
import dev.plumb.store.AtomicFile;
import dev.plumb.study.PermutationImportance;
import dev.plumb.train.Importance;
import dev.plumb.train.ImportanceOptions;
import dev.plumb.train.Metric;
import dev.plumb.train.PermutedScoring;
import dev.plumb.train.TablePredictor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb importance}: measures how much a trained model needs each column. */
final class ImportanceCommand implements Command {
  private static final Option REPEATS = Flags.meaning(Flags.REPEATS, "N",
      "Number of permutations of each column (default: " + ImportanceOptions.DEFAULT.repeats() + ").");
  private static final Option SEED = Flags.meaning(Flags.SEED, "N",
      "Random seed of the permutations, 0 to 4294967295 (default: " + ImportanceOptions.DEFAULT.seed() + ").");
  private static final int MAX_PRINTED = 50;
  private static final int BAR_WIDTH = 20;

  private final DeviceChoice devices;

  ImportanceCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "importance";
  }

  @Override
  public String summary() {
    return "Measure how much a trained model needs each column";
  }

  @Override
  public String usage() {
    return "MODEL DATA [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors. DATA has the columns of the training data in any
        order, and labels; - stands for standard input. Rows that were not seen in training say what
        matters for new rows.

        The permutation importance of a column is the decrease of the model's score when the values of
        this column are permuted among the rows, as in scikit-learn: its mean over --repeats permutations,
        and the 95 % confidence interval of this mean. It is 0 for a column that the model ignores. Columns
        that contain the same information share their importance, or hide it.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb importance runs/iris-1 more-irises.csv
        plumb importance runs/iris-1 more-irises.csv --metric log_loss --report importance.html
        """;
  }

  @Override
  public Options options() {
    List<Option> options = new ArrayList<>(List.of(REPEATS, Flags.METRIC, SEED,
        Flags.meaning(Flags.WEIGHT, "COL", "Column with the weight of each row in the metric.")));
    Collection<Option> common = ScoringInput.options(Flags.JSON, Flags.REPORT).getOptions();
    common.stream().filter(option -> !List.of(Flags.QUIET, Flags.HELP, Flags.VERSION).contains(option)).forEach(options::add);
    return Flags.options(options.toArray(Option[]::new));
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Optional<Path> json = arguments.path(Flags.JSON);
    Optional<Path> report = arguments.path(Flags.REPORT);
    ImportanceOptions options = options(arguments);
    ScoringInput input = ScoringInput.read(arguments, true, Flags.JSON, Flags.REPORT);
    Table table = input.table();
    Metric metric = arguments.at(Flags.METRIC, () -> options.metric(input.model().encoding().task()));
    try (Backends.Selection device = devices.open(arguments, err);
        TablePredictor predictor = input.predictor(device, DeviceChoice.onNote(arguments, err))) {
      PermutedScoring scoring = input.atData(() -> predictor.permuted(metric, table, options.weights()));
      Importance importance = importance(input, scoring, options, arguments.has(Flags.QUIET), err);
      out.println(DeviceChoice.line(device));
      out.println(TerminalText.sanitize("data: " + input.data() + ", " + table.rows() + " rows"));
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(input.model().encoding().unknownCategories(table), "", err);
        MissingNote.other(input.model().encoding().replaced(table), "", err);
      }
      print(importance, out);
      out.flush();
      json.ifPresent(file -> AtomicFile.write(file, stream -> write(importance, stream)));
      report.ifPresent(file -> AtomicFile.write(file, stream -> HtmlReport.write(
          new ImportanceReport(input.data().getFileName().toString(), importance, DeviceChoice.manifest(device.backend().device(), "importance", arguments)), stream)));
    }
    return ExitCode.DONE;
  }

  private static ImportanceOptions options(Arguments arguments) {
    int repeats = (int) arguments.integer(REPEATS, ImportanceOptions.DEFAULT.repeats(), 1, ImportanceOptions.MAX_REPEATS);
    long seed = arguments.integer(SEED, ImportanceOptions.DEFAULT.seed(), 0, NumpyRandom.MAX_SEED);
    Optional<Metric> metric = arguments.text(Flags.METRIC).map(key -> arguments.at(Flags.METRIC, () -> Metric.of(key)));
    return new ImportanceOptions(metric, repeats, seed, TrainRequest.weights(arguments, RowWeights.NONE));
  }

  private static Importance importance(ScoringInput input, PermutedScoring scoring, ImportanceOptions options, boolean quiet,
      PrintStream err) {
    long total = (long) scoring.features().size() * options.repeats();
    try (ProgressLine line = ProgressLine.open("permutations", 0, total, quiet, err)) {
      return input.atData(() -> PermutationImportance.of(scoring, options.repeats(), options.seed(), line::done));
    }
  }

  private static void print(Importance importance, PrintStream out) {
    out.println(importance.metric().label() + ": " + Decimal.fixed(importance.score(), 6));
    out.println("repeats: " + importance.repeats() + ", seed " + importance.seed());
    out.println();
    double largest = importance.columns().get(0).mean();
    TextTable table = new TextTable().left("column").right("importance").right("95% low").right("95% high").left("");
    for (Importance.Column column : importance.columns().subList(0, Math.min(MAX_PRINTED, importance.columns().size()))) {
      int bar = column.mean() > 0 ? (int) Math.round(BAR_WIDTH * column.mean() / largest) : 0;
      table.row(List.of(column.name(), Decimal.fixed(column.mean(), 4), Decimal.orDash(column.low(), 4),
          Decimal.orDash(column.high(), 4), "#".repeat(bar)));
    }
    table.print(out);
    if (importance.columns().size() > MAX_PRINTED) {
      out.println((importance.columns().size() - MAX_PRINTED) + " less important columns are not shown; --json writes all");
    }
  }

  private static void write(Importance importance, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeNumberField("rows", importance.rows());
      json.writeStringField("metric", importance.metric().key());
      JsonOutput.number(json, "score", importance.score());
      json.writeNumberField("repeats", importance.repeats());
      json.writeNumberField("seed", importance.seed());
      json.writeArrayFieldStart("columns");
      for (Importance.Column column : importance.columns()) {
        json.writeStartObject();
        json.writeStringField("name", column.name());
        JsonOutput.number(json, "mean", column.mean());
        JsonOutput.number(json, "deviation", column.deviation());
        JsonOutput.number(json, "low", column.low());
        JsonOutput.number(json, "high", column.high());
        JsonOutput.numbers(json, "values", column.values().stream().mapToDouble(Double::doubleValue).toArray());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }
}
