package dev.plumb.report;

import dev.plumb.report.RunReport.Target;
import dev.plumb.study.CrossValidationResult;
import dev.plumb.study.FoldResult;
import dev.plumb.study.Summary;
import dev.plumb.train.Metric;
import dev.plumb.train.ScoreTable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.ToDoubleFunction;

/** The report of a cross-validation: scores of each fold, mean and interval, and out-of-fold predictions. */
public final class CrossValidationReport {
  private static final int MAX_LISTED = 500;
  private static final int MAX_TARGETS = 4;

  private final String title;
  private final CrossValidationResult result;
  private final List<String> leaks;
  private final SortedMap<String, String> configuration;
  private final SortedMap<String, String> manifest;
  private final List<Metric> metrics;

  /**
   * @param leaks names of the features that determine a target exactly
   * @param configuration keys and values as the user would write them
   * @param manifest versions, device, the command
   */
  public CrossValidationReport(String title, CrossValidationResult result, List<String> leaks,
      SortedMap<String, String> configuration, SortedMap<String, String> manifest) {
    this.title = title;
    this.result = result;
    this.leaks = leaks;
    this.configuration = configuration;
    this.manifest = manifest;
    metrics = result.metrics();
  }

  /** Writes the page as HTML; leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page(title, "Cross-validation");
    leaks.forEach(name -> page.notes(List.of("Column \"" + name + "\" determines the target exactly. If it would not be known when"
        + " predicting, leave it out with --exclude.")));
    if (result.diverged() > 0) {
      page.notes(List.of(Format.whole(result.diverged()) + " of " + Format.whole(result.results().size())
          + " trainings diverged. Those without scores are not in the means."));
    }
    Metric main = main();
    Summary summary = result.summary(main);
    List<Map.Entry<String, String>> tiles = new ArrayList<>();
    tiles.add(Map.entry("mean " + main.label(), Format.score(summary.mean())));
    tiles.add(Map.entry("95 % interval", summary.count() < 2 ? "-" : Format.brief(summary.low()) + " to "
        + Format.brief(summary.high())));
    tiles.add(Map.entry("folds", Format.whole(result.folds())));
    if (result.repeats() > 1) {
      tiles.add(Map.entry("repeats", Format.whole(result.repeats())));
    }
    if (result.seeds() > 1) {
      tiles.add(Map.entry("seeds", Format.whole(result.seeds())));
    }
    tiles.add(Map.entry("rows", Format.whole(result.rows())));
    tiles.add(Map.entry("training time", Format.seconds(result.results().stream().mapToDouble(FoldResult::seconds).sum())));
    page.tiles(tiles);
    page.startMain();
    drawScores(page);
    drawPredictions(page);
    page.entries("configuration", "Configuration", configuration);
    page.entries("manifest", "Manifest", manifest);
    out.write(page.finish());
  }

  private Metric main() {
    return result.classNames().isEmpty() ? Metric.R2 : Metric.ACCURACY;
  }

  private void drawScores(Page page) {
    Markup html = page.html();
    page.startSection("scores", "Scores");
    html.open("div", "class", "charts").line();
    for (Metric metric : List.of(main(), Metric.LOSS)) {
      new FoldChart("folds-" + metric.key(), metric.label(), values(metric), result.summary(metric)).draw(html);
    }
    html.close("div").line();
    html.open("div", "class", "card").scrolling("Scores").line();
    html.open("table", "class", "numbers wrapped", "id", "scores-table").line().open("thead").open("tr");
    List<String> heads = new ArrayList<>(List.of("fold", "train", "test", "best epoch"));
    metrics.forEach(metric -> heads.add(metric.heading()));
    heads.forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
    result.results().stream().limit(MAX_LISTED).forEach(run -> drawRow(html, run));
    html.close("tbody").line().open("tfoot").line();
    drawSummary(html, "mean", Summary::mean);
    drawSummary(html, "standard deviation", Summary::deviation);
    drawSummary(html, "95 % interval, from", Summary::low);
    drawSummary(html, "95 % interval, to", Summary::high);
    html.open("tr", "class", "baseline").element("th", ScoreTable.BASELINE, "scope", "row").element("td", "").element("td", "")
        .element("td", "");
    metrics.forEach(metric -> html.element("td", Format.score(result.baseline(metric))));
    html.close("tr").line();
    html.close("tfoot").line().close("table").close("div").close("div").line();
    html.element("p", "Each row is a network that was trained without the rows of its fold. The interval of the mean is Student's."
        + " Folds share training rows, so it is too narrow. " + GridReport.capitalized(ScoreTable.BASELINE) + ": "
        + result.baselineName() + ". " + GridReport.capitalized(result.units()) + "."
        + (result.results().size() > MAX_LISTED ? " Only the first " + MAX_LISTED + " of " + Format.whole(result.results().size())
            + " networks are listed; --json writes all." : ""), "class", "small").line();
    page.endSection();
  }

  private double[] values(Metric metric) {
    return result.results().stream().mapToDouble(run -> run.score(metric)).toArray();
  }

  private void drawRow(Markup html, FoldResult run) {
    html.open("tr").element("th", label(run), "scope", "row").element("td", Format.whole(run.trainingSize()))
        .element("td", Format.whole(run.testSize())).element("td", run.bestEpoch() == 0 ? "-" : Format.whole(run.bestEpoch()));
    metrics.forEach(metric -> html.element("td", Format.score(run.score(metric))));
    html.close("tr").line();
  }

  private String label(FoldResult run) {
    return (result.repeats() > 1 ? run.repeat() + "." : "") + run.number()
        + (result.seeds() > 1 ? ", seed " + run.seed() : "") + (run.isDiverged() ? " (diverged)" : "");
  }

  private void drawSummary(Markup html, String name, ToDoubleFunction<Summary> value) {
    html.open("tr").element("th", name, "scope", "row").element("td", "").element("td", "").element("td", "");
    metrics.forEach(metric -> html.element("td", Format.score(value.applyAsDouble(result.summary(metric)))));
    html.close("tr").line();
  }

  private void drawPredictions(Page page) {
    if (result.results().stream().noneMatch(run -> run.predictions().isPresent())) {
      return;
    }
    Markup html = page.html();
    page.startSection("predictions", "Out-of-fold predictions");
    if (result.results().size() > result.folds()) {
      html.element("p", "A row counts once for each repeat and seed.", "class", "small").line();
    }
    if (!result.classNames().isEmpty()) {
      new ConfusionTable(result.classNames(), result.confusion()).draw(html, "out-of-fold", "confusion");
    } else {
      List<String> names = result.targetNames();
      html.open("div", "class", "charts").line();
      for (int i = 0; i < Math.min(MAX_TARGETS, names.size()); i++) {
        Scatter scatter = new Scatter("scatter-" + i, new Target(names.get(i), result.truth(i), result.predicted(i)));
        scatter.draw(html);
        scatter.drawTable(html);
      }
      html.close("div").line();
      if (names.size() > MAX_TARGETS) {
        html.element("p", "Only the first " + MAX_TARGETS + " of " + names.size() + " targets are shown.", "class", "small").line();
      }
    }
    page.endSection();
  }
}
