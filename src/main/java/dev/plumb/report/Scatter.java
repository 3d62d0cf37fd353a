package dev.plumb.report;

import dev.plumb.report.RunReport.Target;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A scatter plot of predicted (y axis) against true values (x axis) of one target as SVG, both on the same scale; correct
 * predictions are on the diagonal. If there are many rows, an evenly spaced subset is drawn; the error measures are those of all
 * rows.
 */
final class Scatter {
  private static final int MAX_POINTS = 1500;
  private static final int GROUPS = 10;

  private static final double WIDTH = 460;
  private static final PlotArea AREA = new PlotArea(84, 414, 14, 344);

  private final String id;
  private final Target target;
  private final int[] finite;
  private final int rows;

  Scatter(String id, Target target) {
    this.id = id;
    this.target = target;
    rows = target.actual().length;
    finite = IntStream.range(0, rows)
        .filter(i -> Double.isFinite(target.actual()[i]) && Double.isFinite(target.predicted()[i]))
        .toArray();
  }

  void draw(Markup html) {
    String title = "Predicted and true values: " + Page.cut(target.name());
    ChartFrame.open(html, id, "scatter", title, errorMeasures(), WIDTH, AREA.bottom() + 46);
    if (finite.length == 0) {
      html.element("text", "no finite prediction", "x", WIDTH / 2, "y", (AREA.top() + AREA.bottom()) / 2, "text-anchor", "middle");
    } else {
      drawPoints(html);
    }
    ChartFrame.close(html, List.of(), errorMeasures());
  }

  private void drawPoints(Markup html) {
    double smallest = Arrays.stream(finite).mapToDouble(i -> Math.min(target.actual()[i], target.predicted()[i])).min().orElse(0);
    double largest = Arrays.stream(finite).mapToDouble(i -> Math.max(target.actual()[i], target.predicted()[i])).max().orElse(1);
    Axis axis = Axis.linear(smallest, largest);
    AREA.drawX(html, axis);
    AREA.drawY(html, axis);
    html.empty("line", "class", "right", "x1", AREA.left(), "y1", AREA.bottom(), "x2", AREA.right(), "y2", AREA.top()).line();
    AREA.drawNames(html, "true value", "predicted");
    html.open("g", "class", "points").line();
    for (int at : Thinning.spread(finite.length, MAX_POINTS)) {
      int row = finite[at];
      html.empty("circle", "cx", AREA.x(axis, target.actual()[row]), "cy", AREA.y(axis, target.predicted()[row]),
          "r", finite.length > 300 ? "2.2" : "3.2");
    }
    html.close("g").line();
  }

  private String errorMeasures() {
    if (finite.length == 0) {
      return "None of the " + Format.whole(rows) + " predictions is finite.";
    }
    double mean = Arrays.stream(finite).mapToDouble(i -> target.actual()[i]).average().orElseThrow();
    double totalSquares = Arrays.stream(finite).mapToDouble(i -> square(target.actual()[i] - mean)).sum();
    double errorSquares = Arrays.stream(finite).mapToDouble(i -> square(error(i))).sum();
    double meanAbsolute = Arrays.stream(finite).mapToDouble(i -> Math.abs(error(i))).average().orElseThrow();
    String rowCount = Format.whole(finite.length) + (finite.length == 1 ? " row" : " rows");
    return "R² " + (totalSquares > 0 ? Format.brief(1 - errorSquares / totalSquares) : "-") 
        + " · MAE " + Format.brief(meanAbsolute)
        + " · RMSE " + Format.brief(Math.sqrt(errorSquares / finite.length)) + " over " + rowCount
        + (finite.length > MAX_POINTS ? ", of which " + Format.whole(MAX_POINTS) + " are drawn" : "")
        + (finite.length < rows ? "; " + Format.whole(rows - finite.length) + " non-finite predictions are excluded"
        : "") + ".";
  }

  /** Draws a table of the rows, grouped by their true value; it replaces the plot for readers who cannot see it. */
  void drawTable(Markup html) {
    if (finite.length == 0) {
      return;
    }
    int[] byTruth = Arrays.stream(finite)
        .boxed()
        .sorted((one, other) -> Double.compare(target.actual()[one], target.actual()[other]))
        .mapToInt(Integer::intValue)
        .toArray();
    int groups = Math.min(GROUPS, byTruth.length);
    html.open("div", "class", "card").line().element("h3", "Rows grouped by their true value").line();
    html.scrolling("Predictions by true value").line();
    html.open("table", "class", "numbers wrapped", "id", id + "-table").line();
    html.open("thead").open("tr");
    for (String head : new String[] {"true values", "rows", "mean true", "mean predicted", "mean abs. error"}) {
      html.element("th", head, "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (int group = 0; group < groups; group++) {
      int[] members = Arrays.copyOfRange(
          byTruth, (int) ((long) group * byTruth.length / groups), (int) ((group + 1L) * byTruth.length / groups));
      html.open("tr");
      double low = target.actual()[members[0]];
      double high = target.actual()[members[members.length - 1]];
      html.element("th", Format.brief(low) + " to " + Format.brief(high), "scope", "row");
      html.element("td", Format.whole(members.length));
      html.element("td", Format.brief(Arrays.stream(members).mapToDouble(i -> target.actual()[i]).average().orElseThrow()));
      html.element("td", Format.brief(Arrays.stream(members).mapToDouble(i -> target.predicted()[i]).average().orElseThrow()));
      html.element("td", Format.brief(Arrays.stream(members).mapToDouble(i -> Math.abs(error(i))).average().orElseThrow()));
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
  }

  private double error(int row) {
    return target.predicted()[row] - target.actual()[row];
  }

  private static double square(double value) {
    return value * value;
  }
}
