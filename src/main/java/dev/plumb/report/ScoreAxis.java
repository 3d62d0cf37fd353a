package dev.plumb.report;

import java.util.Arrays;

/**
 * An axis of scores on which poor ones do not squash the others: the better half takes at least about a third of it, and scores
 * that are too poor for that are on a line at its edge. It is logarithmic if errors differ by a large factor.
 *
 * @param worst the worst score that fits
 * @param edge the place of worse ones
 * @param beyond number of worse ones
 */
record ScoreAxis(Axis axis, double worst, double edge, int beyond, boolean isHigherBetter) {
  /** A score fits if its distance from the best one is at most this multiple of that of the median. */
  private static final double MAX_DISTANCE = 3;
  /** Ratio of the worst to the best error that fits from which the axis is logarithmic. */
  private static final double MIN_LOG_RATIO = 4;
  /** Distance of the edge from the worst score that fits, as a part of the axis. */
  private static final double EDGE = 0.1;

  /** @param scores finite, at least one */
  static ScoreAxis of(double[] scores, boolean isHigherBetter) {
    // Lower is better from here on.
    int sign = isHigherBetter ? -1 : 1;
    double[] sorted = Arrays.stream(scores).map(score -> sign * score).sorted().toArray();
    ScoreAxis linear = of(sorted, sign, false);
    return sorted[0] > 0 && linear.worst >= MIN_LOG_RATIO * sorted[0] ? of(sorted, sign, true) : linear;
  }

  private static ScoreAxis of(double[] sorted, int sign, boolean log) {
    double best = sorted[0];
    double median = sorted[sorted.length / 2];
    double limit = median == best ? Double.POSITIVE_INFINITY : log ? best * Math.pow(median / best, MAX_DISTANCE)
        : best + MAX_DISTANCE * (median - best);
    int fitting = (int) Arrays.stream(sorted).filter(score -> score <= limit).count();
    double worst = sorted[fitting - 1];
    boolean allFit = fitting == sorted.length;
    double edge = allFit ? worst : log ? worst * Math.pow(worst / best, EDGE) : worst + EDGE * (worst - best);
    Axis axis = log ? Axis.log(best, edge) : Axis.linear(Math.min(sign * best, sign * edge), Math.max(sign * best, sign * edge));
    return new ScoreAxis(axis, sign * worst, sign * edge, sorted.length - fitting, sign < 0);
  }

  /** Draws the axis, and the line of the scores that do not fit. */
  void draw(Markup html, PlotArea area) {
    area.drawY(html, axis);
    if (beyond > 0) {
      double y = area.y(axis, edge);
      html.empty("line", "class", "right", "x1", area.left(), "x2", area.right(), "y1", y, "y2", y).line();
    }
  }

  /** Returns the vertical coordinate of a score. */
  double y(PlotArea area, double score) {
    return area.y(axis, (isHigherBetter ? score < worst : score > worst) ? edge : score);
  }

  /** Returns a sentence on the scores that do not fit, after a blank; empty if all fit. */
  String note() {
    return beyond == 0 ? "" : " " + (beyond == 1 ? "1 score " : Format.whole(beyond) + " scores ")
        + (isHigherBetter ? "below " : "above ") + Format.brief(worst) + (beyond == 1 ? " is" : " are")
        + " on the dashed line at the edge.";
  }
}
