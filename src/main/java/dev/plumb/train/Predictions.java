package dev.plumb.train;

import dev.plumb.store.TrainedModel;
import java.util.List;

/** What a trained network says of some rows: of each a class and the probabilities of all, or numbers in the targets' own units. */
public final class Predictions {
  private final TrainedModel model;
  private final double[] results;
  private final int[] labels;

  /** @param outputs of the network, [rows x outputs] row-major */
  Predictions(TrainedModel model, double[] outputs) {
    this.model = model;
    results = model.results(outputs);
    labels = hasClasses() ? model.labels(results) : new int[0];
  }

  public int rows() {
    return results.length / model.resultColumns();
  }

  public boolean hasClasses() {
    return !model.classNames().isEmpty();
  }

  /** In the order of {@link #probability}; empty where numbers were predicted. */
  public List<String> classNames() {
    return model.classNames();
  }

  /** The names of the target columns: one where classes were predicted. */
  public List<String> targetNames() {
    return model.encoding().target().names();
  }

  /** Whether a row could be computed. Where a value overflowed within the network, its results are not numbers. */
  public boolean isFinite(int row) {
    int width = model.resultColumns();
    for (int i = row * width; i < (row + 1) * width; i++) {
      if (!Double.isFinite(results[i])) {
        return false;
      }
    }
    return true;
  }

  /** The most probable class of a row, from 0; the first of several that are equally so, and -1 where the row is not finite. */
  public int classIndex(int row) {
    requireClasses(true);
    return isFinite(row) ? labels[row] : -1;
  }

  /** The name of the most probable class; empty where the row is not {@linkplain #isFinite finite}. */
  public String className(int row) {
    return classIndex(row) < 0 ? "" : classNames().get(classIndex(row));
  }

  /** Of one class, from 0. */
  public double probability(int row, int classIndex) {
    requireClasses(true);
    return results[row * model.resultColumns() + classIndex];
  }

  /** The number predicted for the first target, or the only one. */
  public double number(int row) {
    return number(row, 0);
  }

  /** @param target from 0 */
  public double number(int row, int target) {
    requireClasses(false);
    return results[row * model.resultColumns() + target];
  }

  private void requireClasses(boolean wanted) {
    if (hasClasses() != wanted) {
      throw new IllegalStateException(wanted ? "numbers were predicted, not classes" : "classes were predicted, not numbers");
    }
  }
}
