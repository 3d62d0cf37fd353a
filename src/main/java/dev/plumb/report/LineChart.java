package dev.plumb.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Curves over epochs or layers as SVG, drawn once on a linear and, where values are positive, once on a logarithmic scale; a
 * check box that needs no script says which is seen. Where values are not finite a curve has a gap. Curves differ by dashes and
 * by labels at their ends, not by colour alone.
 *
 * <p>The script reads the numbers under the pointer from the table that the page shows too.
 */
final class LineChart {
  /** In the drawing's own units, of which a phone shows about 350 pixels and a desk about 480. */
  private static final double WIDTH = 440;
  private static final double HEIGHT = 262;
  private static final double LEFT = 56;
  private static final double TOP = 18;
  private static final double BOTTOM = 222;
  private static final double RIGHT_WITH_LABELS = 358;
  private static final double RIGHT_WITHOUT = 424;
  private static final double BETWEEN_LABELS = 16;

  /** Of the font's size on a phone, some room between labels included. */
  private static final double WIDEST_DIGIT = 9.6;

  /** From this factor between largest and smallest on, most of a curve would lie on a linear axis. */
  private static final double LOG_PAYS = 20;

  /** Below this factor both scales look alike. */
  private static final double LOG_HELPS = 2;

  /** As many combinations of colour and dashes as the style sheet has; more curves begin anew. */
  static final int STYLES = 8;

  /** @param column of the table that holds the values */
  record Series(String name, int column, double[] values) {}

  private final String id;
  private final String title;
  private final String axisName;
  private final double[] x;
  private final List<Series> series;
  private final String table;
  private final Axis along;
  private OptionalInt mark = OptionalInt.empty();
  private String markLabel = "";
  private OptionalInt notFinite = OptionalInt.empty();
  private boolean points;
  private boolean shortLabels;
  private boolean linearOnly;
  private boolean linearFirst;

  /**
   * @param x whole numbers, rising
   * @param table the id of the table with the same rows
   */
  LineChart(String id, String title, String axisName, double[] x, List<Series> series, String table) {
    this.id = id;
    this.title = title;
    this.axisName = axisName;
    this.x = x;
    this.series = series;
    this.table = table;
    along = Axis.whole((int) x[0], (int) x[x.length - 1]);
  }

  LineChart mark(OptionalInt at, String label) {
    mark = at;
    markLabel = label;
    return this;
  }

  /** From where on values are no longer finite. */
  LineChart notFiniteFrom(OptionalInt at) {
    notFinite = at;
    return this;
  }

  /** Every value is a point too. */
  LineChart withPoints() {
    points = true;
    return this;
  }

  /** Labels are short, like numbers of a legend. */
  LineChart withShortLabels() {
    shortLabels = true;
    return this;
  }

  /** For values that fall to nothing, like a learning rate, of which that is not what one looks for. */
  LineChart linearFirst() {
    linearFirst = true;
    return this;
  }

  /** For values that no one would look at on a logarithmic scale. */
  LineChart linearOnly() {
    linearOnly = true;
    return this;
  }

  void draw(Markup html) {
    double[] finite = series.stream().flatMapToDouble(of -> Arrays.stream(of.values())).filter(Double::isFinite).toArray();
    double smallest = Arrays.stream(finite).min().orElse(0);
    double largest = Arrays.stream(finite).max().orElse(1);
    double[] positive = Arrays.stream(finite).filter(value -> value > 0).toArray();
    double leastPositive = Arrays.stream(positive).min().orElse(1);
    boolean canLog = !linearOnly && smallest >= 0 && positive.length > 1 && largest / leastPositive >= LOG_HELPS;
    html.open("figure", "class", "card").line();
    html.element("h3", title).line();
    if (canLog) {
      html.empty("input", "type", "checkbox", "class", "log", "id", id + "-log",
          "checked", !linearFirst && largest / leastPositive >= LOG_PAYS ? "checked" : null);
      html.element("label", "log scale", "for", id + "-log", "class", "switch").line();
    }
    html.open("svg", "class", "lines", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + (int) HEIGHT, "role", "img",
        "tabindex", "0", "aria-labelledby", id + "-title " + id + "-desc", "data-table", table,
        "data-columns", String.join(" ", series.stream().map(of -> Integer.toString(of.column())).toList()),
        "data-first", (int) x[0], "data-last", (int) x[x.length - 1], "data-left", LEFT, "data-right", right());
    html.element("title", title, "id", id + "-title").element("desc", description(finite.length), "id", id + "-desc").line();
    if (finite.length == 0) {
      html.element("text", "no finite value", "x", (LEFT + right()) / 2, "y", (TOP + BOTTOM) / 2, "text-anchor", "middle");
    }
    drawAlong(html);
    drawScale(html, Axis.linear(smallest, largest), canLog ? "linear" : "only");
    if (canLog) {
      drawScale(html, Axis.log(leastPositive, largest), "logarithmic");
    }
    html.empty("line", "class", "cursor", "x1", LEFT, "x2", LEFT, "y1", TOP, "y2", BOTTOM, "visibility", "hidden");
    html.close("svg").line();
    html.element("output", readout(x.length - 1), "class", "readout", "for", id, "id", id + "-readout").line();
    html.close("figure").line();
  }

  private double right() {
    return series.size() == 1 ? RIGHT_WITHOUT : shortLabels ? RIGHT_WITHOUT - 20 : RIGHT_WITH_LABELS;
  }

  private double xOf(double value) {
    return LEFT + along.at(value) * (right() - LEFT);
  }

  private static double yOf(Axis axis, double value) {
    return BOTTOM - axis.at(value) * (BOTTOM - TOP);
  }

  private String description(int finite) {
    if (finite == 0) {
      return title + ": no value is finite.";
    }
    List<String> ends = new ArrayList<>();
    for (Series of : series) {
      double[] values = Arrays.stream(of.values()).filter(Double::isFinite).toArray();
      if (values.length > 0) {
        ends.add(of.name() + " from " + Figures.brief(values[0]) + " to " + Figures.brief(values[values.length - 1])
            + ", smallest " + Figures.brief(Arrays.stream(values).min().orElseThrow())
            + ", largest " + Figures.brief(Arrays.stream(values).max().orElseThrow()));
      }
    }
    return title + " over " + axisName + " " + (int) x[0] + " to " + (int) x[x.length - 1] + ": " + String.join("; ", ends)
        + ". The table below has the numbers.";
  }

  private String readout(int row) {
    List<String> values = series.stream().map(of -> of.name() + " = " + Figures.table(of.values()[row])).toList();
    return axisName + " " + (int) x[row] + ": " + String.join(" · ", values);
  }

  /** What does not depend on the scale: the lower axis, marks, and where nothing is finite. */
  private void drawAlong(Markup html) {
    if (notFinite.isPresent()) {
      double from = Math.min(xOf(notFinite.getAsInt()), right() - 3);
      Hatch.define(html, id);
      html.empty("rect", "fill", Hatch.fill(id), "x", from, "y", TOP, "width", right() - from, "height", BOTTOM - TOP);
      html.empty("line", "class", "stop", "x1", from, "x2", from, "y1", TOP, "y2", BOTTOM);
    }
    html.empty("line", "class", "axis", "x1", LEFT, "x2", right(), "y1", BOTTOM, "y2", BOTTOM);
    double lastLabelEnd = -1;
    for (Axis.Tick tick : along.ticks()) {
      double at = xOf(tick.value());
      html.empty("line", "class", "axis", "x1", at, "x2", at, "y1", BOTTOM, "y2", BOTTOM + 4);
      double half = tick.label().length() * WIDEST_DIGIT / 2;
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
      label(html, "not finite from " + axisName + " " + Figures.whole(notFinite.getAsInt()), xOf(notFinite.getAsInt()),
          mark.isPresent() ? TOP + 12 : TOP - 5);
    }
  }

  /** Above the drawing, kept inside of it. */
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
      drawCurve(html, axis, series.get(i), i);
    }
    if (series.size() > 1) {
      drawLabels(html, axis);
    }
    if (axis.isLog() && series.stream().flatMapToDouble(of -> Arrays.stream(of.values())).anyMatch(value -> value == 0)) {
      html.element("text", "gaps: 0", "class", "note-label", "x", LEFT, "y", TOP - 5).line();
    }
    html.close("g").line();
  }

  /** Zero has no place on a logarithmic axis. */
  private static boolean isOn(Axis axis, double value) {
    return Double.isFinite(value) && (value > 0 || !axis.isLog());
  }

  private void drawCurve(Markup html, Axis axis, Series of, int index) {
    StringBuilder path = new StringBuilder();
    StringBuilder dots = new StringBuilder();
    boolean down = false;
    for (int i = 0; i < x.length; i++) {
      boolean here = isOn(axis, of.values()[i]);
      if (here) {
        String at = Markup.coordinate(xOf(x[i])) + " " + Markup.coordinate(yOf(axis, of.values()[i]));
        path.append(down ? "L" : "M").append(at);
        boolean alone = !down && (i + 1 == x.length || !isOn(axis, of.values()[i + 1]));
        if (points || alone) {
          dots.append("M").append(at).append("h0");
        }
      }
      down = here;
    }
    String style = "s" + index % STYLES;
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
      if (finite.length > 0) {
        labels.add(new Label(series.get(i).name(), i, yOf(axis, finite[finite.length - 1])));
      }
    }
    labels.sort((one, other) -> Double.compare(one.y(), other.y()));
    double[] y = new double[labels.size()];
    for (int i = 0; i < y.length; i++) {
      y[i] = i == 0 ? labels.get(i).y() : Math.max(labels.get(i).y(), y[i - 1] + BETWEEN_LABELS);
    }
    double lowest = BOTTOM;
    for (int i = y.length - 1; i >= 0; i--) {
      y[i] = Math.min(y[i], lowest);
      lowest = y[i] - BETWEEN_LABELS;
    }
    for (int i = 0; i < y.length; i++) {
      Label label = labels.get(i);
      double end = right() + 5;
      html.empty("path", "class", "leader s" + label.index() % STYLES,
          "d", "M" + Markup.coordinate(right() + 1) + " " + Markup.coordinate(label.y()) + "L" + Markup.coordinate(end) + " "
              + Markup.coordinate(y[i]));
      html.element("text", label.text(), "class", "end s" + label.index() % STYLES, "x", end + 2, "y", y[i] + 4)
          .line();
    }
  }
}
