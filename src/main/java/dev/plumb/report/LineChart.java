package dev.plumb.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A line chart over epochs or layers as SVG. It is drawn on a linear scale and, if the values are positive, also on a logarithmic
 * one; a check box, which needs no script, selects the visible one. Curves have gaps at non-finite values. They differ not only
 * by color but also by dashes and by labels at their ends.
 *
 * <p>The page's script reads the numbers under the pointer from the table on the same page.
 */
final class LineChart {
  /** Width in the drawing's units; about 350 pixels on a phone and 480 on a desktop. */
  private static final double WIDTH = 440;
  private static final double HEIGHT = 262;
  private static final double LEFT = 56;
  private static final double TOP = 18;
  private static final double BOTTOM = 222;
  private static final double RIGHT_WITH_LABELS = 358;
  private static final double RIGHT_WITHOUT_LABELS = 424;
  private static final double LABEL_SPACING = 16;
  /** Width of a digit in the font size of a phone, including some space between labels. */
  static final double MAX_DIGIT_WIDTH = 9.6;

  /** Ratio of the largest to the smallest value from which the logarithmic scale is the default. */
  static final double LOG_BY_DEFAULT = 20;

  /** Ratio of the largest to the smallest value below which both scales look alike. */
  private static final double MIN_LOG_RATIO = 2;

  /** Number of combinations of color and dashes in the style sheet; further curves repeat them. */
  static final int STYLES = 8;

  /**
   * A curve, with or without a band around it.
   *
   * @param column the table column with the values
   * @param low the band's lower edge, one value per point; empty without a band
   * @param high the band's upper edge, likewise
   */
  record Series(String name, int column, double[] values, double[] low, double[] high) {
    private static final double[] NONE = {};

    Series(String name, int column, double[] values) {
      this(name, column, values, NONE, NONE);
    }
  }

  /**
   * The look of a curve that does not follow from its place among the curves.
   *
   * @param style classes of the style sheet: "pair train s3"
   * @param label text at the end of the curve; empty for none
   */
  record Look(String style, String label) {}

  private final String id;
  private final String title;
  private final String axisName;
  private final double[] x;
  private final List<Series> series;
  private final String table;
  private final Axis xAxis;
  private OptionalInt mark = OptionalInt.empty();
  private String markLabel = "";
  private OptionalInt notFinite = OptionalInt.empty();
  private boolean points;
  private boolean shortLabels;
  private boolean linearOnly;
  private boolean linearFirst;
  private List<Look> looks = List.of();

  /**
   * @param x whole numbers in ascending order
   * @param table id of the table with the same rows
   */
  LineChart(String id, String title, String axisName, double[] x, List<Series> series, String table) {
    this.id = id;
    this.title = title;
    this.axisName = axisName;
    this.x = x;
    this.series = series;
    this.table = table;
    xAxis = Axis.whole((int) x[0], (int) x[x.length - 1]);
  }

  /** Marks a point of the x axis with a vertical line and a label. */
  LineChart mark(OptionalInt at, String label) {
    mark = at;
    markLabel = label;
    return this;
  }

  /** Hatches the part of the chart from the point at which values are no longer finite. */
  LineChart notFiniteFrom(OptionalInt at) {
    notFinite = at;
    return this;
  }

  /** Draws a point at every value. */
  LineChart withPoints() {
    points = true;
    return this;
  }

  /** Reserves little space for the labels of the curves, for example numbers of a legend. */
  LineChart withShortLabels() {
    shortLabels = true;
    return this;
  }

  /**
   * Draws the curves with other styles and labels than those by their order. The readout omits curves without a value.
   *
   * @param others one per curve
   */
  LineChart withLooks(List<Look> others) {
    looks = List.copyOf(others);
    return this;
  }

  /** Makes the linear scale the default, for values that fall to almost 0, such as a learning rate. */
  LineChart linearFirst() {
    linearFirst = true;
    return this;
  }

  /** Omits the logarithmic scale. */
  LineChart linearOnly() {
    linearOnly = true;
    return this;
  }

  void draw(Markup html) {
    double[] finite = series.stream()
        .flatMapToDouble(curve -> Stream.of(curve.values(), curve.low(), curve.high()).flatMapToDouble(Arrays::stream))
        .filter(Double::isFinite).toArray();
    double smallest = Arrays.stream(finite).min().orElse(0);
    double largest = Arrays.stream(finite).max().orElse(1);
    double[] positive = Arrays.stream(finite).filter(value -> value > 0).toArray();
    double minPositive = Arrays.stream(positive).min().orElse(1);
    boolean canLog = !linearOnly && smallest >= 0 && positive.length > 1 && largest / minPositive >= MIN_LOG_RATIO;
    html.open("figure", "class", "card").line();
    html.element("h3", title).line();
    if (canLog) {
      html.empty("input", "type", "checkbox", "class", "log", "id", id + "-log",
          "checked", !linearFirst && largest / minPositive >= LOG_BY_DEFAULT ? "checked" : null);
      html.element("label", "log scale", "for", id + "-log", "class", "switch").line();
    }
    html.open("svg", "class", "lines", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + (int) HEIGHT, "role", "img",
        "tabindex", "0", "aria-labelledby", id + "-title " + id + "-desc", "data-table", table,
        "data-columns", String.join(" ", series.stream().map(curve -> Integer.toString(curve.column())).toList()),
        "data-first", (int) x[0], "data-last", (int) x[x.length - 1], "data-left", LEFT, "data-right", right());
    html.element("title", title, "id", id + "-title").element("desc", description(finite.length), "id", id + "-desc").line();
    if (finite.length == 0) {
      html.element("text", "no finite value", "x", (LEFT + right()) / 2, "y", (TOP + BOTTOM) / 2, "text-anchor", "middle");
    }
    drawXAxis(html);
    drawScale(html, Axis.linear(smallest, largest), canLog ? "linear" : "only");
    if (canLog) {
      drawScale(html, Axis.log(minPositive, largest), "logarithmic");
    }
    html.empty("line", "class", "cursor", "x1", LEFT, "x2", LEFT, "y1", TOP, "y2", BOTTOM, "visibility", "hidden");
    html.close("svg").line();
    html.element("output", readout(shownRow()), "class", "readout", "for", id, "id", id + "-readout").line();
    html.close("figure").line();
  }

  /** Draws a legend of curves, in their order. */
  static void drawKey(Markup html, List<String> labels) {
    drawLooks(html, looks(labels));
  }

  /** Returns the looks of curves, in their order. */
  static List<Look> looks(List<String> labels) {
    return IntStream.range(0, labels.size()).mapToObj(i -> new Look("s" + i % STYLES, labels.get(i))).toList();
  }

  /** Draws a legend of styles and their labels. */
  static void drawLooks(Markup html, List<Look> entries) {
    html.open("ul", "class", "key").line();
    for (Look entry : entries) {
      html.open("li").open("svg", "viewBox", "0 0 34 10", "aria-hidden", "true")
          .empty("path", "class", "curve " + entry.style(), "d", "M1 5L33 5").close();
      html.element("span", entry.label()).close("li").line();
    }
    html.close("ul").line();
  }

  private String style(int curve) {
    return looks.isEmpty() ? "s" + curve % STYLES : looks.get(curve).style();
  }

  private String label(int curve) {
    return looks.isEmpty() ? series.get(curve).name() : looks.get(curve).label();
  }

  private double right() {
    return series.size() == 1 ? RIGHT_WITHOUT_LABELS : shortLabels ? RIGHT_WITHOUT_LABELS - 20 : RIGHT_WITH_LABELS;
  }

  private double xOf(double value) {
    return LEFT + xAxis.at(value) * (right() - LEFT);
  }

  private static double yOf(Axis axis, double value) {
    return BOTTOM - axis.at(value) * (BOTTOM - TOP);
  }

  private String description(int finite) {
    if (finite == 0) {
      return title + ": no value is finite.";
    }
    List<String> ends = new ArrayList<>();
    for (Series curve : series) {
      double[] values = Arrays.stream(curve.values()).filter(Double::isFinite).toArray();
      if (values.length > 0) {
        ends.add(curve.name() + " from " + Format.brief(values[0]) + " to " + Format.brief(values[values.length - 1])
            + ", smallest " + Format.brief(Arrays.stream(values).min().orElseThrow())
            + ", largest " + Format.brief(Arrays.stream(values).max().orElseThrow()));
      }
    }
    return title + " over " + axisName + " " + (int) x[0] + " to " + (int) x[x.length - 1] + ": " + String.join("; ", ends)
        + ". The values are in the table below.";
  }

  /** Returns the row whose values are shown at first: the marked one, otherwise the last; with looks, the last with a value. */
  private int shownRow() {
    int last = looks.isEmpty() ? x.length - 1 : IntStream.range(0, x.length)
        .filter(row -> series.stream().anyMatch(curve -> !Double.isNaN(curve.values()[row]))).max().orElse(x.length - 1);
    return IntStream.range(0, x.length).filter(row -> mark.isPresent() && x[row] == mark.getAsInt()).findFirst().orElse(last);
  }

  private String readout(int row) {
    List<String> values = series.stream().filter(curve -> looks.isEmpty() || !Double.isNaN(curve.values()[row]))
        .map(curve -> curve.name() + " = " + Format.table(curve.values()[row])).toList();
    return axisName + " " + (int) x[row] + ": " + String.join(" · ", values);
  }

  /** Draws everything that does not depend on the scale: the x axis, marks, and the non-finite part. */
  private void drawXAxis(Markup html) {
    if (notFinite.isPresent()) {
      double from = Math.min(xOf(notFinite.getAsInt()), right() - 3);
      Hatch.define(html, id);
      html.empty("rect", "fill", Hatch.fill(id), "x", from, "y", TOP, "width", right() - from, "height", BOTTOM - TOP);
      html.empty("line", "class", "stop", "x1", from, "x2", from, "y1", TOP, "y2", BOTTOM);
    }
    html.empty("line", "class", "axis", "x1", LEFT, "x2", right(), "y1", BOTTOM, "y2", BOTTOM);
    double lastLabelEnd = -1;
    for (Axis.Tick tick : xAxis.ticks()) {
      double at = xOf(tick.value());
      html.empty("line", "class", "axis", "x1", at, "x2", at, "y1", BOTTOM, "y2", BOTTOM + 4);
      double half = tick.label().length() * MAX_DIGIT_WIDTH / 2;
      double middle = Math.min(at, WIDTH - half);
      if (middle - half > lastLabelEnd) {
        html.element("text", tick.label(), "x", middle, "y", BOTTOM + 18, "text-anchor", "middle");
        lastLabelEnd = middle + half;
      }
    }
    html.element("text", axisName, "x", (LEFT + right()) / 2, "y", HEIGHT - 5, "text-anchor", "middle").line();
    if (mark.isPresent()) {
      double at = xOf(mark.getAsInt());
      html.empty("line", "class", "mark", "x1", at, "x2", at, "y1", TOP, "y2", BOTTOM);
      label(html, markLabel, at, TOP - 5);
    }
    if (notFinite.isPresent()) {
      label(html, "not finite from " + axisName + " " + Format.whole(notFinite.getAsInt()), xOf(notFinite.getAsInt()),
          mark.isPresent() ? TOP + 12 : TOP - 5);
    }
  }

  /** Draws a label above the chart, aligned so that it stays within the chart's width. */
  private static void label(Markup html, String text, double x, double y) {
    String anchor = x < WIDTH / 3 ? "start" : x > WIDTH * 2 / 3 ? "end" : "middle";
    html.element("text", text, "class", "note-label", "x", x, "y", y, "text-anchor", anchor).line();
  }

  private void drawScale(Markup html, Axis axis, String name) {
    html.open("g", "class", "scale " + name).line();
    for (Axis.Tick tick : axis.ticks()) {
      double at = yOf(axis, tick.value());
      html.empty("line", "class", "grid", "x1", LEFT, "x2", right(), "y1", at, "y2", at);
      html.element("text", tick.label(), "x", LEFT - 6, "y", at + 4, "text-anchor", "end").line();
    }
    for (int i = 0; i < series.size(); i++) {
      drawBand(html, axis, series.get(i), i);
    }
    for (int i = 0; i < series.size(); i++) {
      drawCurve(html, axis, series.get(i), i);
    }
    if (series.size() > 1) {
      drawLabels(html, axis);
    }
    if (axis.isLog() && series.stream().flatMapToDouble(curve -> Arrays.stream(curve.values())).anyMatch(value -> value == 0)) {
      html.element("text", "gaps: 0", "class", "note-label", "x", LEFT, "y", TOP - 5).line();
    }
    html.close("g").line();
  }

  /** Returns whether an axis can show a value: a logarithmic one cannot show 0. */
  private static boolean isOn(Axis axis, double value) {
    return Double.isFinite(value) && (value > 0 || !axis.isLog());
  }

  /** Draws the band, with gaps next to values whose edges cannot be shown. */
  private void drawBand(Markup html, Axis axis, Series curve, int index) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i + 1 < curve.low().length; i++) {
      if (isOn(axis, curve.low()[i]) && isOn(axis, curve.low()[i + 1])
          && isOn(axis, curve.high()[i]) && isOn(axis, curve.high()[i + 1])) {
        path.append('M').append(point(axis, x[i], curve.low()[i])).append('L').append(point(axis, x[i + 1], curve.low()[i + 1]))
            .append('L').append(point(axis, x[i + 1], curve.high()[i + 1]))
            .append('L').append(point(axis, x[i], curve.high()[i])).append('Z');
      }
    }
    if (path.length() > 0) {
      html.empty("path", "class", "band " + style(index), "d", path).line();
    }
  }

  private String point(Axis axis, double at, double value) {
    return Markup.coordinate(xOf(at)) + " " + Markup.coordinate(yOf(axis, value));
  }

  private void drawCurve(Markup html, Axis axis, Series curve, int index) {
    StringBuilder path = new StringBuilder();
    StringBuilder dots = new StringBuilder();
    boolean connected = false;
    for (int i = 0; i < x.length; i++) {
      boolean visible = isOn(axis, curve.values()[i]);
      if (visible) {
        String point = point(axis, x[i], curve.values()[i]);
        path.append(connected ? "L" : "M").append(point);
        boolean isolated = !connected && (i + 1 == x.length || !isOn(axis, curve.values()[i + 1]));
        if (points || isolated) {
          dots.append("M").append(point).append("h0");
        }
      }
      connected = visible;
    }
    String style = style(index);
    if (path.length() > 0) {
      html.empty("path", "class", "curve " + style, "d", path).line();
    }
    if (dots.length() > 0) {
      html.empty("path", "class", "dots " + style, "d", dots).line();
    }
  }

  /** Beside the last point of each curve, moved apart where they would lie on each other. */
  private void drawLabels(Markup html, Axis axis) {
    record Label(String text, int index, double y) {}
    List<Label> labels = new ArrayList<>();
    for (int i = 0; i < series.size(); i++) {
      double[] finite = Arrays.stream(series.get(i).values()).filter(value -> isOn(axis, value)).toArray();
      if (finite.length > 0 && !label(i).isEmpty()) {
        labels.add(new Label(label(i), i, yOf(axis, finite[finite.length - 1])));
      }
    }
    labels.sort((one, other) -> Double.compare(one.y(), other.y()));
    double[] y = new double[labels.size()];
    for (int i = 0; i < y.length; i++) {
      y[i] = i == 0 ? labels.get(i).y() : Math.max(labels.get(i).y(), y[i - 1] + LABEL_SPACING);
    }
    double lowest = BOTTOM;
    for (int i = y.length - 1; i >= 0; i--) {
      y[i] = Math.min(y[i], lowest);
      lowest = y[i] - LABEL_SPACING;
    }
    for (int i = 0; i < y.length; i++) {
      Label label = labels.get(i);
      double end = right() + 5;
      html.empty("path", "class", "leader " + style(label.index()),
          "d", "M" + Markup.coordinate(right() + 1) + " " + Markup.coordinate(label.y()) + "L" + Markup.coordinate(end) + " "
              + Markup.coordinate(y[i]));
      html.element("text", label.text(), "class", "end " + style(label.index()), "x", end + 2, "y", y[i] + 4)
          .line();
    }
  }
}
