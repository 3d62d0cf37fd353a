package dev.plumb.report;

import dev.plumb.study.Summary;
import java.util.Arrays;
import java.util.Locale;

/**
 * A dot plot of one metric as SVG: a point per fold, in the order of the folds from top to bottom, the mean as a dashed line and
 * its interval as a band.
 */
final class FoldChart {
  /** Of more values, an evenly spaced subset is drawn. */
  private static final int MAX_POINTS = 300;

  private static final double WIDTH = 440;
  private static final double LEFT = 16;
  private static final double RIGHT = 424;
  private static final double TOP = 10;
  private static final double MAX_HEIGHT = 240;
  private static final double ROW = 22;

  private final String id;
  private final String name;
  private final double[] values;
  private final Summary summary;

  FoldChart(String id, String name, double[] values, Summary summary) {
    this.id = id;
    this.name = name;
    this.values = Arrays.stream(values).filter(Double::isFinite).toArray();
    this.summary = summary;
  }

  void draw(Markup html) {
    String title = name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1) + " of each fold";
    double height = Math.min(MAX_HEIGHT, Math.max(2, values.length) * ROW);
    html.open("figure", "class", "card").line().element("h3", title).line();
    html.open("svg", "class", "folds", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + (int) (TOP + height + 26), "role", "img",
        "aria-labelledby", id + "-title " + id + "-desc");
    html.element("title", title, "id", id + "-title").element("desc", sentence(), "id", id + "-desc").line();
    if (values.length == 0) {
      html.element("text", "no score", "x", WIDTH / 2, "y", TOP + height / 2, "text-anchor", "middle");
    } else {
      drawPoints(html, height);
    }
    html.close("svg").line();
    html.element("p", sentence(), "class", "readout").line();
    html.close("figure").line();
  }

  private void drawPoints(Markup html, double height) {
    boolean interval = Double.isFinite(summary.low()) && Double.isFinite(summary.high());
    double smallest = Math.min(Arrays.stream(values).min().getAsDouble(), interval ? summary.low() : values[0]);
    double largest = Math.max(Arrays.stream(values).max().getAsDouble(), interval ? summary.high() : values[0]);
    Axis axis = Axis.linear(smallest, largest);
    for (Axis.Tick tick : axis.ticks()) {
      html.empty("line", "class", "grid", "x1", x(axis, tick.value()), "x2", x(axis, tick.value()), "y1", TOP, "y2", TOP + height);
      html.element("text", tick.label(), "x", x(axis, tick.value()), "y", TOP + height + 17, "text-anchor", "middle").line();
    }
    if (interval) {
      html.empty("rect", "class", "band s0", "x", x(axis, summary.low()), "y", TOP,
          "width", x(axis, summary.high()) - x(axis, summary.low()), "height", height).line();
    }
    html.empty("line", "class", "right", "x1", x(axis, summary.mean()), "x2", x(axis, summary.mean()), "y1", TOP, "y2", TOP + height)
        .line();
    html.open("g", "class", "points").line();
    for (int i : Thinning.spread(values.length, MAX_POINTS)) {
      html.empty("circle", "cx", x(axis, values[i]), "cy", TOP + height * (i + 0.5) / values.length, "r", "4");
    }
    html.close("g").line();
  }

  private static double x(Axis axis, double value) {
    return LEFT + axis.at(value) * (RIGHT - LEFT);
  }

  private String sentence() {
    if (values.length == 0) {
      return "There is no finite score of this metric.";
    }
    return "Mean " + Format.brief(summary.mean()) + (summary.count() < 2 ? " of one score"
        : ", 95 % interval " + Format.brief(summary.low()) + " to " + Format.brief(summary.high()) + ", standard deviation "
            + Format.brief(summary.deviation()) + ", over " + Format.whole(summary.count()) + " scores")
        + (values.length > MAX_POINTS ? ", of which " + Format.whole(MAX_POINTS) + " are drawn" : "") + ".";
  }
}
