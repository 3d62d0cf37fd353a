package dev.plumb.report;

import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;

/**
 * What the report of a study shows: several networks, each trained from one or more seeds.
 *
 * @param epochs of every training
 * @param lossAtEpochs the epochs, from 1, that the table names; runs may have losses of more, for the curves
 */
public record StudyReport(
    String title,
    List<String> notes,
    int epochs,
    List<Integer> lossAtEpochs,
    List<Network> networks,
    SortedMap<String, String> configuration,
    SortedMap<String, String> manifest) {

  public StudyReport {
    notes = List.copyOf(notes);
    lossAtEpochs = List.copyOf(lossAtEpochs);
    networks = List.copyOf(networks);
  }

  /**
   * @param shape the widths in a word: 3-6-6-1
   * @param runs one a seed, at least one
   */
  public record Network(String name, String shape, String activation, List<Run> runs) {
    public Network {
      runs = List.copyOf(runs);
      if (runs.isEmpty()) {
        throw new IllegalArgumentException("network \"" + name + "\" has no run");
      }
    }
  }

  /**
   * @param lossAtEpoch over all rows before that epoch's updates; NaN where training ended earlier
   * @param finalLoss after the last update
   * @param gradientNorms Frobenius norms of dW per layer in the last step, output layer included
   */
  public record Run(
      long seed,
      SortedMap<Integer, Double> lossAtEpoch,
      double finalLoss,
      double[] gradientNorms,
      double trainSeconds,
      OptionalInt divergedAtEpoch) {}
}
