package dev.plumb.report;

import dev.plumb.study.RunScore;
import dev.plumb.train.Metric;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A chart of one score per run with its 95 % interval as SVG: a row per run, from top to bottom. */
final class IntervalChart {
  private static final double WIDTH = 440;
  private static final double LEFT = 40;
  private static final double RIGHT = 424;
  private static final double TOP = 10;
  private static final double ROW = 22;

  private final String id;
  private final Metric metric;
  private final List<String> names;
  private final List<Optional<RunScore>> scores;

  /** @param scores one per name; empty where there is none */
  IntervalChart(String id, Metric metric, List<String> names, List<Optional<RunScore>> scores) {
    this.id = id;
    this.metric = metric;
    this.names = names;
    this.scores = scores;
  }

  /** Returns whether any score is finite. */
  boolean isDrawn() {
    return scores.stream().anyMatch(score -> Double.isFinite(value(score)));
  }

  private double value(Optional<RunScore> score) {
    return score.map(of -> of.value(metric)).orElse(Double.NaN);
  }

  void draw(Markup html) {
    String title = GridReport.capitalized(metric.label()) + " with 95 % interval";
    double height = scores.size() * ROW;
    html.open("figure", "class", "card").line().element("h3", title).line();
    html.open("svg", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + (int) (TOP + height + 26), "role", "img",
        "aria-labelledby", id + "-title " + id + "-desc");
    html.element("title", title, "id", id + "-title").element("desc", description(), "id", id + "-desc").line();
    double[] finite = scores.stream().flatMap(Optional::stream)
        .flatMap(score -> Stream.of(score.value(metric), score.low(), score.high())).mapToDouble(Double::doubleValue)
        .filter(Double::isFinite).sorted().toArray();
    Axis axis = Axis.linear(finite[0], finite[finite.length - 1]);
    for (Axis.Tick tick : axis.ticks()) {
      double x = x(axis, tick.value());
      html.empty("line", "class", "grid", "x1", x, "x2", x, "y1", TOP, "y2", TOP + height);
      html.element("text", tick.label(), "x", x, "y", TOP + height + 17, "text-anchor", "middle").line();
    }
    for (int i = 0; i < scores.size(); i++) {
      drawRow(html, axis, i);
    }
    html.close("svg").line();
    html.element("p", "The numbers are those of the legend. The rows of each score are in the table.", "class", "readout").line();
    html.close("figure").line();
  }

  private void drawRow(Markup html, Axis axis, int index) {
    double y = TOP + (index + 0.5) * ROW;
    String style = "s" + index;
    html.element("text", Integer.toString(index + 1), "class", "end " + style, "x", LEFT - 14, "y", y + 4, "text-anchor", "end");
    double value = value(scores.get(index));
    if (!Double.isFinite(value)) {
      return;
    }
    RunScore score = scores.get(index).orElseThrow();
    if (score.hasInterval()) {
      html.empty("path", "class", "curve pair " + style, "d", "M" + Markup.coordinate(x(axis, score.low())) + " "
          + Markup.coordinate(y) + "L" + Markup.coordinate(x(axis, score.high())) + " " + Markup.coordinate(y));
    }
    html.empty("path", "class", "dots " + style, "d",
        "M" + Markup.coordinate(x(axis, value)) + " " + Markup.coordinate(y) + "h0").line();
  }

  private static double x(Axis axis, double value) {
    return LEFT + axis.at(value) * (RIGHT - LEFT);
  }

  private String description() {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < scores.size(); i++) {
      double value = value(scores.get(i));
      parts.add(names.get(i) + ": " + (Double.isNaN(value) ? "no score"
          : Format.brief(value) + ComparisonReport.interval(scores.get(i).orElseThrow(), " (", ")")));
    }
    return String.join("; ", parts) + ".";
  }
}
