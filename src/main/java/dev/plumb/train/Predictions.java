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

  /** The most probable class of a row, from 0; the first of several that are equally so. */
  public int classIndex(int row) {
    requireClasses(true);
    return labels[row];
  }

  public String className(int row) {
    return classNames().get(classIndex(row));
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
