package dev.plumb.report;

import dev.plumb.train.EpochMetrics;
import java.util.Arrays;
import java.util.List;

/**
 * The gradient norms at the start and at the end of a training: those of the first epoch, and the medians of the last tenth of
 * the epochs that are finite.
 */
final class GradientEnds {
  private final List<EpochMetrics> rows;
  private final boolean stayedFinite;
  private final int from;
  private final double[] end;

  /** @param epochs at least one, all with the same number of layers */
  GradientEnds(List<EpochMetrics> epochs) {
    int finite = 0;
    while (finite < epochs.size() && Arrays.stream(epochs.get(finite).gradientNorms()).allMatch(Double::isFinite)) {
      finite++;
    }
    stayedFinite = finite == epochs.size();
    rows = finite == 0 ? epochs : epochs.subList(0, finite);
    // Before a divergence the norms change fast, so that only the last finite epoch is meaningful.
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

  /** Returns sentences on the change of the norms over the layers, and since the first epoch. */
  String sentence() {
    int first = rows.get(0).epoch();
    int last = rows.get(rows.size() - 1).epoch();
    String when = stayedFinite ? "At the end of the training" : "In epoch " + last + ", the last with finite gradients,";
    String sinceStart = "";
    if (first < last && start()[0] > 0 && end[0] > 0) {
      double change = end[0] / start()[0];
      sinceStart = change == 1
          ? ""
          : " Since epoch " + first + " the first layer's norm has " + (change < 1 ? "fallen" : "risen") + " by a factor of "
              + Format.factor(Math.max(change, 1 / change)) + ".";
    }
    return GradientFlow.sentence(when, end) + sinceStart;
  }

  String note() {
    int first = rows.get(from).epoch();
    int last = rows.get(rows.size() - 1).epoch();
    return "Start: epoch " + rows.get(0).epoch() + ". End: " + (first == last
        ? "epoch " + last + "."
        : "median of epochs " + first + " to " + last + ".");
  }
}
