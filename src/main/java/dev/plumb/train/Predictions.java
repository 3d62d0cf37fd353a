package dev.plumb.train;

import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.List;

/**
 * The predictions for some rows: the most probable class and the probability of each class, or numbers in the targets' own units.
 */
public final class Predictions {
  private final TrainedModel model;
  private final double[] outputs;
  private final double[] results;
  private final int[] labels;

  /** @param outputs of the network, [rows x outputs] row-major */
  Predictions(TrainedModel model, double[] outputs) {
    this.model = model;
    this.outputs = outputs;
    results = model.results(outputs);
    labels = hasClasses() ? model.labels(results) : new int[0];
  }

  /** Returns the number of rows. */
  public int rows() {
    return results.length / model.resultColumns();
  }

  /** Returns true if classes are predicted, false if numbers are. */
  public boolean hasClasses() {
    return !model.classNames().isEmpty();
  }

  /** Returns the names of the classes, in the order of their indices; empty if numbers are predicted. */
  public List<String> classNames() {
    return model.classNames();
  }

  /** Returns the names of the target columns; a single one if classes are predicted. */
  public List<String> targetNames() {
    return model.encoding().target().names();
  }

  /** Returns whether all results for a row are finite. They are not where a value overflowed within the network. */
  public boolean isFinite(int row) {
    int width = model.resultColumns();
    for (int i = row * width; i < (row + 1) * width; i++) {
      if (!Double.isFinite(results[i])) {
        return false;
      }
    }
    return true;
  }

  /**
   * Returns the index of the most probable class: the first if several are equally probable, -1 if the row is not
   * {@linkplain #isFinite finite}.
   *
   * @throws IllegalStateException when numbers are predicted
   */
  public int classIndex(int row) {
    requireClasses(true);
    return isFinite(row) ? labels[row] : -1;
  }

  /**
   * Returns the name of the most probable class; an empty text if the row is not {@linkplain #isFinite finite}.
   *
   * @throws IllegalStateException when numbers are predicted
   */
  public String className(int row) {
    return classIndex(row) < 0 ? "" : classNames().get(classIndex(row));
  }

  /**
   * Returns the probability of a class.
   *
   * @param classIndex from 0, in the order of {@link #classNames}
   * @throws IllegalStateException when numbers are predicted
   */
  public double probability(int row, int classIndex) {
    requireClasses(true);
    return results[row * model.resultColumns() + classIndex];
  }

  /**
   * Returns the number predicted for the first target.
   *
   * @throws IllegalStateException when classes are predicted
   */
  public double number(int row) {
    return number(row, 0);
  }

  /**
   * Returns the number predicted for a target.
   *
   * @param target from 0, in the order of {@link #targetNames}
   * @throws IllegalStateException when classes are predicted
   */
  public double number(int row, int target) {
    requireClasses(false);
    return results[row * model.resultColumns() + target];
  }

  /**
   * Writes these predictions and their model for {@link #read}.
   *
   * @throws IOException when writing fails
   */
  public void write(ObjectOutput out) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ModelFile.write(bytes, model);
    out.writeObject(bytes.toByteArray());
    out.writeObject(outputs);
  }

  /**
   * Reads what {@link #write} has written, to the same bits.
   *
   * @throws IOException when reading fails
   */
  public static Predictions read(ObjectInput in) throws IOException {
    TrainedModel model = ModelFile.read(readObject(in, byte[].class));
    return new Predictions(model, readObject(in, double[].class));
  }

  static String readText(ObjectInput in) throws IOException {
    return readObject(in, String.class);
  }

  static <T> T readObject(ObjectInput in, Class<T> type) throws IOException {
    try {
      return type.cast(in.readObject());
    } catch (ClassNotFoundException e) {
      throw new IOException(e);
    }
  }

  TrainedModel model() {
    return model;
  }

  /** Returns the outputs of the network, [rows x outputs] row-major; not a copy. */
  double[] outputs() {
    return outputs;
  }

  private void requireClasses(boolean wanted) {
    if (hasClasses() != wanted) {
      throw new IllegalStateException(wanted ? "numbers were predicted, not classes" : "classes were predicted, not numbers");
    }
  }
}
