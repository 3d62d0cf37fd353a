package dev.plumb.cli;

import dev.plumb.data.FoldOptions;
import dev.plumb.data.Task;
import dev.plumb.study.CrossValidation;
import dev.plumb.study.CrossValidationResult;
import dev.plumb.study.CrossValidationSpec;
import dev.plumb.study.FoldResult;
import dev.plumb.study.Summary;
import dev.plumb.train.Metric;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainingRequest;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/** The description of a cross-validation: before it starts and at its end. */
final class CvSummary {
  private static final List<Metric> CLASS_METRICS =
      List.of(Metric.LOSS, Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.MACRO_F1, Metric.ROC_AUC);
  private static final List<Metric> NUMBER_METRICS = List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE);

  /** The maximum number of diverged networks that are named; the others are counted. */
  private static final int MAX_NAMED = 10;

  private CvSummary() {}

  static void printHead(String device, TrainingRequest request, CrossValidation validation, PrintStream out) {
    out.println(device);
    CrossValidationSpec spec = validation.spec();
    out.println(DataLine.of(request.data().toString(), request.config(), validation));
    FoldOptions folds = spec.folds();
    boolean classes = spec.config().columns().task().orElseThrow() == Task.CLASSIFICATION;
    String kind = folds.group().map(name -> "by group \"" + name + "\"").or(() -> folds.time().map(name -> "by time \"" + name + "\""))
        .orElse(classes ? "stratified by class" : "random");
    out.println(TerminalText.sanitize("folds: " + folds.folds() + ", " + kind
        + (folds.repeats() > 1 ? ", " + folds.repeats() + " repeats" : "") + (spec.seeds() > 1 ? ", " + spec.seeds() + " seeds" : "")
        + (folds.time().isPresent() ? "" : ", seed " + spec.foldSeed())
        + TrainSummary.dropped(validation.droppedRows(), request.config())));
    out.println(TrainSummary.network(validation.first()));
    out.println();
  }

  static void printScores(CrossValidationResult result, PrintStream out) {
    boolean repeats = result.repeats() > 1;
    boolean seeds = result.seeds() > 1;
    List<Metric> metrics = result.task() == Task.CLASSIFICATION ? CLASS_METRICS : NUMBER_METRICS;
    TextTable table = new TextTable();
    if (repeats) {
      table.left("repeat");
    }
    table.left("fold");
    if (seeds) {
      table.right("seed");
    }
    table.right("train").right("test");
    metrics.forEach(metric -> table.right(result.task() == Task.CLASSIFICATION ? metric.label() : metric.key()));
    for (FoldResult run : result.results()) {
      List<String> cells = new ArrayList<>();
      if (repeats) {
        cells.add(Integer.toString(run.repeat()));
      }
      cells.add(Integer.toString(run.number()));
      if (seeds) {
        cells.add(Long.toString(run.seed()));
      }
      cells.add(Integer.toString(run.trainingSize()));
      cells.add(Integer.toString(run.testSize()));
      metrics.forEach(metric -> cells.add(Decimal.orDash(run.score(metric), 4)));
      table.row(cells);
    }
    int empty = 2 + (repeats ? 1 : 0) + (seeds ? 1 : 0);
    printRow("mean", empty, result, metrics, Summary::mean, table);
    printRow("sd", empty, result, metrics, Summary::deviation, table);
    printRow("95% low", empty, result, metrics, Summary::low, table);
    printRow("95% high", empty, result, metrics, Summary::high, table);
    List<String> baseline = new ArrayList<>(List.of(ScoreTable.BASELINE));
    for (int i = 0; i < empty; i++) {
      baseline.add("");
    }
    metrics.forEach(metric -> baseline.add(Decimal.orDash(result.baseline(metric), 4)));
    table.row(baseline);
    table.print(out);
    out.println();
    out.println(result.units());
    out.println(ScoreTable.BASELINE + ": " + result.baselineName());
  }

  private static void printRow(String name, int empty, CrossValidationResult result, List<Metric> metrics,
      ToDoubleFunction<Summary> figure, TextTable table) {
    List<String> cells = new ArrayList<>(List.of(name));
    for (int i = 0; i < empty; i++) {
      cells.add("");
    }
    metrics.forEach(metric -> cells.add(Decimal.orDash(figure.applyAsDouble(result.summary(metric)), 4)));
    table.row(cells);
  }

  static void reportDiverged(CrossValidationResult result, PrintStream err) {
    double rate = result.spec().config().trainer().training().learningRate();
    result.results().stream().filter(FoldResult::isDiverged).limit(MAX_NAMED).forEach(run -> err.println("plumb cv: "
        + (result.repeats() > 1 ? "repeat " + run.repeat() + ", " : "") + "fold " + run.number()
        + (result.seeds() > 1 ? ", seed " + run.seed() : "") + ": training diverged"
        + (run.scores().isPresent() ? "; its scores are those of epoch " + run.bestEpoch() : "; it has no scores")
        + "; try --lr below " + rate + " or --clip-norm 1"));
    if (result.diverged() > MAX_NAMED) {
      err.println("plumb cv: " + (result.diverged() - MAX_NAMED) + " more trainings diverged");
    }
  }

  /** Returns the configuration by its JSON keys, and the folds. */
  static SortedMap<String, String> configuration(TrainingRequest request, CrossValidationResult result) {
    SortedMap<String, String> configuration = new TreeMap<>(TrainConfigJson.lines(result.spec().config()));
    FoldOptions folds = result.spec().folds();
    configuration.put("data", request.data().toString());
    configuration.put("folds", Integer.toString(folds.folds()));
    configuration.put("repeats", Integer.toString(folds.repeats()));
    configuration.put("seeds", Integer.toString(result.seeds()));
    folds.group().ifPresent(name -> configuration.put("group", name));
    folds.time().ifPresent(name -> configuration.put("time", name));
    return configuration;
  }
}
