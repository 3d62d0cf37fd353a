package dev.plumb.report;

import dev.plumb.report.LineChart.Series;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.ScoreTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The page of a {@link RunReport}. */
final class RunPage {
  /** Maximum number of epochs in curves and their table, which then take a few hundred kilobytes. */
  private static final int MAX_ROWS = 1200;

  private static final double ROUNDING_ERROR = 1e-12;

  private final RunReport report;
  private final List<EpochMetrics> epochs;

  RunPage(RunReport report) {
    this.report = report;
    epochs = report.epochs();
  }

  byte[] html() {
    Page page = new Page(report.title(), "Training report");
    page.summary(report.summary());
    page.notes(report.warnings());
    report.divergedAtEpoch().ifPresent(epoch -> page.notes(List.of("The training diverged: from epoch " + Format.whole(epoch)
        + " on, some values are not finite. The curves have gaps there.")));
    if (!epochs.isEmpty()) {
      page.tiles(tiles());
    }
    page.startMain();
    if (epochs.isEmpty()) {
      page.startSection("training", "Training");
      page.html().element("p", "No epoch was completed.").line();
      page.endSection();
    } else {
      report.scores().ifPresent(scores -> drawScores(page, scores));
      drawTraining(page);
      drawGradients(page);
    }
    for (int i = 0; i < report.predictions().size(); i++) {
      PredictionSection.draw(page, report.predictions().get(i), i == 0 ? "" : "-" + report.predictions().get(i).rows());
    }
    report.importance().ifPresent(measured -> new ImportanceSection(measured.importance())
        .draw(page, "Permutation importance on " + measured.rows() + " rows"));
    page.entries("configuration", "Configuration", report.configuration());
    page.entries("manifest", "Manifest", report.manifest());
    return page.finish();
  }

  /** Returns the key numbers of the epoch whose weights were kept; if unknown, of the last epoch with a finite loss. */
  private List<Map.Entry<String, String>> tiles() {
    EpochMetrics last = epochs.get(epochs.size() - 1);
    EpochMetrics kept = epochs.stream()
        .filter(row -> report.keptEpoch().isPresent()
            ? row.epoch() == report.keptEpoch().getAsInt()
            : Double.isFinite(row.trainLoss()))
        .reduce((one, other) -> other)
        .orElse(last);
    List<Map.Entry<String, String>> tiles = new ArrayList<>();
    if (any(EpochMetrics::metric)) {
      tiles.add(Map.entry("validation " + report.metricName(), Format.brief(kept.metric())));
    }
    if (any(EpochMetrics::validationLoss)) {
      tiles.add(Map.entry("validation loss", Format.brief(kept.validationLoss())));
    }
    tiles.add(Map.entry("training loss", Format.brief(kept.trainLoss())));
    tiles.add(Map.entry("epochs", Format.whole(last.epoch())));
    if (kept != last) {
      tiles.add(Map.entry(report.keptEpoch().isPresent() ? "weights of epoch" : "losses of epoch", Format.whole(kept.epoch())));
    }
    tiles.add(Map.entry("training time", Format.seconds(
        epochs.stream().mapToDouble(EpochMetrics::seconds).filter(Double::isFinite).sum())));
    return tiles;
  }

  private static void drawScores(Page page, ScoreTable scores) {
    Markup html = page.html();
    page.startSection("scores", "Scores");
    html.open("div", "class", "card").scrolling("Scores").line();
    html.open("table", "class", "numbers wrapped", "id", "scores-table").line().open("thead").open("tr");
    html.element("th", "rows", "scope", "col");
    scores.metrics().forEach(metric -> html.element("th", metric.heading(), "scope", "col"));
    html.close("thead").line().open("tbody").line();
    for (ScoreTable.Row row : scores.rows()) {
      html.open("tr", "class", row.isBaseline() ? "baseline" : null).element("th", row.name(), "scope", "row");
      for (int i = 0; i < row.values().size(); i++) {
        double value = row.values().get(i);
        // The R² of the mean is 0 except for rounding errors.
        html.element("td", Double.isNaN(value) ? "-" : Format.brief(Math.abs(value) < ROUNDING_ERROR ? 0 : value)
            + (row.deviations().isEmpty() ? "" : " \u00b1 " + Format.brief(row.deviations().get(i))));
      }
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
    html.element("p", String.join(". ", scores.notes().stream().map(GridReport::capitalized).toList()) + ".", "class", "small").line();
    page.endSection();
  }

  private void drawTraining(Page page) {
    record Curve(String heading, String name, ToDoubleFunction<EpochMetrics> value) {}
    List<Curve> curves = new ArrayList<>();
    curves.add(new Curve("training loss", "train", EpochMetrics::trainLoss));
    if (any(EpochMetrics::validationLoss)) {
      curves.add(new Curve("validation loss", "validation", EpochMetrics::validationLoss));
    }
    int losses = curves.size();
    if (any(EpochMetrics::metric)) {
      curves.add(new Curve(report.metricName(), report.metricName(), EpochMetrics::metric));
    }
    curves.add(new Curve("learning rate", "learning rate", EpochMetrics::learningRate));
    curves.add(new Curve("seconds", "seconds", EpochMetrics::seconds));
    List<double[]> values = curves.stream().map(curve -> epochs.stream().mapToDouble(curve.value()).toArray()).toList();
    Thinning thinning = new Thinning(epochs.size(), values, MAX_ROWS,
        IntStream.range(0, epochs.size()).filter(i -> report.keptEpoch().equals(OptionalInt.of(epochs.get(i).epoch()))).toArray());
    double[] x = thinning.of(epochs.stream().mapToDouble(EpochMetrics::epoch).toArray());
    List<Series> series = IntStream.range(0, curves.size())
        .mapToObj(i -> new Series(curves.get(i).name(), i + 1, thinning.of(values.get(i))))
        .toList();

    Markup html = page.html();
    page.startSection("training", "Training");
    html.open("div", "class", "charts").line();
    String table = "epochs-table";
    chart("loss", "Loss", x, series.subList(0, losses), table).draw(html);
    if (any(EpochMetrics::metric)) {
      chart("metric", "Validation " + report.metricName(), x, series.subList(losses, losses + 1), table).linearOnly().draw(html);
    }
    chart("rate", "Learning rate", x, series.subList(series.size() - 2, series.size() - 1), table).linearFirst().draw(html);
    chart("seconds", "Seconds per epoch", x, series.subList(series.size() - 1, series.size()), table).linearOnly().draw(html);
    html.close("div").line();
    html.element("p", "Loss: " + report.lossName() + ". The training loss of an epoch is the mean over its steps, each before its update."
        + (report.keptEpoch().isPresent() ? " The weights kept are those after epoch " + Format.whole(report.keptEpoch().getAsInt())
            + "; the numbers below the charts are of this epoch." : ""), "class", "small").line();
    List<String> heads = new ArrayList<>(List.of("epoch"));
    curves.forEach(curve -> heads.add(curve.heading()));
    new NumberTable(table, "Table of epochs", heads, x, series.stream().map(Series::values).toList())
        .draw(html, thinning.note("epochs"));
    page.endSection();
  }

  private LineChart chart(String id, String title, double[] x, List<Series> series, String table) {
    return new LineChart(id, title, "epoch", x, series, table)
        .mark(report.keptEpoch(), "weights kept: epoch " + report.keptEpoch().orElse(0))
        .notFiniteFrom(report.divergedAtEpoch());
  }

  private void drawGradients(Page page) {
    List<EpochMetrics> rows = epochs.stream().filter(row -> row.gradientNorms().length == report.layers()).toList();
    if (rows.isEmpty() || report.layers() == 0) {
      return;
    }
    double[][] norms = rows.stream().map(EpochMetrics::gradientNorms).toArray(double[][]::new);
    int layers = norms[0].length;
    List<String> names = report.layerNames().size() == layers
        ? report.layerNames()
        : IntStream.range(0, layers).mapToObj(i -> i == layers - 1 ? "output" : "layer " + (i + 1)).toList();
    Markup html = page.html();
    page.startSection("gradients", "Gradient norms by layer");
    GradientEnds ends = new GradientEnds(rows);
    html.element("p", ends.sentence(), "id", "gradient-sentence", "class", "finding").line();
    html.open("div", "class", "charts").line();
    HeatMap map = new HeatMap("gradients-map", rows.stream().mapToInt(EpochMetrics::epoch).toArray(), norms, names);
    map.draw(html, "Gradient norm by layer and epoch", ends.sentence());
    double[] x = IntStream.rangeClosed(1, layers).mapToDouble(i -> i).toArray();
    List<Series> profile = List.of(new Series("start", 1, ends.start()), new Series("end", 2, ends.end()));
    if (layers > 1) {
      new LineChart("gradients-profile", "Gradient norm by depth", "layer", x, profile, "profile-table").withPoints().draw(html);
    }
    html.close("div").line();
    map.drawTable(html, "Table of gradient norms by epoch");
    if (layers > 1) {
      new NumberTable("profile-table", "Table of gradient norms by depth", List.of("layer", "start", "end"), x,
          profile.stream().map(Series::values).toList()).draw(html, ends.note());
    }
    html.element("p", "Frobenius norms of the weight gradients in the last step of each epoch. " + ends.note(), "class",
        "small").line();
    page.endSection();
  }

  private boolean any(ToDoubleFunction<EpochMetrics> value) {
    return epochs.stream().mapToDouble(value).anyMatch(number -> !Double.isNaN(number));
  }
}
