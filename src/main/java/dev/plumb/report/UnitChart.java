package dev.plumb.report;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A square chart of curves as SVG whose axes both run from 0 to 1, such as an ROC curve. Curves have gaps where a coordinate is not
 * finite. They differ not only by color but also by dashes; a key below the chart names them.
 */
final class UnitChart {
  private static final double WIDTH = 440;
  private static final double LEFT = 56;
  private static final double TOP = 18;
  private static final double SIDE = 340;
  private static final int TICKS = 5;

  /**
   * A curve.
   *
   * @param x from 0 to 1
   * @param y one per x, from 0 to 1
   */
  record Series(String name, double[] x, double[] y) {}

  private final String id;
  private final String title;
  private final String xName;
  private final String yName;
  private final List<Series> series;
  private final String sentence;
  private boolean diagonal;
  private boolean points;
  private OptionalDouble mark = OptionalDouble.empty();

  /** @param sentence what the chart shows in words: it is below the chart, and it replaces it for readers who cannot see it */
  UnitChart(String id, String title, String xName, String yName, List<Series> series, String sentence) {
    this.id = id;
    this.title = title;
    this.xName = xName;
    this.yName = yName;
    this.series = series;
    this.sentence = sentence;
  }

  /** Draws the diagonal, on which both coordinates are equal. */
  UnitChart withDiagonal() {
    diagonal = true;
    return this;
  }

  /** Draws a point at every value. */
  UnitChart withPoints() {
    points = true;
    return this;
  }

  /** Marks a value of the x axis with a vertical line. */
  UnitChart mark(OptionalDouble at) {
    mark = at;
    return this;
  }

  void draw(Markup html) {
    ChartFrame.open(html, id, "unit", title, sentence, WIDTH, TOP + SIDE + 44);
    drawAxes(html);
    if (diagonal) {
      html.empty("line", "class", "right", "x1", x(0), "y1", y(0), "x2", x(1), "y2", y(1)).line();
    }
    mark.ifPresent(at -> html.empty("line", "class", "mark", "x1", x(at), "x2", x(at), "y1", TOP, "y2", TOP + SIDE).line());
    boolean empty = true;
    for (int i = 0; i < series.size(); i++) {
      empty &= !drawCurve(html, series.get(i), i % LineChart.STYLES);
    }
    if (empty) {
      html.element("text", "undefined", "x", x(0.5), "y", y(0.53), "text-anchor", "middle").line();
    }
    ChartFrame.close(html, series.size() > 1 ? LineChart.looks(series.stream().map(Series::name).toList()) : List.of(), sentence);
  }

  private void drawAxes(Markup html) {
    for (int i = 0; i <= TICKS; i++) {
      double value = (double) i / TICKS;
      String label = Format.brief(value);
      html.empty("line", "class", "grid", "x1", x(0), "x2", x(1), "y1", y(value), "y2", y(value));
      html.empty("line", "class", "grid", "x1", x(value), "x2", x(value), "y1", y(0), "y2", y(1));
      html.element("text", label, "x", x(0) - 6, "y", y(value) + 4, "text-anchor", "end");
      html.element("text", label, "x", x(value), "y", TOP + SIDE + 17, "text-anchor", "middle").line();
    }
    new PlotArea(LEFT, LEFT + SIDE, TOP, TOP + SIDE).drawNames(html, xName, yName);
  }

  /** Draws a curve and returns whether it has a visible point. */
  private boolean drawCurve(Markup html, Series curve, int style) {
    StringBuilder path = new StringBuilder();
    StringBuilder dots = new StringBuilder();
    boolean connected = false;
    for (int i = 0; i < curve.x().length; i++) {
      boolean visible = Double.isFinite(curve.x()[i]) && Double.isFinite(curve.y()[i]);
      if (visible) {
        String at = Markup.coordinate(x(curve.x()[i])) + " " + Markup.coordinate(y(curve.y()[i]));
        path.append(connected ? "L" : "M").append(at);
        dots.append("M").append(at).append("h0");
      }
      connected = visible;
    }
    if (path.length() > 0) {
      html.empty("path", "class", "curve s" + style, "d", path).line();
      boolean single = IntStream.range(0, curve.x().length).filter(i -> Double.isFinite(curve.x()[i] + curve.y()[i])).count() == 1;
      if (points || single) {
        html.empty("path", "class", "dots s" + style, "d", dots).line();
      }
    }
    return path.length() > 0;
  }

  private static double x(double value) {
    return LEFT + value * SIDE;
  }

  private static double y(double value) {
    return TOP + SIDE - value * SIDE;
  }
}
