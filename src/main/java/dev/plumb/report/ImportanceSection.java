package dev.plumb.report;

import dev.plumb.train.Importance;
import java.util.List;

/** The permutation importance of the columns as horizontal bars with intervals, and as a table. */
final class ImportanceSection {
  private static final String ID = "importance";
  /** Less important columns are only in the table. */
  private static final int MAX_BARS = 30;
  private static final int MAX_LISTED = 500;
  /** Maximum length of a name in the chart, so that it fits a narrow window. */
  private static final int MAX_NAME = 28;

  private static final double WIDTH = 440;
  private static final double LEFT = 16;
  private static final double RIGHT = 424;
  private static final double TOP = 6;
  private static final double ROW = 40;
  private static final double BAR_TOP = 20;
  private static final double BAR = 12;

  private final Importance importance;

  ImportanceSection(Importance importance) {
    this.importance = importance;
  }

  void draw(Page page, String heading) {
    Markup html = page.html();
    page.startSection(ID, heading);
    html.open("div", "class", "charts").line();
    drawChart(html);
    drawTable(html);
    html.close("div").line();
    html.element("p", definition(), "class", "small").line();
    page.endSection();
  }

  private void drawChart(Markup html) {
    List<Importance.Column> shown = importance.columns().subList(0, Math.min(MAX_BARS, importance.columns().size()));
    double height = shown.size() * ROW;
    String title = (importance.metric().isHigherBetter() ? "Decrease" : "Increase") + " of the " + importance.metric().label();
    ChartFrame.open(html, ID + "-bars", "bars", title, sentence(), WIDTH, TOP + height + 26);
    Axis axis = Axis.linear(Math.min(0, shown.stream().mapToDouble(ImportanceSection::low).min().orElse(0)),
        Math.max(0, shown.stream().mapToDouble(ImportanceSection::high).max().orElse(0)));
    PlotArea area = new PlotArea(LEFT, RIGHT, TOP, TOP + height);
    area.drawX(html, axis);
    html.empty("line", "class", "axis", "x1", area.x(axis, 0), "x2", area.x(axis, 0), "y1", TOP, "y2", TOP + height).line();
    html.open("g", "class", "cells").line();
    for (int i = 0; i < shown.size(); i++) {
      drawBar(html, area, axis, shown.get(i), TOP + i * ROW);
    }
    html.close("g").line();
    ChartFrame.close(html, List.of(), sentence());
  }

  private static void drawBar(Markup html, PlotArea area, Axis axis, Importance.Column column, double top) {
    html.element("text", name(column), "class", "name", "x", LEFT, "y", top + BAR_TOP - 6);
    double zero = area.x(axis, 0);
    double end = area.x(axis, column.mean());
    html.empty("rect", "class", "bar", "x", Math.min(zero, end), "y", top + BAR_TOP, "width", Math.abs(end - zero), "height", BAR);
    if (!Double.isNaN(column.low())) {
      double middle = top + BAR_TOP + BAR / 2;
      double from = area.x(axis, column.low());
      double to = area.x(axis, column.high());
      html.empty("line", "class", "interval", "x1", from, "x2", to, "y1", middle, "y2", middle);
      html.empty("line", "class", "interval", "x1", from, "x2", from, "y1", middle - 4, "y2", middle + 4);
      html.empty("line", "class", "interval", "x1", to, "x2", to, "y1", middle - 4, "y2", middle + 4);
    }
    html.line();
  }

  private void drawTable(Markup html) {
    html.open("div", "class", "card").scrolling("Importance").line();
    html.open("table", "class", "numbers wrapped", "id", ID + "-table").line().open("thead").open("tr");
    List.of("column", "importance", "95 % low", "95 % high").forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
    importance.columns().stream().limit(MAX_LISTED).forEach(column -> {
      html.open("tr").element("th", column.name(), "scope", "row").element("td", Format.brief(column.mean()))
          .element("td", Format.score(column.low())).element("td", Format.score(column.high())).close("tr").line();
    });
    html.close("table").close("div").close("div").line();
  }

  private String definition() {
    return "Permutation importance: the " + (importance.metric().isHigherBetter() ? "decrease" : "increase") + " of the "
        + importance.metric().label() + " when the values of one column are permuted among the rows. It is 0 for a column that the"
        + " model ignores. Columns with the same information share their importance, or hide it. The interval is that of the mean"
        + " over all permutations of these rows, by Student's t; other rows would change it further."
        + (importance.columns().size() > MAX_LISTED ? " Only the first " + MAX_LISTED + " of "
            + Format.whole(importance.columns().size()) + " columns are listed." : "");
  }

  private String sentence() {
    Importance.Column first = importance.columns().get(0);
    return "The most important column is \"" + first.name() + "\": permuting it "
        + (importance.metric().isHigherBetter() ? "lowers" : "raises") + " the " + importance.metric().label() + " of "
        + Format.brief(importance.score()) + " by " + Format.brief(first.mean()) + " in the mean of " + Format.whole(importance.repeats())
        + (importance.repeats() == 1 ? " repeat." : " repeats.")
        + (importance.columns().size() > MAX_BARS ? " The chart has the first " + MAX_BARS + " of "
            + Format.whole(importance.columns().size()) + " columns." : "");
  }

  /** Returns the lower limit of the interval; without one, the mean. */
  private static double low(Importance.Column column) {
    return Double.isNaN(column.low()) ? column.mean() : column.low();
  }

  private static double high(Importance.Column column) {
    return Double.isNaN(column.high()) ? column.mean() : column.high();
  }

  private static String name(Importance.Column column) {
    String name = column.name();
    return name.codePointCount(0, name.length()) <= MAX_NAME ? name
        : name.substring(0, name.offsetByCodePoints(0, MAX_NAME - 1)) + "…";
  }
}
