package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.Activation;
import dev.plumb.model.Normalization;
import java.util.Arrays;

/** Made-up results of the depth study, with known losses and gradients. */
public final class DepthResults {
  /**
   * The outcome of one network.
   *
   * @param finalLoss NaN if it diverged
   * @param firstFall the factor by which a layer divides the gradient norm in the first step
   * @param lastFall the same in the last step
   */
  record Outcome(double finalLoss, double firstFall, double lastFall) {}

  interface Outcomes {
    /** @param seed from 0 */
    Outcome of(Study.Cell cell, int seed);
  }

  private DepthResults() {}

  static StudyResult of(int seeds, Outcomes outcomes) {
    Study study = DepthStudy.study().withSeeds(seeds);
    TrialRow[] rows = new TrialRow[study.trials()];
    for (Study.Cell cell : study.cells()) {
      for (int seed = 0; seed < study.seedsOf(cell); seed++) {
        int trial = study.firstTrial(cell) + seed;
        rows[trial] = row(study, trial, outcomes.of(cell, seed));
      }
    }
    return new StudyResult(study, new DeviceInfo(DeviceInfo.Kind.CPU, "a CPU"), 0, rows);
  }

  private static TrialRow row(Study study, int trial, Outcome outcome) {
    int layers = study.cellOf(trial).network().layerCount();
    int epochs = study.curveEpochs().size();
    boolean well = !Double.isNaN(outcome.finalLoss());
    double[] losses = new double[epochs];
    Arrays.setAll(losses, epoch -> well ? outcome.finalLoss() + 1.0 / (1 + epoch) : Double.NaN);
    float[] curve = new float[epochs * layers];
    double[] last = new double[layers];
    for (int epoch = 0; epoch < epochs; epoch++) {
      for (int layer = 0; layer < layers; layer++) {
        double fall = epoch < epochs - 1 ? outcome.firstFall() : outcome.lastFall();
        last[layer] = well ? Math.pow(fall, layer - layers + 1.0) : Double.NaN;
        curve[epoch * layers + layer] = (float) last[layer];
      }
    }
    float[] others = new float[layers];
    return new TrialRow(trial, well ? 0 : 7, 0.25, outcome.finalLoss(), losses, last, curve, others, Arrays.copyOf(others, layers - 1));
  }

  /**
   * Returns results in which a cure helps: without normalization and residual connections sigmoid does not learn and its gradient
   * norm falls by 4 per layer, otherwise by 1.5; relu always learns up to 8 layers; 2 networks in 10 with residual connections only
   * diverge.
   */
  public static StudyResult cured(int seeds) {
    return of(seeds, (cell, seed) -> {
      boolean sigmoid = cell.network().activation() == Activation.SIGMOID;
      boolean plain = cell.network().isPlain();
      boolean normalized = cell.network().normalization() != Normalization.NONE;
      boolean deep = cell.network().layerCount() > 9;
      double loss = sigmoid && plain || deep && !normalized ? 1.744 : 0.02 + 0.001 * (cell.index() * 7 % 11) + 1e-4 * seed;
      boolean diverged = cell.network().residual() && !normalized && seed % 10 < 2;
      return new Outcome(diverged ? Double.NaN : loss, sigmoid && plain ? 4 : 1.5, sigmoid && plain ? 2 : 1);
    });
  }
}
