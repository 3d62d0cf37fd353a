package dev.plumb.report;

import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.EpochMetrics;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;

/**
 * What the report of one training shows.
 *
 * @param title of the page: the run's name
 * @param notes sentences for the top of the page, like why the training ended early; often none
 * @param metricName "accuracy", "R²"; what the rows' metric is
 * @param epochs by rising number; rows may be missing where a training was resumed, and values NaN
 * @param layerNames one for each gradient norm of a row, the output layer last; empty for "layer 1" to "output"
 * @param keptEpoch whose weights the model has, where they are not the last epoch's
 * @param divergedAtEpoch the first epoch in which something was not finite
 * @param predictions on held-out rows, where there are any
 * @param configuration key and value, as the user would write them
 * @param manifest versions, device, hashes, the command
 */
public record RunReport(
    String title,
    List<String> notes,
    String metricName,
    List<EpochMetrics> epochs,
    List<String> layerNames,
    OptionalInt keptEpoch,
    OptionalInt divergedAtEpoch,
    Optional<Predictions> predictions,
    SortedMap<String, String> configuration,
    SortedMap<String, String> manifest) {

  public RunReport {
    notes = List.copyOf(notes);
    epochs = List.copyOf(epochs);
    layerNames = List.copyOf(layerNames);
  }

  /** As many as the last epoch has gradient norms; 0 where there are none. */
  int layers() {
    return epochs.isEmpty() ? 0 : epochs.get(epochs.size() - 1).gradientNorms().length;
  }

  /** What a trained network said of rows whose truth is known. */
  public sealed interface Predictions permits Classes, Numbers {
    /** Which rows: "validation", "test". */
    String rows();
  }

  /** Classes that were predicted. */
  public record Classes(String rows, List<String> names, ConfusionMatrix counts) implements Predictions {
    public Classes {
      names = List.copyOf(names);
      if (counts.classes() != names.size()) {
        throw new IllegalArgumentException("counts of " + counts.classes() + " classes for " + names.size() + " names");
      }
    }
  }

  /** One or more targets. */
  public record Numbers(String rows, List<Target> targets) implements Predictions {
    public Numbers {
      targets = List.copyOf(targets);
    }
  }

  /** Both of one length, row by row, in the units of the data. */
  public record Target(String name, double[] actual, double[] predicted) {
    public Target {
      if (actual.length != predicted.length) {
        throw new IllegalArgumentException(actual.length + " true values and " + predicted.length + " predicted ones");
      }
    }
  }
}
