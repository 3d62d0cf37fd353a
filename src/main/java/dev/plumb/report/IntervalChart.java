package dev.plumb.report;

import dev.plumb.report.LineChart.Look;
import dev.plumb.train.Metric;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/** A chart of scores with their 95 % intervals as SVG: a row per score, from top to bottom. */
final class IntervalChart {
  private static final double WIDTH = 440;
  private static final double MIN_LEFT = 40;
  private static final double RIGHT = 424;
  private static final double TOP = 10;
  private static final double ROW = 22;

  /**
   * A score.
   *
   * @param label short text on the left: a number
   * @param style classes of the style sheet: "s3"
   * @param name for readers who cannot see the chart
   * @param value NaN if there is none
   * @param low lower limit of the interval; NaN without one
   * @param high upper limit of the interval, likewise
   */
  record Row(String label, String style, String name, double value, double low, double high) {
    private boolean hasInterval() {
      return !Double.isNaN(low) && !Double.isNaN(high);
    }

    private String sentence() {
      return name + ": " + (Double.isNaN(value) ? "no score"
          : Format.brief(value) + (hasInterval() ? " (" + interval(low, high) + ")" : ""));
    }
  }

  private final String id;
  private final Metric metric;
  private final List<Row> rows;
  private final List<Look> legend;
  private final String sentence;

  /**
   * @param legend empty for none
   * @param sentence below the chart
   */
  IntervalChart(String id, Metric metric, List<Row> rows, List<Look> legend, String sentence) {
    this.id = id;
    this.metric = metric;
    this.rows = rows;
    this.legend = legend;
    this.sentence = sentence;
  }

  /** Returns an interval as text; "-" without one. */
  static String interval(double low, double high) {
    return Double.isNaN(low) || Double.isNaN(high) ? "-" : Format.brief(low) + " to " + Format.brief(high);
  }

  /** Returns whether any score is finite. */
  boolean isDrawn() {
    return rows.stream().anyMatch(row -> Double.isFinite(row.value()));
  }

  void draw(Markup html) {
    double height = rows.size() * ROW;
    double longest = rows.stream().mapToInt(row -> row.label().length()).max().orElse(0) * LineChart.MAX_DIGIT_WIDTH;
    PlotArea area = new PlotArea(Math.max(MIN_LEFT, longest + 16), RIGHT, TOP, TOP + height);
    ChartFrame.open(html, id, null, GridReport.capitalized(metric.label()) + " with 95 % interval",
        rows.stream().map(Row::sentence).collect(Collectors.joining("; ")) + ".", WIDTH, TOP + height + 26);
    double[] finite = rows.stream().flatMapToDouble(row -> DoubleStream.of(row.value(), row.low(), row.high()))
        .filter(Double::isFinite).sorted().toArray();
    Axis axis = Axis.linear(finite[0], finite[finite.length - 1]);
    area.drawX(html, axis);
    for (int i = 0; i < rows.size(); i++) {
      drawRow(html, area, axis, rows.get(i), TOP + (i + 0.5) * ROW);
    }
    ChartFrame.close(html, legend, sentence);
  }

  private static void drawRow(Markup html, PlotArea area, Axis axis, Row row, double y) {
    html.element("text", row.label(), "class", "end " + row.style(), "x", area.left() - 14, "y", y + 4, "text-anchor", "end");
    if (!Double.isFinite(row.value())) {
      return;
    }
    if (row.hasInterval()) {
      html.empty("path", "class", "curve pair " + row.style(), "d", "M" + Markup.coordinate(area.x(axis, row.low())) + " "
          + Markup.coordinate(y) + "L" + Markup.coordinate(area.x(axis, row.high())) + " " + Markup.coordinate(y));
    }
    html.empty("path", "class", "dots " + row.style(), "d",
        "M" + Markup.coordinate(area.x(axis, row.value())) + " " + Markup.coordinate(y) + "h0").line();
  }
}
