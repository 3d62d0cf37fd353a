package dev.plumb.train;

import dev.plumb.backend.StepMetrics;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The losses and gradient norms of a few epochs of a training that is not evaluated after every epoch.
 *
 * <p>Arrays are [replica], or [replica][layer].
 */
public final class Curve {
  private final SortedMap<Integer, double[]> losses = new TreeMap<>();
  private final SortedMap<Integer, double[][]> normsAtEpoch = new TreeMap<>();
  private final boolean keepsNorms;
  private final double[][] lastNorms;
  private final int[] divergedAtEpoch;
  private final Map<Long, Integer> epochOfRecordedStep = new HashMap<>();

  Curve(List<Integer> epochs, boolean keepsNorms, int replicas, int layers) {
    this.keepsNorms = keepsNorms;
    for (int epoch : epochs) {
      losses.put(epoch, nan(replicas));
    }
    lastNorms = new double[replicas][];
    Arrays.setAll(lastNorms, replica -> nan(layers));
    divergedAtEpoch = new int[replicas];
  }

  /**
   * Returns the loss of all rows before the updates of each requested epoch, by epoch from 1; NaN if the training ended earlier.
   */
  public SortedMap<Integer, double[]> losses() {
    return losses;
  }

  /** Returns the norms of the last step of each requested epoch that was trained; empty if they were not requested. */
  public SortedMap<Integer, double[][]> gradientNormsAtEpoch() {
    return normsAtEpoch;
  }

  /** Returns the norms of the last step; NaN if the training ended earlier. */
  public double[][] gradientNorms() {
    return lastNorms;
  }

  /** Returns the first epoch, from 1, in which a loss or a gradient was not finite; 0 if there is none. */
  public int[] divergedAtEpoch() {
    return divergedAtEpoch;
  }

  boolean isRequested(int epoch) {
    return losses.containsKey(epoch);
  }

  boolean keepsNorms() {
    return keepsNorms;
  }

  /** Announces that the metrics of a step, counted from the beginning of the training, are recorded for an epoch. */
  void expect(long step, int epoch) {
    epochOfRecordedStep.put(step, epoch);
  }

  void setLosses(int epoch, double[] replicaLosses) {
    losses.put(epoch, replicaLosses);
  }

  void setDiverged(int replica, int epoch) {
    divergedAtEpoch[replica] = epoch;
  }

  /** @param lossFromSteps true if a step's loss is that of all rows */
  void collect(StepMetrics metrics, boolean lossFromSteps) {
    for (int i = 0; i < metrics.steps().length; i++) {
      int epoch = epochOfRecordedStep.remove(metrics.steps()[i]);
      if (lossFromSteps && isRequested(epoch)) {
        losses.put(epoch, metrics.loss()[i]);
      }
      System.arraycopy(metrics.gradientNorms()[i], 0, lastNorms, 0, lastNorms.length);
      if (keepsNorms && isRequested(epoch)) {
        normsAtEpoch.put(epoch, metrics.gradientNorms()[i].clone());
      }
    }
  }

  private static double[] nan(int size) {
    double[] values = new double[size];
    Arrays.fill(values, Double.NaN);
    return values;
  }
}
