package dev.plumb.report;

import dev.plumb.report.LineChart.Look;
import dev.plumb.report.LineChart.Series;
import dev.plumb.study.RunComparison;
import dev.plumb.study.RunScore;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The report of a comparison of runs: their scores, the configuration keys that differ, and their curves over each other. */
public final class ComparisonReport {
  /** Maximum number of epochs in curves and their table. */
  private static final int MAX_ROWS = 600;
  private static final String TABLE = "epochs-table";

  private final RunComparison comparison;
  private final String version;
  private final List<RunRecord> runs;
  private final Metric main;

  /** @param version of Plumb */
  public ComparisonReport(RunComparison comparison, String version) {
    this.comparison = comparison;
    this.version = version;
    runs = comparison.runs();
    main = comparison.main();
  }

  /** Writes the page as HTML; leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page("Comparison of " + runs.size() + " runs", "Comparison");
    page.summary(List.of(String.join(", ", comparison.names()) + "."));
    page.notes(comparison.warnings().stream().map(text -> GridReport.capitalized(text) + ".").toList());
    page.startMain();
    drawScores(page);
    drawDifferences(page);
    drawCurves(page);
    drawRuns(page);
    page.entries("manifest", "Manifest", new TreeMap<>(Map.of("plumb", version)));
    out.write(page.finish());
  }

  private String label(int run) {
    return (run + 1) + " " + comparison.names().get(run);
  }

  private static void endTable(Markup html) {
    html.close("table").close("div").close("div").line();
  }

  private void drawScores(Page page) {
    Markup html = page.html();
    page.startSection("scores", "Scores");
    List<List<RunScore>> scores = runs.stream().map(RunScore::of).toList();
    IntervalChart chart = new IntervalChart("intervals", main,
        IntStream.range(0, runs.size()).mapToObj(i -> interval(i, scores.get(i).stream().findFirst())).toList(), List.of(),
        "The numbers are those of the legend. The rows of each score are in the table.");
    if (chart.isDrawn()) {
      html.open("div", "class", "charts").line();
      chart.draw(html);
      html.close("div").line();
    }
    LineChart.drawLooks(html, IntStream.range(0, runs.size()).mapToObj(i -> new Look("pair s" + i, label(i))).toList());
    List<String> heads = new ArrayList<>(List.of("run", "rows"));
    comparison.metrics().forEach(metric -> heads.add(metric.heading()));
    heads.addAll(List.of("95 % interval", "baseline"));
    Page.openTable(html, "scores-table", "", heads);
    for (int i = 0; i < runs.size(); i++) {
      for (RunScore score : scores.get(i)) {
        html.open("tr").element("th", label(i), "scope", "row").element("td", score.rows());
        comparison.metrics().forEach(metric -> html.element("td", Format.score(score.value(metric))));
        html.element("td", IntervalChart.interval(score.low(), score.high())).element("td", Format.score(score.baseline()));
        html.close("tr").line();
      }
    }
    endTable(html);
    html.element("p", String.join(". ", comparison.notes().stream().map(GridReport::capitalized).toList()) + ".", "class", "small")
        .line();
    page.endSection();
  }

  private IntervalChart.Row interval(int run, Optional<RunScore> score) {
    return new IntervalChart.Row(Integer.toString(run + 1), "s" + run, comparison.names().get(run),
        score.map(of -> of.value(main)).orElse(Double.NaN), score.map(RunScore::low).orElse(Double.NaN),
        score.map(RunScore::high).orElse(Double.NaN));
  }

  private void drawDifferences(Page page) {
    Markup html = page.html();
    page.startSection("differences", "Differences");
    List<RunComparison.Difference> differences = comparison.differences();
    if (differences.isEmpty()) {
      html.element("p", "The runs have the same data and configuration.").line();
    } else {
      drawDifferences(html, differences);
    }
    page.endSection();
  }

  /** Draws a row per key, or a row per run if there are many runs. */
  private void drawDifferences(Markup html, List<RunComparison.Difference> differences) {
    boolean byKey = runs.size() <= RunComparison.MAX_COLUMNS;
    List<List<String>> table = new ArrayList<>();
    table.add(Stream.concat(Stream.of(byKey ? "configuration" : "run"), IntStream.range(0, runs.size()).mapToObj(this::label)).toList());
    differences.forEach(of -> table.add(Stream.concat(Stream.of(of.key()), of.values().stream()).toList()));
    List<List<String>> rows = byKey ? table : IntStream.rangeClosed(0, runs.size())
        .mapToObj(column -> table.stream().map(row -> row.get(column)).toList()).toList();
    Page.openTable(html, "differences-table", " differences", rows.get(0));
    for (List<String> row : rows.subList(1, rows.size())) {
      html.open("tr").element("th", row.get(0), "scope", "row");
      row.subList(1, row.size()).forEach(value -> html.element("td", Page.cut(value)));
      html.close("tr").line();
    }
    endTable(html);
  }

  private void drawRuns(Page page) {
    Markup html = page.html();
    page.startSection("runs", "Runs");
    Page.openTable(html, "runs-table", " differences",
        List.of("run", "network", "parameters", "state", "best epoch", "training time", "device"));
    for (int i = 0; i < runs.size(); i++) {
      RunRecord run = runs.get(i);
      html.open("tr").element("th", label(i), "scope", "row").element("td", run.network())
          .element("td", run.parameters().isPresent() ? Format.whole(run.parameters().getAsInt()) : "-")
          .element("td", run.status().label())
          .element("td", Format.whole(run.bestEpoch()) + " of " + Format.whole(run.history().size()))
          .element("td", Format.seconds(run.seconds())).element("td", run.device()).close("tr").line();
    }
    endTable(html);
    page.endSection();
  }

  /**
   * A curve.
   *
   * @param name number of the run and quantity: "2 training loss"
   */
  private record Curve(String name, Look look, double[] values) {}

  private record Chart(String id, String title, List<Curve> curves) {}

  /** Draws the losses of all runs in one chart, and each metric of their validation rows in another. */
  private void drawCurves(Page page) {
    int epochs = runs.stream().mapToInt(run -> run.history().size()).max().orElse(0);
    if (epochs == 0) {
      return;
    }
    List<Chart> charts = new ArrayList<>();
    charts.add(new Chart("loss", "Loss", IntStream.range(0, runs.size()).boxed().flatMap(i -> losses(i, epochs)).toList()));
    Set<Metric> metrics = runs.stream().filter(ComparisonReport::isValidated).map(RunRecord::metric)
        .collect(Collectors.toCollection(TreeSet::new));
    for (Metric metric : metrics) {
      charts.add(new Chart("metric-" + metric.key(), "Validation " + metric.label(), IntStream.range(0, runs.size())
          .filter(i -> isValidated(runs.get(i)) && runs.get(i).metric() == metric)
          .mapToObj(i -> curve(i, metric.label(), "pair", true, epochs, EpochMetrics::metric)).toList()));
    }
    List<Curve> curves = charts.stream().flatMap(chart -> chart.curves().stream()).toList();
    Thinning thinning = new Thinning(epochs, curves.stream().map(Curve::values).toList(), MAX_ROWS);
    double[] x = thinning.of(IntStream.rangeClosed(1, epochs).asDoubleStream().toArray());
    List<Series> series = IntStream.range(0, curves.size())
        .mapToObj(i -> new Series(curves.get(i).name(), i + 1, thinning.of(curves.get(i).values()))).toList();

    Markup html = page.html();
    page.startSection("curves", "Curves");
    html.open("div", "class", "charts").line();
    int from = 0;
    for (Chart chart : charts) {
      int to = from + chart.curves().size();
      LineChart lines = new LineChart(chart.id(), chart.title(), "epoch", x, series.subList(from, to), TABLE).withShortLabels()
          .withLooks(chart.curves().stream().map(Curve::look).toList());
      (from == 0 ? lines : lines.linearOnly()).draw(html);
      from = to;
    }
    html.close("div").line();
    LineChart.drawLooks(html, IntStream.range(0, runs.size()).mapToObj(i -> new Look("pair s" + i, label(i))).toList());
    html.element("p", "Solid lines: validation rows. Dashed lines: training rows; the training loss of an epoch is the mean over"
        + " its steps, each before its update.", "class", "small").line();
    List<String> heads = new ArrayList<>(List.of("epoch"));
    curves.forEach(curve -> heads.add(curve.name()));
    new NumberTable(TABLE, "Table of epochs", heads, x, series.stream().map(Series::values).toList()).emptyWithoutValue()
        .draw(html, thinning.note("epochs"));
    page.endSection();
  }

  /** Returns the curves of a run's losses: of the training rows, and of the validation rows if there are any. */
  private Stream<Curve> losses(int run, int epochs) {
    boolean validated = isValidated(runs.get(run));
    Curve training = curve(run, "training loss", "pair train", !validated, epochs, EpochMetrics::trainLoss);
    return validated ? Stream.of(training, curve(run, "validation loss", "pair", true, epochs, EpochMetrics::validationLoss))
        : Stream.of(training);
  }

  /** Returns a curve with NaN after the last epoch of the run. */
  private Curve curve(int run, String what, String style, boolean labeled, int epochs, ToDoubleFunction<EpochMetrics> value) {
    double[] values = new double[epochs];
    Arrays.fill(values, Double.NaN);
    List<EpochMetrics> history = runs.get(run).history();
    for (int i = 0; i < history.size(); i++) {
      values[i] = value.applyAsDouble(history.get(i));
    }
    String number = Integer.toString(run + 1);
    return new Curve(number + " " + what, new Look(style + " s" + run, labeled ? number : ""), values);
  }

  private static boolean isValidated(RunRecord run) {
    return run.history().stream().anyMatch(epoch -> Double.isFinite(epoch.validationLoss()));
  }
}
