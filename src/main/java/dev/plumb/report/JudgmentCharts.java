package dev.plumb.report;

import dev.plumb.report.UnitChart.Series;
import dev.plumb.train.ClassCurve;
import dev.plumb.train.ClassJudgment;
import dev.plumb.train.Reliability;
import dev.plumb.train.Thresholds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** The charts of predicted probabilities: ROC and precision-recall curves, reliability and, for two classes, thresholds. */
final class JudgmentCharts {
  private static final int MAX_CURVES = 6;
  private static final int MAX_POINTS = 400;
  private static final int MAX_LISTED = 500;
  private static final int PERCENT = 100;
  private static final int MAX_NAME = 18;

  private final List<String> names;
  private final ClassJudgment judgment;
  private final OptionalDouble threshold;
  private final String suffix;

  /**
   * @param names of the classes
   * @param threshold that decides between two classes; empty if the most probable class is predicted
   * @param suffix of the ids, which must be unique on the page
   */
  JudgmentCharts(List<String> names, ClassJudgment judgment, OptionalDouble threshold, String suffix) {
    this.names = names;
    this.judgment = judgment;
    this.threshold = threshold;
    this.suffix = suffix;
  }

  void draw(Markup html) {
    List<ClassCurve> curves = judgment.curves();
    html.open("div", "class", "charts").line();
    drawCurves(html, curves);
    drawReliability(html);
    judgment.thresholds().ifPresent(thresholds -> drawThresholds(html, thresholds));
    html.close("div").line();
    drawBins(html);
    judgment.thresholds().ifPresent(thresholds -> drawThresholdTable(html, thresholds));
    if (curves.size() > 1) {
      drawAreas(html, curves);
    }
  }

  private void drawCurves(Markup html, List<ClassCurve> curves) {
    List<ClassCurve> shown = curves.stream()
        .sorted(Comparator.comparingDouble(curve -> Double.isNaN(curve.rocAuc()) ? Double.POSITIVE_INFINITY : curve.rocAuc()))
        .limit(MAX_CURVES).sorted(Comparator.comparingInt(ClassCurve::classIndex)).map(curve -> curve.thinned(MAX_POINTS)).toList();
    String rest = shown.size() < curves.size()
        ? " The " + MAX_CURVES + " of " + Format.whole(curves.size()) + " classes with the smallest areas under the ROC curve are shown."
        : "";
    String of = curves.size() == 1 ? " of class " + name(1) : " of each class against the rest";
    new UnitChart("roc" + suffix, "ROC curve", "false positive rate", "true positive rate", shown.stream().map(curve ->
        new Series(label(curve, curve.rocAuc()), curve.falsePositiveRates(), curve.recalls())).toList(),
        "Area" + of + ": " + areas(shown, true) + "." + rest).withDiagonal().draw(html);
    new UnitChart("precision-recall" + suffix, "Precision-recall curve", "recall", "precision", shown.stream().map(curve ->
        new Series(label(curve, curve.averagePrecision()), curve.recalls(), curve.precisions())).toList(),
        "Average precision" + of + ": " + areas(shown, false) + "." + rest).draw(html);
  }

  private String areas(List<ClassCurve> curves, boolean roc) {
    return String.join(", ", curves.stream().map(curve -> {
      String area = Format.score(roc ? curve.rocAuc() : curve.averagePrecision());
      return names.size() == 2 ? area : name(curve.classIndex()) + " " + area;
    }).toList());
  }

  private String label(ClassCurve curve, double area) {
    return name(curve.classIndex()) + ": " + Format.score(area);
  }

  private void drawReliability(Markup html) {
    Reliability reliability = judgment.reliability();
    boolean two = names.size() == 2;
    new UnitChart("reliability" + suffix, "Reliability", two ? "mean probability of " + name(1) : "mean probability of the predicted class",
        two ? "proportion of " + name(1) : "proportion predicted correctly", List.of(new Series("reliability",
            reliability.bins().stream().mapToDouble(Reliability.Bin::meanProbability).toArray(),
            reliability.bins().stream().mapToDouble(Reliability.Bin::observed).toArray())),
        "Expected calibration error " + Format.score(reliability.expectedCalibrationError()) + ", Brier score " + Format.score(judgment.brier())
            + ". Points below the diagonal: the probabilities are too high. Bins with few rows scatter.")
        .withDiagonal().withPoints().draw(html);
  }

  private void drawThresholds(Markup html, Thresholds thresholds) {
    double[] x = IntStream.range(1, PERCENT).mapToDouble(i -> (double) i / PERCENT).toArray();
    List<Thresholds.Row> rows = IntStream.range(0, x.length).mapToObj(i -> thresholds.at(x[i])).toList();
    List<Series> series = List.of(
        new Series("precision", x, rows.stream().mapToDouble(Thresholds.Row::precision).toArray()),
        new Series("recall", x, rows.stream().mapToDouble(Thresholds.Row::recall).toArray()),
        new Series("F1", x, rows.stream().mapToDouble(Thresholds.Row::f1).toArray()),
        new Series("specificity", x, rows.stream().mapToDouble(Thresholds.Row::specificity).toArray()));
    List<String> best = new ArrayList<>();
    for (Thresholds.Criterion criterion : Thresholds.Criterion.values()) {
      thresholds.best(criterion).ifPresent(at -> best.add("highest " + criterion.label() + " on these rows at " + Format.brief(at)));
    }
    new UnitChart("thresholds" + suffix, "Thresholds", "threshold of " + name(1), "proportion", series,
        GridReport.capitalized(best.isEmpty() ? "all rows belong to one class" : String.join(", ", best)) + "."
            + (threshold.isEmpty() ? "" : " Vertical line: the threshold used, " + Format.brief(threshold.getAsDouble()) + "."))
        .mark(threshold).draw(html);
  }

  private void drawBins(Markup html) {
    start(html, "Table of the reliability", "reliability-table", List.of("probability", "rows", "mean", "observed"));
    for (Reliability.Bin bin : judgment.reliability().bins()) {
      html.open("tr").element("th", Format.brief(bin.low()) + " to " + Format.brief(bin.high()), "scope", "row");
      html.element("td", Format.whole(bin.rows())).element("td", Format.score(bin.meanProbability())).element("td", Format.score(bin.observed()));
      html.close("tr").line();
    }
    end(html);
  }

  private void drawThresholdTable(Markup html, Thresholds thresholds) {
    start(html, "Table of thresholds", "thresholds-table",
        List.of("threshold", "precision", "recall", "F1", "specificity", "Youden's J", "predicted rows"));
    for (Thresholds.Row row : thresholds.table(threshold)) {
      html.open("tr").element("th", Format.brief(row.threshold()), "scope", "row");
      for (double value : new double[] {row.precision(), row.recall(), row.f1(), row.specificity(), row.youden()}) {
        html.element("td", Format.score(value));
      }
      html.element("td", Format.whole(row.predictedRows())).close("tr").line();
    }
    end(html);
  }

  private void drawAreas(Markup html, List<ClassCurve> curves) {
    start(html, "Table of areas", "areas-table", List.of("class", "ROC AUC", "average precision"));
    for (ClassCurve curve : curves.subList(0, Math.min(MAX_LISTED, curves.size()))) {
      html.open("tr").element("th", Page.cut(names.get(curve.classIndex())), "scope", "row");
      html.element("td", Format.score(curve.rocAuc())).element("td", Format.score(curve.averagePrecision())).close("tr").line();
    }
    end(html);
    if (curves.size() > MAX_LISTED) {
      html.element("p", "Only the first " + MAX_LISTED + " of " + Format.whole(curves.size()) + " classes are listed.", "class", "small")
          .line();
    }
  }

  private void start(Markup html, String summary, String id, List<String> heads) {
    html.open("details").line().element("summary", summary).line();
    html.scrolling(summary).line();
    html.open("table", "class", "numbers", "id", id + suffix).line().open("thead").open("tr");
    heads.forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
  }

  private static void end(Markup html) {
    html.close("table").close("div").close("details").line();
  }

  /** Returns the name of a class in quotation marks, shortened so that it fits an axis. */
  private String name(int c) {
    String name = names.get(c);
    return "\"" + (name.codePointCount(0, name.length()) > MAX_NAME
        ? name.substring(0, name.offsetByCodePoints(0, MAX_NAME - 1)) + "…" : name) + "\"";
  }
}
