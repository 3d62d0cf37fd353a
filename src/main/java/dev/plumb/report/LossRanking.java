package dev.plumb.report;

import dev.plumb.report.NetworkSummary.Spread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A chart of the networks' final losses as SVG, in ascending order: one point per network, with a bar for the quartiles if there
 * are several runs. The scale is logarithmic if the losses are positive and differ by a large factor.
 */
final class LossRanking {
  private static final int MAX_NETWORKS = 40;

  private static final double WIDTH = 440;
  private static final double LEFT = 40;
  private static final double RIGHT = 360;
  private static final double TOP = 8;
  private static final double MAX_ROW_HEIGHT = 36;
  private static final double MIN_ROW_HEIGHT = 22;
  private static final double TOTAL_HEIGHT = 190;
  private static final double MIN_LOG_RATIO = 10;

  private record Row(int number, String name, Spread loss) {}

  private final List<Row> rows = new ArrayList<>();
  private final int total;

  LossRanking(List<NetworkSummary> networks) {
    total = networks.size();
    for (int i = 0; i < total; i++) {
      rows.add(new Row(i + 1, networks.get(i).network().name(), networks.get(i).finalLoss()));
    }
    rows.sort(Comparator.comparingDouble((Row row) -> Double.isFinite(row.loss().median()) ? row.loss().median()
        : Double.MAX_VALUE));
  }

  /** Returns a sentence on the lowest and the highest loss. */
  String sentence() {
    List<Row> finite = rows.stream().filter(row -> Double.isFinite(row.loss().median())).toList();
    if (finite.isEmpty()) {
      return "No network has a finite final loss.";
    }
    Row best = finite.get(0);
    String lowest = "The lowest final loss is " + Format.brief(best.loss().median()) + " (" + Page.cut(best.name()) + ")";
    Row worst = finite.get(finite.size() - 1);
    double factor = worst.loss().median() / best.loss().median();
    return finite.size() == 1
        ? lowest + "."
        : lowest + "; the highest is " + Format.brief(worst.loss().median()) + " (" + Page.cut(worst.name()) + ")"
            + (factor > 1 && best.loss().median() > 0 ? ", higher by a factor of " + Format.factor(factor) : "") + ".";
  }

  void draw(Markup html) {
    List<Row> shown = rows.subList(0, Math.min(MAX_NETWORKS, total));
    double[] finite = shown.stream()
        .flatMapToDouble(row -> DoubleStream.of(row.loss().low(), row.loss().median(), row.loss().high()))
        .filter(Double::isFinite)
        .toArray();
    double smallest = Arrays.stream(finite).min().orElse(0);
    double largest = Arrays.stream(finite).max().orElse(1);
    Axis axis = smallest > 0 && largest / smallest >= MIN_LOG_RATIO
        ? Axis.log(smallest, largest)
        : Axis.linear(smallest, largest);
    double height = Math.max(MIN_ROW_HEIGHT, Math.min(MAX_ROW_HEIGHT, TOTAL_HEIGHT / shown.size()));
    double bottom = TOP + shown.size() * height;
    html.open("figure", "class", "card").line().element("h3", "Final loss, ascending").line();
    html.open("svg", "class", "ranking", "id", "ranking", "viewBox", "0 0 " + (int) WIDTH + " " + (int) (bottom + 42), "role",
        "img",
        "aria-labelledby", "ranking-title ranking-desc");
    html.element("title", "Final loss, ascending", "id", "ranking-title");
    html.element("desc", sentence() + " The values are in the table above.", "id", "ranking-desc").line();
    double free = 0;
    for (Axis.Tick tick : axis.ticks()) {
      double x = LEFT + axis.at(tick.value()) * (RIGHT - LEFT);
      double half = tick.label().length() * 4.2;
      html.empty("line", "class", "grid", "x1", x, "x2", x, "y1", TOP, "y2", bottom);
      if (x - half > free) {
        html.element("text", tick.label(), "x", x, "y", bottom + 16, "text-anchor", "middle").line();
        free = x + half;
      }
    }
    html.element("text", axis.isLog() ? "final loss, log scale" : "final loss", "x", (LEFT + RIGHT) / 2, "y", bottom + 35,
        "text-anchor", "middle").line();
    for (int i = 0; i < shown.size(); i++) {
      drawRow(html, axis, shown.get(i), TOP + (i + 0.5) * height);
    }
    html.close("svg").line();
    if (shown.size() < total) {
      html.element("p", "The " + MAX_NETWORKS + " of " + Format.whole(total) + " networks with the lowest losses are shown.",
          "class", "small").line();
    }
    html.close("figure").line();
  }

  private static void drawRow(Markup html, Axis axis, Row row, double y) {
    String style = "s" + (row.number() - 1) % LineChart.STYLES;
    html.element("text", Integer.toString(row.number()), "class", "end " + style, "x", LEFT - 10, "y", y + 4, "text-anchor",
        "end");
    Spread loss = row.loss();
    if (!Double.isFinite(loss.median())) {
      html.element("text", "not finite", "x", LEFT + 4, "y", y + 4).line();
      return;
    }
    double x = LEFT + axis.at(loss.median()) * (RIGHT - LEFT);
    html.empty("line", "class", "axis", "x1", LEFT, "x2", x, "y1", y, "y2", y);
    if (loss.high() > loss.low()) {
      html.empty("line", "class", "quartiles " + style, "x1", LEFT + axis.at(loss.low()) * (RIGHT - LEFT),
          "x2", LEFT + axis.at(loss.high()) * (RIGHT - LEFT), "y1", y, "y2", y);
    }
    html.empty("path", "class", "dots " + style, "d", "M" + Markup.coordinate(x) + " " + Markup.coordinate(y) + "h0");
    html.element("text", Format.brief(loss.median()), "x", WIDTH - 4, "y", y + 4, "text-anchor", "end").line();
  }
}
