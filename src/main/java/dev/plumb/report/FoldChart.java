package dev.plumb.report;

import dev.plumb.study.Summary;
import java.util.Arrays;
import java.util.List;
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
    ChartFrame.open(html, id, "folds", title, sentence(), WIDTH, TOP + height + 26);
    if (values.length == 0) {
      html.element("text", "no score", "x", WIDTH / 2, "y", TOP + height / 2, "text-anchor", "middle");
    } else {
      drawPoints(html, height);
    }
    ChartFrame.close(html, List.of(), sentence());
  }

  private void drawPoints(Markup html, double height) {
    boolean interval = Double.isFinite(summary.low()) && Double.isFinite(summary.high());
    double smallest = Math.min(Arrays.stream(values).min().getAsDouble(), interval ? summary.low() : values[0]);
    double largest = Math.max(Arrays.stream(values).max().getAsDouble(), interval ? summary.high() : values[0]);
    Axis axis = Axis.linear(smallest, largest);
    PlotArea area = new PlotArea(LEFT, RIGHT, TOP, TOP + height);
    area.drawX(html, axis);
    if (interval) {
      html.empty("rect", "class", "band s0", "x", area.x(axis, summary.low()), "y", TOP,
          "width", area.x(axis, summary.high()) - area.x(axis, summary.low()), "height", height).line();
    }
    double mean = area.x(axis, summary.mean());
    html.empty("line", "class", "right", "x1", mean, "x2", mean, "y1", TOP, "y2", TOP + height).line();
    html.open("g", "class", "points").line();
    for (int i : Thinning.spread(values.length, MAX_POINTS)) {
      html.empty("circle", "cx", area.x(axis, values[i]), "cy", TOP + height * (i + 0.5) / values.length, "r", "4");
    }
    html.close("g").line();
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
