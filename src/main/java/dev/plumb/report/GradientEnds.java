package dev.plumb.report;

import dev.plumb.train.EpochMetrics;
import java.util.Arrays;
import java.util.List;

/**
 * Gradient norms at both ends of a training: of its first epoch, and the medians of its last tenth, as far as they are finite.
 */
final class GradientEnds {
  private final List<EpochMetrics> rows;
  private final boolean stayedFinite;
  private final int from;
  private final double[] end;

  /** @param all with the same number of layers each; at least one */
  GradientEnds(List<EpochMetrics> all) {
    int finite = 0;
    while (finite < all.size() && Arrays.stream(all.get(finite).gradientNorms()).allMatch(Double::isFinite)) {
      finite++;
    }
    stayedFinite = finite == all.size();
    rows = finite == 0 ? all : all.subList(0, finite);
    // What grew out of bounds is best seen in its last epoch.
    from = rows.size() - (stayedFinite ? Math.max(1, rows.size() / 10) : 1);
    end = new double[start().length];
    Arrays.setAll(end, layer -> {
      double[] sorted = rows.subList(from,
          rows.size()).stream().mapToDouble(row -> row.gradientNorms()[layer]).sorted().toArray();
      return sorted[(sorted.length - 1) / 2];
    });
  }

  double[] start() {
    return rows.get(0).gradientNorms();
  }

  double[] end() {
    return end;
  }

  /** What they show of the depth, and of the time. */
  String sentence() {
    int first = rows.get(0).epoch();
    int last = rows.get(rows.size() - 1).epoch();
    String when = stayedFinite ? "At the end of the training" : "In epoch " + last + ", the last before it stopped being finite,";
    String over = "";
    if (first < last && start()[0] > 0 && end[0] > 0) {
      double change = end[0] / start()[0];
      over = change == 1
          ? ""
          : " Since epoch " + first + " the first layer's norm has " + (change < 1 ? "fallen" : "risen") + " by a factor of "
              + Figures.factor(Math.max(change, 1 / change)) + ".";
    }
    return GradientFlow.sentence(when, end) + over;
  }

  String note() {
    int first = rows.get(from).epoch();
    int last = rows.get(rows.size() - 1).epoch();
    return "Start: epoch " + rows.get(0).epoch() + ". End: " + (first == last
        ? "epoch " + last + "."
        : "the median of epochs " + first + " to " + last + ".");
  }
}
