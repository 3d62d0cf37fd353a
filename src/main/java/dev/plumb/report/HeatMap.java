package dev.plumb.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A heat map of gradient norms by layer (rows) and epoch (columns) as SVG, on a logarithmic color scale, with the last column's
 * numbers at its right. If there are many epochs, a column combines several and shows their lower median, which is a measured
 * value. Non-finite values are hatched, zeros have a ring. The same numbers are in a table, which the page's script reads.
 */
final class HeatMap {
  private static final int MAX_COLUMNS = 56;
  private static final int MAX_LAYERS = 64;

  private static final double WIDTH = 440;
  private static final double LEFT = 68;
  private static final double RIGHT = 376;
  private static final double TOP = 24;
  private static final double MAP_HEIGHT = 250;
  private static final double MAX_ROW_HEIGHT = 36;
  private static final double MIN_LABELED_ROW_HEIGHT = 17;
  private static final double MIN_NUMBERED_CELL_WIDTH = 38;
  private static final double LEGEND = 66;
  private static final int LEGEND_STEPS = 48;

  private final String id;
  private final List<String> names;
  private final int[] layers;
  private final int[] starts;
  private final int[] epochs;
  /** Gradient norms, [column][row of the drawing]. */
  private final double[][] cells;
  private final ColorScale scale;

  /**
   * @param epochs in ascending order
   * @param norms [epoch][layer], at least one of each
   * @param names names of the layers
   */
  HeatMap(String id, int[] epochs, double[][] norms, List<String> names) {
    this.id = id;
    this.epochs = epochs;
    this.names = names;
    layers = Thinning.spread(names.size(), MAX_LAYERS);
    int length = (epochs.length + MAX_COLUMNS - 1) / MAX_COLUMNS;
    starts = new int[(epochs.length + length - 1) / length];
    Arrays.setAll(starts, column -> column * length);
    cells = new double[starts.length][layers.length];
    for (int column = 0; column < starts.length; column++) {
      for (int row = 0; row < layers.length; row++) {
        int layer = layers[row];
        cells[column][row] = lowerMedian(
            Arrays.stream(norms, starts[column], end(column)).mapToDouble(epoch -> epoch[layer]).toArray());
      }
    }
    scale = ColorScale.of(Arrays.stream(cells).flatMapToDouble(Arrays::stream).toArray());
  }

  /** Returns the lower median; a non-finite value if there is one. */
  private static double lowerMedian(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double largest = sorted[sorted.length - 1];
    return Double.isFinite(largest) ? sorted[(sorted.length - 1) / 2] : largest;
  }

  void draw(Markup html, String title, String description) {
    double rowHeight = Math.min(MAX_ROW_HEIGHT, MAP_HEIGHT / layers.length);
    double bottom = TOP + rowHeight * layers.length;
    double height = bottom + 24 + LEGEND + (marks().isEmpty() ? 0 : 20);
    html.open("figure", "class", "card").line();
    html.element("h3", title).line();
    html.open("svg", "class", "heat", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + Markup.coordinate(height), "role", "img",
        "tabindex", "0", "aria-labelledby", id + "-title " + id + "-desc", "data-table", id + "-table",
        "data-left", LEFT, "data-right", RIGHT, "data-top", TOP, "data-bottom", bottom,
        "data-columns", starts.length, "data-rows", layers.length);
    html.element("title", title, "id", id + "-title");
    html.element("desc", description + " The values are in the table below.", "id", id + "-desc").line();
    Hatch.define(html, id);
    drawCells(html, rowHeight);
    drawLabels(html, rowHeight, bottom);
    drawLegend(html, bottom + 52);
    html.empty("rect", "class", "cursor", "x", LEFT, "y", TOP, "width", columnWidth(), "height", rowHeight, "visibility",
        "hidden");
    html.close("svg").line();
    html.element("output", "", "class", "readout", "for", id, "id", id + "-readout").line();
    html.close("figure").line();
  }

  private double columnWidth() {
    return (RIGHT - LEFT) / starts.length;
  }

  private void drawCells(Markup html, double rowHeight) {
    html.open("g", "class", "cells").line();
    boolean numbered = columnWidth() >= MIN_NUMBERED_CELL_WIDTH && rowHeight >= MIN_LABELED_ROW_HEIGHT;
    for (int column = 0; column < starts.length; column++) {
      for (int row = 0; row < layers.length; row++) {
        double value = cells[column][row];
        double x = LEFT + column * columnWidth();
        double y = TOP + row * rowHeight;
        boolean colored = Double.isFinite(value) && value > 0;
        html.empty("rect", "x", x, "y", y, "width", LEFT + (column + 1) * columnWidth() - x, "height", rowHeight,
            "fill", colored ? ColorScale.color(scale.at(value)) : value == 0 ? null : Hatch.fill(id),
            "class", value == 0 ? "zero" : null);
        if (numbered) {
          html.element("text", Format.cell(value), "x", x + columnWidth() / 2, "y", y + rowHeight / 2 + 4, "text-anchor",
              "middle",
              "class", !colored ? "in-cell" : ColorScale.needsDarkText(scale.at(value)) ? "in-cell on-light"
              : "in-cell on-dark");
        } else if (value == 0) {
          html.empty("circle", "class", "ring", "cx", x + columnWidth() / 2, "cy", y + rowHeight / 2,
              "r", Math.min(columnWidth(), rowHeight) / 4);
        }
      }
      html.line();
    }
    html.close("g").line();
  }

  /** Draws the layers' names at the left, the last column's numbers at the right, and the epochs below. */
  private void drawLabels(Markup html, double rowHeight, double bottom) {
    int every = (int) Math.ceil(MIN_LABELED_ROW_HEIGHT / rowHeight);
    html.element("text", "at the end", "x", WIDTH - 2, "y", TOP - 9, "text-anchor", "end").line();
    for (int row = 0; row < layers.length; row++) {
      boolean last = row == layers.length - 1;
      if (last || row % every == 0 && layers.length - 1 - row >= every) {
        double y = TOP + (row + 0.5) * rowHeight + 4;
        String name = names.get(layers[row]);
        html.element("text", name.length() > 9 ? name.substring(0, 8) + "…" : name, "x", LEFT - 6, "y", y, "text-anchor", "end");
        html.element("text", Format.cell(cells[cells.length - 1][row]), "x", RIGHT + 6, "y", y).line();
      }
    }
    int maxLabels = Math.max(1, Math.min(5, starts.length));
    for (int column : Thinning.spread(starts.length, maxLabels)) {
      String text = Format.whole(epochs[starts[column]]);
      html.element("text", text, "x", LEFT + (column + 0.5) * columnWidth(), "y", bottom + 16, "text-anchor", "middle").line();
    }
    html.element("text", "epoch", "x", (LEFT + RIGHT) / 2, "y", bottom + 33, "text-anchor", "middle").line();
  }

  private void drawLegend(Markup html, double top) {
    html.open("g", "class", "legend").line();
    if (scale.high() > scale.low()) {
      double width = (RIGHT - LEFT) / LEGEND_STEPS;
      for (int step = 0; step < LEGEND_STEPS; step++) {
        html.empty("rect", "x", LEFT + step * width, "y", top, "width", width + 0.3, "height", 12.0,
            "fill", ColorScale.color((step + 0.5) / LEGEND_STEPS));
      }
      html.line();
      double free = LEFT - 40;
      for (Axis.Tick tick : Axis.log(scale.low(), scale.high()).ticks()) {
        double at = scale.at(tick.value());
        double x = LEFT + at * (RIGHT - LEFT);
        double half = tick.label().length() * 4.2;
        if (at >= 0 && at <= 1 && x - half > free) {
          html.empty("line", "class", "axis", "x1", x, "x2", x, "y1", top + 12, "y2", top + 16);
          html.element("text", tick.label(), "x", x, "y", top + 30, "text-anchor", "middle").line();
          free = x + half;
        }
      }
      html.element("text", "norm", "x", LEFT - 6, "y", top + 11, "text-anchor", "end").line();
    } else {
      html.element("text", "all values: " + Format.brief(scale.low()), "x", LEFT, "y", top + 11).line();
    }
    String marks = marks();
    if (!marks.isEmpty()) {
      html.element("text", marks, "x", LEFT, "y", top + 50).line();
    }
    html.close("g").line();
  }

  private String marks() {
    double[] values = Arrays.stream(cells).flatMapToDouble(Arrays::stream).toArray();
    List<String> marks = new ArrayList<>();
    if (Arrays.stream(values).anyMatch(value -> value == 0)) {
      marks.add("ring: 0");
    }
    if (!Arrays.stream(values).allMatch(Double::isFinite)) {
      marks.add("hatched: not finite");
    }
    return String.join(", ", marks);
  }

  /** Draws the table of the cells' numbers, with one row per column of the map. */
  void drawTable(Markup html, String summary) {
    html.open("details").line().element("summary", summary).line();
    html.scrolling(summary).line();
    html.open("table", "class", "numbers", "id", id + "-table").line().open("thead").open("tr");
    html.element("th", "epoch", "scope", "col");
    for (int layer : layers) {
      html.element("th", names.get(layer), "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (int column = 0; column < starts.length; column++) {
      html.open("tr").element("th", span(column), "scope", "row");
      for (double value : cells[column]) {
        html.element("td", Format.table(value));
      }
      html.close("tr").line();
    }
    html.close("table").close("div").line();
    String note = note();
    if (!note.isEmpty()) {
      html.element("p", note, "class", "small").line();
    }
    html.close("details").line();
  }

  private int end(int column) {
    return column + 1 < starts.length ? starts[column + 1] : epochs.length;
  }

  private String span(int column) {
    int first = epochs[starts[column]];
    int last = epochs[end(column) - 1];
    return first == last ? Integer.toString(first) : first + "-" + last;
  }

  private String note() {
    String columns = starts.length == epochs.length
        ? ""
        : "Each column shows the median of " + Format.whole(starts[1] - starts[0])
        + " epochs, the last one that of the remaining epochs. ";
    String rows = layers.length == names.size()
        ? ""
        : layers.length + " of " + Format.whole(names.size()) + " layers are shown, evenly spaced.";
    return (columns + rows).strip();
  }
}
