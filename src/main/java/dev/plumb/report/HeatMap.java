package dev.plumb.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Gradient norm by layer (down) and epoch (across) as SVG on a logarithmic colour scale, the last column's numbers beside it.
 * Many epochs are cut into columns of equal length, of which each shows the middle value (the lower median, one that was
 * measured); a column with a value that is not finite is hatched, zero has a ring. The same numbers stand in a table, which the
 * script reads.
 */
final class HeatMap {
  private static final int MAX_COLUMNS = 56;
  private static final int MAX_LAYERS = 64;

  private static final double WIDTH = 440;
  private static final double LEFT = 68;
  private static final double RIGHT = 376;
  private static final double TOP = 24;
  private static final double MAP_HEIGHT = 250;
  private static final double HIGHEST_ROW = 36;
  private static final double LOWEST_LABELLED_ROW = 17;
  private static final double NARROWEST_NUMBERED_CELL = 38;
  private static final double LEGEND = 66;
  private static final int LEGEND_STEPS = 48;

  private final String id;
  private final List<String> names;
  private final int[] layers;
  private final int[] starts;
  private final int[] epochs;
  /** [column][row of the drawing] */
  private final double[][] cells;
  private final ColourScale scale;

  /**
   * @param epochs rising
   * @param norms [epoch][layer], all of one length, at least one of each
   * @param names of the layers
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
        cells[column][row] = middle(Arrays.stream(norms, starts[column], end(column)).mapToDouble(of -> of[layer]).toArray());
      }
    }
    scale = ColourScale.of(Arrays.stream(cells).flatMapToDouble(Arrays::stream).toArray());
  }

  /** Not finite when one of them is not. */
  private static double middle(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double largest = sorted[sorted.length - 1];
    return Double.isFinite(largest) ? sorted[(sorted.length - 1) / 2] : largest;
  }

  void draw(Markup html, String title, String description) {
    double rowHeight = Math.min(HIGHEST_ROW, MAP_HEIGHT / layers.length);
    double bottom = TOP + rowHeight * layers.length;
    double height = bottom + 24 + LEGEND + (marks().isEmpty() ? 0 : 20);
    html.open("figure", "class", "card").line();
    html.element("h3", title).line();
    html.open("svg", "class", "heat", "id", id, "viewBox", "0 0 " + (int) WIDTH + " " + Markup.coordinate(height), "role", "img",
        "tabindex", "0", "aria-labelledby", id + "-title " + id + "-desc", "data-table", id + "-table",
        "data-left", LEFT, "data-right", RIGHT, "data-top", TOP, "data-bottom", bottom,
        "data-columns", starts.length, "data-rows", layers.length);
    html.element("title", title, "id", id + "-title");
    html.element("desc", description + " The table below has the numbers.", "id", id + "-desc").line();
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
    boolean numbered = columnWidth() >= NARROWEST_NUMBERED_CELL && rowHeight >= LOWEST_LABELLED_ROW;
    for (int column = 0; column < starts.length; column++) {
      for (int row = 0; row < layers.length; row++) {
        double value = cells[column][row];
        double x = LEFT + column * columnWidth();
        double y = TOP + row * rowHeight;
        boolean coloured = Double.isFinite(value) && value > 0;
        html.empty("rect", "x", x, "y", y, "width", LEFT + (column + 1) * columnWidth() - x, "height", rowHeight,
            "fill", coloured ? ColourScale.colour(scale.at(value)) : value == 0 ? null : Hatch.fill(id),
            "class", value == 0 ? "zero" : null);
        if (numbered) {
          html.element("text", Figures.cell(value), "x", x + columnWidth() / 2, "y", y + rowHeight / 2 + 4, "text-anchor",
              "middle",
              "class", !coloured ? "in-cell" : ColourScale.wantsDarkText(scale.at(value)) ? "in-cell on-light"
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

  /** Layers at the left, the last column's numbers at the right, epochs below. */
  private void drawLabels(Markup html, double rowHeight, double bottom) {
    int every = (int) Math.ceil(LOWEST_LABELLED_ROW / rowHeight);
    html.element("text", "at the end", "x", WIDTH - 2, "y", TOP - 9, "text-anchor", "end").line();
    for (int row = 0; row < layers.length; row++) {
      boolean last = row == layers.length - 1;
      if (last || row % every == 0 && layers.length - 1 - row >= every) {
        double y = TOP + (row + 0.5) * rowHeight + 4;
        String name = names.get(layers[row]);
        html.element("text", name.length() > 9 ? name.substring(0, 8) + "…" : name, "x", LEFT - 6, "y", y, "text-anchor", "end");
        html.element("text", Figures.cell(cells[cells.length - 1][row]), "x", RIGHT + 6, "y", y).line();
      }
    }
    int most = Math.max(1, Math.min(5, starts.length));
    for (int column : Thinning.spread(starts.length, most)) {
      String text = Figures.whole(epochs[starts[column]]);
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
            "fill", ColourScale.colour((step + 0.5) / LEGEND_STEPS));
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
      html.element("text", "one value alone: " + Figures.brief(scale.low()), "x", LEFT, "y", top + 11).line();
    }
    String marks = marks();
    if (!marks.isEmpty()) {
      html.element("text", marks, "x", LEFT, "y", top + 50).line();
    }
    html.close("g").line();
  }

  private String marks() {
    double[] all = Arrays.stream(cells).flatMapToDouble(Arrays::stream).toArray();
    List<String> marks = new ArrayList<>();
    if (Arrays.stream(all).anyMatch(value -> value == 0)) {
      marks.add("rings: 0");
    }
    if (!Arrays.stream(all).allMatch(Double::isFinite)) {
      marks.add("hatched: not finite");
    }
    return String.join(", ", marks);
  }

  /** The cells' numbers: a row for each column of the map. */
  void drawTable(Markup html) {
    html.open("details").line().element("summary", "Gradient norms as a table").line();
    html.scrolling("Gradient norms").line();
    html.open("table", "class", "numbers", "id", id + "-table").line().open("thead").open("tr");
    html.element("th", "epoch", "scope", "col");
    for (int layer : layers) {
      html.element("th", names.get(layer), "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (int column = 0; column < starts.length; column++) {
      html.open("tr").element("th", span(column), "scope", "row");
      for (double value : cells[column]) {
        html.element("td", Figures.table(value));
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
        : "A column stands for " + Figures.whole(starts[1] - starts[0])
        + " epochs, the last one for the rest, and shows their median. ";
    String rows = layers.length == names.size()
        ? ""
        : "Of " + Figures.whole(names.size()) + " layers " + layers.length + " are shown, evenly spread.";
    return (columns + rows).strip();
  }
}
