package dev.plumb.report;

import dev.plumb.study.Hyperparameter;
import dev.plumb.study.SearchSpace.Choice;
import dev.plumb.study.SearchSpace.Distribution;
import dev.plumb.study.SearchSpace.Range;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResult.Standing;
import dev.plumb.train.TrainConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The scores of the candidates by one hyperparameter as SVG: a point per candidate. Numbers that are drawn from a range have an
 * axis, other values a column each, in which the points are spread.
 */
final class HyperparameterChart {
  /** More different numbers than this have an axis. */
  private static final int MAX_COLUMNS = 8;
  /** Of more candidates, an evenly spaced subset of their ranking is drawn. */
  static final int MAX_POINTS = 600;
  private static final double WIDTH = 320;
  private static final PlotArea AREA = new PlotArea(52, 310, 12, 192);
  /** Width of a column next to an axis. */
  private static final double SIDE_COLUMN = 44;
  private static final double LABEL_ROW = 15;
  /** Width of a character of a label, including some space between labels. */
  private static final double CHARACTER_WIDTH = 7.6;
  /** Part of a column in which the points are spread, and its maximum width. */
  private static final double SPREAD = 0.6;
  private static final double MAX_SPREAD = 36;
  /** The fractional parts of its multiples are spread evenly over 0 to 1. */
  private static final double GOLDEN_RATIO = 0.6180339887498949;

  private final Hyperparameter parameter;
  private final TuningResult result;
  private final ScoreAxis scores;
  /** The axis of the numbers; empty if all values have columns. */
  private final Optional<Axis> axis;
  /** The columns of the other values, from left to right. */
  private final List<Column> columns;

  /**
   * A column of points.
   *
   * @param text of the value
   * @param place by which columns are sorted
   */
  private record Column(String text, String label, double place) {}

  HyperparameterChart(Hyperparameter parameter, TuningResult result, ScoreAxis scores) {
    this.parameter = parameter;
    this.result = result;
    this.scores = scores;
    axis = axis();
    columns = result.candidates().stream().filter(config -> axis.isEmpty() || !isOnAxis(axis.get(), config)).map(this::column)
        .distinct().sorted(Comparator.comparingDouble(Column::place)).toList();
  }

  /** Returns whether candidates differ in a hyperparameter. */
  static boolean differs(Hyperparameter parameter, TuningResult result) {
    return result.candidates().stream().map(parameter::text).distinct().count() > 1;
  }

  private Optional<Distribution> distribution() {
    return Optional.ofNullable(result.spec().space().distributions().get(parameter));
  }

  private Optional<Axis> axis() {
    double[] numbers = result.candidates().stream().map(parameter::value).flatMap(Optional::stream)
        .filter(Number.class::isInstance).mapToDouble(value -> ((Number) value).doubleValue()).sorted().distinct().toArray();
    boolean isRange = distribution().filter(Range.class::isInstance).isPresent();
    if (numbers.length < 2 || !isRange && numbers.length <= MAX_COLUMNS) {
      return Optional.empty();
    }
    int last = numbers.length - 1;
    boolean log = isRange ? ((Range) distribution().get()).isLog() : numbers[0] > 0
        && numbers[last] >= LineChart.LOG_BY_DEFAULT * numbers[0];
    if (!log) {
      return Optional.of(Axis.linear(numbers[0], numbers[last]));
    }
    int first = 0;
    while (first < last && !(numbers[first] > 0)) {
      first++;
    }
    return Optional.of(Axis.log(numbers[first], numbers[last]));
  }

  private boolean isOnAxis(Axis of, TrainConfig config) {
    return parameter.value(config).filter(value -> value instanceof Number number && (!of.isLog() || number.doubleValue() > 0))
        .isPresent();
  }

  /** Returns the column of a value: numbers are sorted by value, words in the order of the space, and no value is last. */
  private Column column(TrainConfig config) {
    String text = parameter.text(config);
    Object value = parameter.value(config).orElse(null);
    if (value instanceof Number number) {
      return new Column(text, Format.brief(number.doubleValue()), number.doubleValue());
    }
    int index = distribution().filter(Choice.class::isInstance).map(of -> ((Choice) of).values().indexOf(value)).orElse(-1);
    return new Column(text, text, value == null ? Double.POSITIVE_INFINITY : index >= 0 ? index : Double.MAX_VALUE);
  }

  void draw(Markup html, List<Standing> drawn) {
    String id = "by-" + parameter.key();
    String title = GridReport.capitalized(parameter.label());
    double columnWidth = axis.isPresent() ? SIDE_COLUMN : (AREA.right() - AREA.left()) / columns.size();
    int[] rows = labelRows(columnWidth);
    ChartFrame.open(html, id, null, title, title + " and " + result.metric().label() + ": " + sentence(), WIDTH,
        AREA.bottom() + 24 + Arrays.stream(rows).max().orElse(0) * LABEL_ROW);
    scores.draw(html, AREA);
    PlotArea numbers = new PlotArea(AREA.left() + (axis.isPresent() ? columns.size() * columnWidth : 0), AREA.right(), AREA.top(),
        AREA.bottom());
    axis.ifPresent(of -> numbers.drawX(html, of));
    for (int column = 0; column < columns.size(); column++) {
      double x = AREA.left() + (column + 0.5) * columnWidth;
      html.empty("line", "class", "grid", "x1", x, "x2", x, "y1", AREA.top(), "y2", AREA.bottom());
      html.element("text", columns.get(column).label(), "x", x, "y", AREA.bottom() + 17 + rows[column] * LABEL_ROW,
          "text-anchor", "middle").line();
    }
    html.open("g", "class", "points candidates").line();
    for (Standing standing : inOrder(drawn)) {
      TrainConfig config = result.candidates().get(standing.candidate());
      double x = axis.isPresent() && isOnAxis(axis.get(), config)
          ? numbers.x(axis.get(), ((Number) parameter.value(config).orElseThrow()).doubleValue())
          : AREA.left() + (columns.indexOf(column(config)) + 0.5) * columnWidth + jitter(standing.candidate(), columnWidth);
      new Mark(result, standing).draw(html, x, scores.y(AREA, standing.score().mean()));
    }
    html.close("g").line();
    ChartFrame.close(html, List.of(), sentence());
  }

  /** Returns the row of each column's label, such that labels do not overlap. */
  private int[] labelRows(double columnWidth) {
    List<Double> ends = new ArrayList<>();
    int[] rows = new int[columns.size()];
    for (int column = 0; column < rows.length; column++) {
      double half = columns.get(column).label().length() * CHARACTER_WIDTH / 2;
      double middle = (column + 0.5) * columnWidth;
      while (rows[column] < ends.size() && middle - half < ends.get(rows[column])) {
        rows[column]++;
      }
      if (rows[column] == ends.size()) {
        ends.add(0.0);
      }
      ends.set(rows[column], middle + half);
    }
    return rows;
  }

  private static double jitter(int candidate, double columnWidth) {
    double place = candidate * GOLDEN_RATIO;
    return (place - Math.floor(place) - 0.5) * Math.min(MAX_SPREAD, SPREAD * columnWidth);
  }

  /** Returns the standings such that those that got further, the base candidate and the winner are on top of others. */
  private List<Standing> inOrder(List<Standing> drawn) {
    return drawn.stream().sorted(Comparator.comparing(standing -> new Mark(result, standing).kind())).toList();
  }

  private String sentence() {
    Standing winner = result.standings().get(0);
    return "winner: " + parameter.text(result.candidates().get(winner.candidate())) + (winner == result.base() ? ""
        : "; without a search: " + parameter.text(result.candidates().get(result.base().candidate())));
  }

  /** A point of a chart. */
  private record Mark(Kind kind, String title) {
    /** The kinds of points, from those at the bottom to the one on top. */
    enum Kind { EARLY, MIDDLE, LAST, BASE, WINNER }

    Mark(TuningResult result, Standing standing) {
      this(kind(result, standing), "candidate " + standing.candidate() + ": " + Format.brief(standing.score().mean()) + ", "
          + result.ladder().get(standing.rung()).epochs() + " epochs");
    }

    private static Kind kind(TuningResult result, Standing standing) {
      return standing == result.standings().get(0) ? Kind.WINNER : standing == result.base() ? Kind.BASE
          : standing.lastRung() == result.ladder().size() - 1 ? Kind.LAST : standing.lastRung() > 0 ? Kind.MIDDLE : Kind.EARLY;
    }

    void draw(Markup html, double x, double y) {
      switch (kind) {
        case EARLY -> html.open("circle", "class", "early", "cx", x, "cy", y, "r", 2.5);
        case MIDDLE -> html.open("circle", "class", "middle", "cx", x, "cy", y, "r", 3.0);
        case LAST -> html.open("circle", "cx", x, "cy", y, "r", 3.5);
        case BASE -> html.open("path", "class", "base", "d",
            "M" + Markup.coordinate(x) + " " + Markup.coordinate(y - 6.5) + "l6.5 6.5l-6.5 6.5l-6.5 -6.5Z");
        case WINNER -> html.open("circle", "class", "winner", "cx", x, "cy", y, "r", 6.0);
      }
      if (!title.isEmpty()) {
        html.element("title", title);
      }
      html.close().line();
    }
  }

  /** Draws a legend of the points. */
  static void drawLegend(Markup html, TuningResult result, List<Standing> drawn) {
    List<Mark.Kind> kinds = drawn.stream().map(standing -> Mark.kind(result, standing)).distinct()
        .sorted(Comparator.reverseOrder()).toList();
    html.open("ul", "class", "key").line();
    for (Mark.Kind kind : kinds) {
      html.open("li").open("svg", "class", "points candidates", "viewBox", "0 0 34 14", "aria-hidden", "true");
      new Mark(kind, "").draw(html, 17, 7);
      html.close("svg").element("span", switch (kind) {
        case WINNER -> "winner, candidate " + result.standings().get(0).candidate();
        case BASE -> "best without a search, candidate " + result.base().candidate();
        case LAST -> "trained for the last rung";
        case MIDDLE -> "ended in a middle rung";
        case EARLY -> "ended in the first rung";
      }).close("li").line();
    }
    html.close("ul").line();
  }
}
