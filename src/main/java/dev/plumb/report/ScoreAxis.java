package dev.plumb.report;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * An axis of scores on which poor ones do not squash the others: the better half takes at least a third of it, and worse scores
 * than fit are at its edge. It is logarithmic if the scores that fit are errors that differ by a large factor.
 *
 * @param limit the worst score that fits
 * @param beyond number of scores at the edge
 */
record ScoreAxis(Axis axis, double limit, int beyond, boolean isHigherBetter) {
  /** The axis covers the distance from the best score to the median this many times. */
  private static final double DISTANCES = 3;
  /** Ratio of the worst to the best error that fits from which the axis is logarithmic. */
  private static final double MIN_LOG_RATIO = 4;

  /** @param scores finite, at least one */
  static ScoreAxis of(double[] scores, boolean isHigherBetter) {
    double[] sorted = Arrays.stream(scores).sorted().toArray();
    double best = sorted[isHigherBetter ? sorted.length - 1 : 0];
    double median = sorted[isHigherBetter ? (sorted.length - 1) / 2 : sorted.length / 2];
    double worst = sorted[isHigherBetter ? 0 : sorted.length - 1];
    double limit = best + DISTANCES * (median - best);
    boolean log = !isHigherBetter && best > 0 && Math.min(limit, worst) >= MIN_LOG_RATIO * best;
    if (log) {
      limit = best * Math.pow(median / best, DISTANCES);
    }
    boolean fits = median == best || (isHigherBetter ? worst >= limit : worst <= limit);
    double end = fits ? worst : limit;
    int beyond = fits ? 0 : (int) DoubleStream.of(sorted).filter(score -> isHigherBetter ? score < end : score > end).count();
    return new ScoreAxis(log ? Axis.log(best, end) : Axis.linear(Math.min(best, end), Math.max(best, end)), end, beyond,
        isHigherBetter);
  }

  /** Draws the axis, and a dashed line at the edge with scores beyond it. */
  void draw(Markup html, PlotArea area) {
    area.drawY(html, axis);
    if (beyond > 0) {
      double y = area.y(axis, limit);
      html.empty("line", "class", "right", "x1", area.left(), "x2", area.right(), "y1", y, "y2", y).line();
    }
  }

  /** Returns the vertical coordinate of a score; that of the limit if it is beyond. */
  double y(PlotArea area, double score) {
    return area.y(axis, isHigherBetter ? Math.max(limit, score) : Math.min(limit, score));
  }

  /** Returns a sentence on the scores at the edge; empty if all fit. */
  String note() {
    return beyond == 0 ? "" : " " + (beyond == 1 ? "1 score " : Format.whole(beyond) + " scores ")
        + (isHigherBetter ? "below " : "above ") + Format.brief(limit) + (beyond == 1 ? " is" : " are")
        + " on the dashed line at the edge.";
  }
}
