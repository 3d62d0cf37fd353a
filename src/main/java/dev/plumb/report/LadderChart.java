package dev.plumb.report;

import dev.plumb.report.LineChart.Look;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResult.Standing;
import dev.plumb.study.TuningTrial;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The scores of a hyperparameter search by rung as SVG: a line per candidate, from rung to rung. Scores are the mean over the
 * folds, from one seed.
 */
final class LadderChart {
  private static final String ID = "ladder-chart";
  /** Of more candidates, an evenly spaced subset of their ranking is drawn. */
  private static final int MAX_LINES = 1500;
  private static final double WIDTH = 440;
  private static final PlotArea AREA = new PlotArea(56, 368, 18, 258);
  /** Distance of the outer rungs from the edges. */
  private static final double INSET = 24;
  private static final double LABEL_SPACING = 16;

  private final TuningResult result;
  private final double[][] scores;
  private final int winner;
  private final int base;

  LadderChart(TuningResult result) {
    this.result = result;
    scores = scores(result);
    winner = result.standings().get(0).candidate();
    base = result.base().candidate();
  }

  /** Returns the scores by candidate and rung; NaN where it diverged or was not trained. */
  private static double[][] scores(TuningResult result) {
    double[][] sums = new double[result.candidates().size()][result.ladder().size()];
    int[][] counts = new int[sums.length][result.ladder().size()];
    for (TuningTrial trial : result.trials()) {
      if (trial.seed() == 0) {
        sums[trial.candidate()][trial.rung()] += trial.score();
        counts[trial.candidate()][trial.rung()]++;
      }
    }
    for (int i = 0; i < sums.length; i++) {
      for (int rung = 0; rung < sums[i].length; rung++) {
        sums[i][rung] /= counts[i][rung];
      }
    }
    return sums;
  }

  /** Returns the finite scores of a rung in ascending order. */
  double[] scores(int rung) {
    return Arrays.stream(scores).mapToDouble(of -> of[rung]).filter(Double::isFinite).sorted().toArray();
  }

  /** Returns whether there are several rungs and any score. */
  boolean isDrawn() {
    return result.ladder().size() > 1 && IntStream.range(0, result.ladder().size()).anyMatch(rung -> scores(rung).length > 0);
  }

  void draw(Markup html) {
    String title = GridReport.capitalized(result.metric().label()) + " by rung";
    double[] finite = Arrays.stream(scores).flatMapToDouble(Arrays::stream).filter(Double::isFinite).toArray();
    ScoreAxis axis = ScoreAxis.of(finite, result.metric().isHigherBetter());
    String sentence = sentence(axis);
    ChartFrame.open(html, ID, null, title, sentence, WIDTH, AREA.bottom() + 44);
    axis.draw(html, AREA);
    for (int rung = 0; rung < result.ladder().size(); rung++) {
      html.empty("line", "class", "grid", "x1", x(rung), "x2", x(rung), "y1", AREA.top(), "y2", AREA.bottom());
      html.element("text", Format.whole(result.ladder().get(rung).epochs()), "x", x(rung), "y", AREA.bottom() + 17,
          "text-anchor", "middle").line();
    }
    AREA.drawNames(html, "epochs of the rung", result.metric().label());
    List<Standing> others = Arrays.stream(Thinning.spread(result.standings().size(), MAX_LINES)).mapToObj(result.standings()::get)
        .filter(standing -> standing.candidate() != winner && standing.candidate() != base).toList();
    int last = result.ladder().size() - 1;
    drawLines(html, axis, "early", others.stream().filter(of -> of.lastRung() < last).map(Standing::candidate).toList());
    drawLines(html, axis, "s0", others.stream().filter(of -> of.lastRung() == last).map(Standing::candidate).toList());
    if (base != winner) {
      drawLines(html, axis, "s2", List.of(base));
    }
    drawLines(html, axis, "s1", List.of(winner));
    drawLabels(html, axis);
    ChartFrame.close(html, legend(others.stream().anyMatch(of -> of.lastRung() < last),
        others.stream().anyMatch(of -> of.lastRung() == last)), sentence);
  }

  private List<Look> legend(boolean hasEarly, boolean hasLast) {
    List<Look> looks = new ArrayList<>(List.of(new Look("pair s1", "winner, candidate " + winner
        + (result.isBase(winner) ? " (without a search)" : ""))));
    if (base != winner) {
      looks.add(new Look("pair s2", "best without a search, candidate " + base));
    }
    if (hasLast) {
      looks.add(new Look("pair s0", "trained for the last rung"));
    }
    if (hasEarly) {
      looks.add(new Look("pair early", "ended early"));
    }
    return looks;
  }

  private double x(int rung) {
    return AREA.left() + INSET + rung * (AREA.right() - AREA.left() - 2 * INSET) / (result.ladder().size() - 1);
  }

  private void drawLines(Markup html, ScoreAxis axis, String style, List<Integer> candidates) {
    StringBuilder lines = new StringBuilder();
    StringBuilder dots = new StringBuilder();
    for (int candidate : candidates) {
      boolean connected = false;
      for (int rung = 0; rung < result.ladder().size(); rung++) {
        double score = scores[candidate][rung];
        if (Double.isFinite(score)) {
          String point = Markup.coordinate(x(rung)) + " " + Markup.coordinate(axis.y(AREA, score));
          if (connected || rung + 1 < result.ladder().size() && Double.isFinite(scores[candidate][rung + 1])) {
            lines.append(connected ? "L" : "M").append(point);
          }
          dots.append("M").append(point).append("h0");
        }
        connected = Double.isFinite(score);
      }
    }
    if (lines.length() > 0) {
      html.empty("path", "class", "curve pair " + style, "d", lines).line();
    }
    if (dots.length() > 0) {
      html.empty("path", "class", "dots " + style, "d", dots).line();
    }
  }

  /** Labels the last points of the winner and the base candidate, moved apart where they would overlap. */
  private void drawLabels(Markup html, ScoreAxis axis) {
    int winnerRung = lastFinite(winner);
    int baseRung = lastFinite(base);
    double shift = 0;
    if (winner != base && baseRung >= 0 && winnerRung >= 0) {
      double baseY = axis.y(AREA, scores[base][baseRung]);
      double gap = baseY - axis.y(AREA, scores[winner][winnerRung]);
      shift = winnerRung == baseRung ? Math.max(0, LABEL_SPACING - Math.abs(gap)) / 2 * (gap < 0 ? -1 : 1) : 0;
      drawLabel(html, "base", "s2", x(baseRung), baseY + shift);
    }
    if (winnerRung >= 0) {
      drawLabel(html, "winner", "s1", x(winnerRung), axis.y(AREA, scores[winner][winnerRung]) - shift);
    }
  }

  private static void drawLabel(Markup html, String text, String style, double x, double y) {
    html.element("text", text, "class", "end " + style, "x", x + 9, "y", y + 4).line();
  }

  /** Returns the last rung with a score; -1 without one. */
  private int lastFinite(int candidate) {
    return IntStream.range(0, result.ladder().size()).filter(rung -> Double.isFinite(scores[candidate][rung])).max().orElse(-1);
  }

  private String sentence(ScoreAxis axis) {
    return "Each point is a candidate: its " + result.metric().label()
        + (result.folds() > 1 ? ", the mean over " + result.folds() + " folds," : " on the held-out rows") + " from one seed."
        + axis.note() + (result.standings().size() > MAX_LINES ? " Only " + Format.whole(MAX_LINES) + " of "
        + Format.whole(result.standings().size()) + " candidates are drawn." : "");
  }
}
