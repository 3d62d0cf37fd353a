package dev.plumb.report;

import dev.plumb.report.StudyReport.Network;
import dev.plumb.report.StudyReport.Run;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * Medians and quartiles of one network's runs, as in the table on the terminal (linear interpolation between sorted values), over
 * the runs that did not diverge. A single run's values are used unchanged, finite or not.
 */
final class NetworkSummary {
  private static final Quantile QUARTILES = Quantile.withDefaults().with(Quantile.EstimationMethod.HF7);

  /** Quartiles and median; all NaN if every run diverged. */
  record Spread(double low, double median, double high) {}

  private final Network network;
  private final List<Run> finite;

  NetworkSummary(Network network) {
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
    return spread(Run::finalLoss);
  }

  Spread lossAt(int epoch) {
    return spread(run -> run.lossAtEpoch().getOrDefault(epoch, Double.NaN));
  }

  /** Returns the median gradient norm of each layer. */
  double[] gradientNorms() {
    double[] norms = new double[layers()];
    Arrays.setAll(norms, layer -> spread(run -> run.gradientNorms()[layer]).median());
    return norms;
  }

  /** Returns the training time of all runs, summed. */
  double seconds() {
    return network.runs().stream().mapToDouble(Run::trainSeconds).sum();
  }

  private Spread spread(ToDoubleFunction<Run> value) {
    if (network.runs().size() == 1) {
      double only = value.applyAsDouble(network.runs().get(0));
      return new Spread(only, only, only);
    }
    double[] values = finite.stream().mapToDouble(value).filter(Double::isFinite).toArray();
    if (values.length == 0) {
      return new Spread(Double.NaN, Double.NaN, Double.NaN);
    }
    double[] quartiles = QUARTILES.evaluate(values, 0.25, 0.5, 0.75);
    return new Spread(quartiles[0], quartiles[1], quartiles[2]);
  }
}
