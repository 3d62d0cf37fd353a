package dev.plumb.report;

import dev.plumb.report.StudyFigures.Spread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Final losses of networks as SVG, the smallest first: a point on a line for each, with the quartiles as a bar where there are
 * several runs, on a logarithmic scale where the losses are positive and far apart.
 */
final class LossRanking {
  private static final int MOST = 40;

  private static final double WIDTH = 440;
  private static final double LEFT = 40;
  private static final double RIGHT = 360;
  private static final double TOP = 8;
  private static final double HIGHEST_ROW = 36;
  private static final double LOWEST_ROW = 22;
  private static final double ALL_ROWS = 190;
  private static final double LOG_PAYS = 10;

  private record Row(int number, String name, Spread loss) {}

  private final List<Row> rows = new ArrayList<>();
  private final int all;

  LossRanking(List<StudyFigures> networks) {
    all = networks.size();
    for (int i = 0; i < all; i++) {
      rows.add(new Row(i + 1, networks.get(i).network().name(), networks.get(i).finalLoss()));
    }
    rows.sort(Comparator.comparingDouble((Row row) -> Double.isFinite(row.loss().median()) ? row.loss().median()
        : Double.MAX_VALUE));
  }

  /** The best, in words. */
  String sentence() {
    List<Row> finite = rows.stream().filter(row -> Double.isFinite(row.loss().median())).toList();
    if (finite.isEmpty()) {
      return "No network came to a finite loss.";
    }
    Row best = finite.get(0);
    String lowest = "The lowest final loss is " + Figures.brief(best.loss().median()) + ", of " + Page.cut(best.name());
    Row worst = finite.get(finite.size() - 1);
    double factor = worst.loss().median() / best.loss().median();
    return finite.size() == 1
        ? lowest + "."
        : lowest + "; the highest is " + Figures.brief(worst.loss().median()) + ", of " + Page.cut(worst.name())
            + (factor > 1 && best.loss().median() > 0 ? ", larger by a factor of " + Figures.factor(factor) : "") + ".";
  }

  void draw(Markup html) {
    List<Row> shown = rows.subList(0, Math.min(MOST, all));
    double[] finite = shown.stream()
        .flatMapToDouble(row -> DoubleStream.of(row.loss().low(), row.loss().median(), row.loss().high()))
        .filter(Double::isFinite)
        .toArray();
    double smallest = Arrays.stream(finite).min().orElse(0);
    double largest = Arrays.stream(finite).max().orElse(1);
    Axis axis = smallest > 0 && largest / smallest >= LOG_PAYS ? Axis.log(smallest, largest) : Axis.linear(smallest, largest);
    double height = Math.max(LOWEST_ROW, Math.min(HIGHEST_ROW, ALL_ROWS / shown.size()));
    double bottom = TOP + shown.size() * height;
    html.open("figure", "class", "card").line().element("h3", "Final loss, the smallest first").line();
    html.open("svg", "class", "ranking", "id", "ranking", "viewBox", "0 0 " + (int) WIDTH + " " + (int) (bottom + 42), "role",
        "img",
        "aria-labelledby", "ranking-title ranking-desc");
    html.element("title", "Final loss, the smallest first", "id", "ranking-title");
    html.element("desc", sentence() + " The table above has the numbers.", "id", "ranking-desc").line();
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
    if (shown.size() < all) {
      html.element("p", "Of " + Figures.whole(all) + " networks the " + MOST + " with the smallest loss are shown.", "class",
          "small").line();
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
    html.element("text", Figures.brief(loss.median()), "x", WIDTH - 4, "y", y + 4, "text-anchor", "end").line();
  }
}
