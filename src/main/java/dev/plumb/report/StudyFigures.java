package dev.plumb.report;

import dev.plumb.report.StudyReport.Network;
import dev.plumb.report.StudyReport.Run;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * What one network's runs came to together: medians and quartiles as in the table on the terminal, linear between sorted values,
 * of the runs that stayed finite. With one run they are its own figures, finite or not.
 */
final class StudyFigures {
  private static final Quantile QUARTILES = Quantile.withDefaults().with(Quantile.EstimationMethod.HF7);

  /** Any of the three is NaN where no run stayed finite. */
  record Spread(double low, double median, double high) {}

  private final Network network;
  private final List<Run> finite;

  StudyFigures(Network network) {
    this.network = network;
    finite = network.runs().stream().filter(run -> run.divergedAtEpoch().isEmpty()).toList();
  }

  Network network() {
    return network;
  }

  int layers() {
    return network.runs().get(0).gradientNorms().length;
  }

  long diverged() {
    return network.runs().size() - finite.size();
  }

  Spread finalLoss() {
    return of(Run::finalLoss);
  }

  Spread lossAt(int epoch) {
    return of(run -> run.lossAtEpoch().getOrDefault(epoch, Double.NaN));
  }

  /** Of each layer. */
  double[] gradientNorms() {
    double[] norms = new double[layers()];
    Arrays.setAll(norms, layer -> of(run -> run.gradientNorms()[layer]).median());
    return norms;
  }

  /** Of all runs together. */
  double seconds() {
    return network.runs().stream().mapToDouble(Run::trainSeconds).sum();
  }

  private Spread of(ToDoubleFunction<Run> figure) {
    if (network.runs().size() == 1) {
      double value = figure.applyAsDouble(network.runs().get(0));
      return new Spread(value, value, value);
    }
    double[] values = finite.stream().mapToDouble(figure).filter(Double::isFinite).toArray();
    if (values.length == 0) {
      return new Spread(Double.NaN, Double.NaN, Double.NaN);
    }
    double[] quartiles = QUARTILES.evaluate(values, 0.25, 0.5, 0.75);
    return new Spread(quartiles[0], quartiles[1], quartiles[2]);
  }
}
