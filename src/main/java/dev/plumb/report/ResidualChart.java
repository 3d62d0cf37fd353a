package dev.plumb.report;

import dev.plumb.train.Residuals;
import dev.plumb.train.Residuals.Group;
import java.util.List;

/**
 * The residuals of one target by its prediction as SVG: for each group of rows, a thin line from the 5 % to the 95 % quantile, a
 * thick one from the 25 % to the 75 % quantile and a point at the median. The table below the chart has the same numbers.
 */
final class ResidualChart {
  private static final double WIDTH = 460;
  private static final PlotArea AREA = new PlotArea(84, 440, 14, 344);
  private static final int MEDIAN = 2;

  private final String id;
  private final String name;
  private final List<Group> groups;

  ResidualChart(String id, String name, Residuals residuals) {
    this.id = id;
    this.name = name;
    groups = residuals.groups();
  }

  void draw(Markup html) {
    String title = "Residuals by prediction: " + Page.cut(name);
    ChartFrame.open(html, id, "residuals", title, sentence(), WIDTH, AREA.bottom() + 46);
    if (groups.isEmpty()) {
      html.element("text", "no finite prediction", "x", WIDTH / 2, "y", (AREA.top() + AREA.bottom()) / 2, "text-anchor", "middle");
    } else {
      drawGroups(html);
    }
    ChartFrame.close(html, List.of(), sentence());
  }

  private void drawGroups(Markup html) {
    Axis predictions = Axis.linear(groups.get(0).meanPrediction(), groups.get(groups.size() - 1).meanPrediction());
    // The line of no error is always visible.
    Axis residuals = Axis.linear(Math.min(0, groups.stream().mapToDouble(group -> group.quantiles().get(0)).min().orElseThrow()),
        Math.max(0, groups.stream().mapToDouble(group -> group.quantiles().get(2 * MEDIAN)).max().orElseThrow()));
    drawAxes(html, predictions, residuals);
    html.open("g", "class", "points").line();
    for (Group group : groups) {
      double x = AREA.x(predictions, group.meanPrediction());
      double[] y = group.quantiles().stream().mapToDouble(quantile -> AREA.y(residuals, quantile)).toArray();
      html.empty("line", "class", "s0", "x1", x, "x2", x, "y1", y[0], "y2", y[2 * MEDIAN]);
      html.empty("line", "class", "quartiles s0", "x1", x, "x2", x, "y1", y[MEDIAN - 1], "y2", y[MEDIAN + 1]);
      html.empty("circle", "cx", x, "cy", y[MEDIAN], "r", "4").line();
    }
    html.close("g").line();
  }

  private static void drawAxes(Markup html, Axis predictions, Axis residuals) {
    AREA.drawX(html, predictions);
    AREA.drawY(html, residuals);
    double zero = AREA.y(residuals, 0);
    html.empty("line", "class", "right", "x1", AREA.left(), "x2", AREA.right(), "y1", zero, "y2", zero).line();
    AREA.drawNames(html, "predicted", "true value - predicted");
  }

  /** Draws the table of the groups. */
  void drawTable(Markup html) {
    if (groups.isEmpty()) {
      return;
    }
    html.open("div", "class", "card").line().element("h3", "Rows grouped by their prediction").line();
    html.scrolling("Residuals by prediction").line();
    html.open("table", "class", "numbers wrapped", "id", id + "-table").line().open("thead").open("tr");
    for (String head : List.of("predictions", "5 %", "25 %", "median", "75 %", "95 %")) {
      html.element("th", head, "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (Group group : groups) {
      html.open("tr").element("th", Format.brief(group.low()) + " to " + Format.brief(group.high()), "scope", "row");
      group.quantiles().forEach(quantile -> html.element("td", Format.brief(quantile)));
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
  }

  private String sentence() {
    if (groups.isEmpty()) {
      return "There is no finite prediction.";
    }
    int rows = groups.stream().mapToInt(Group::rows).sum();
    return "Quantiles of the residuals of " + Format.whole(rows) + (rows == 1 ? " row" : " rows") + ", sorted by prediction, in "
        + groups.size() + (groups.size() == 1 ? " group" : " groups of equal size") + ": point: median; thick line: 25 % to 75 %; thin line: 5 % to 95 %. Medians from "
        + Format.brief(groups.stream().mapToDouble(group -> group.quantiles().get(MEDIAN)).min().orElseThrow()) + " to "
        + Format.brief(groups.stream().mapToDouble(group -> group.quantiles().get(MEDIAN)).max().orElseThrow()) + ".";
  }
}
