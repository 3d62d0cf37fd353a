package dev.plumb.train;

import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.model.Loss;
import java.util.Arrays;
import java.util.List;

/** What a trained network says of some rows: for each a class with the probabilities of all, or numbers in the targets' own units. */
public final class Predictions {
  private final TargetEncoding target;
  private final double[] values;

  private Predictions(TargetEncoding target, double[] values) {
    this.target = target;
    this.values = values;
  }

  /** @param outputs of the network, [rows x outputs] row-major */
  static Predictions of(TableEncoding encoding, Loss loss, double[] outputs) {
    if (!(encoding.target() instanceof TargetEncoding.Classes)) {
      return new Predictions(encoding.target(), encoding.decodeOutputs(outputs));
    }
    int classes = encoding.outputs();
    if (loss == Loss.CROSS_ENTROPY) {
      double[] probabilities = outputs.clone();
      for (int from = 0; from < probabilities.length; from += classes) {
        softmax(probabilities, from, from + classes);
      }
      return new Predictions(encoding.target(), probabilities);
    }
    double[] answers = Arrays.stream(outputs).map(Predictions::sigmoid).toArray();
    if (encoding.outputs(loss) == classes) {
      return new Predictions(encoding.target(), answers);
    }
    double[] both = new double[2 * answers.length];
    for (int row = 0; row < answers.length; row++) {
      both[2 * row] = 1 - answers[row];
      both[2 * row + 1] = answers[row];
    }
    return new Predictions(encoding.target(), both);
  }

  public int rows() {
    return values.length / target.outputs();
  }

  public boolean hasClasses() {
    return target instanceof TargetEncoding.Classes;
  }

  /** @throws IllegalStateException when numbers were predicted */
  public List<String> classNames() {
    if (target instanceof TargetEncoding.Classes classes) {
      return classes.classNames();
    }
    throw new IllegalStateException("numbers were predicted, not classes");
  }

  /** The names of the target columns: one where classes were predicted. */
  public List<String> targetNames() {
    return target.names();
  }

  /** The most probable class of a row, from 0; the first of several that are equally so. */
  public int classIndex(int row) {
    int classes = classNames().size();
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (values[row * classes + c] > values[row * classes + best]) {
        best = c;
      }
    }
    return best;
  }

  public String className(int row) {
    return classNames().get(classIndex(row));
  }

  /** Of one class, from 0. */
  public double probability(int row, int classIndex) {
    return values[row * classNames().size() + classIndex];
  }

  /** The number predicted for the first target. */
  public double number(int row) {
    return number(row, 0);
  }

  /** @param column of the targets, from 0 */
  public double number(int row, int column) {
    if (hasClasses()) {
      throw new IllegalStateException("classes were predicted, not numbers");
    }
    return values[row * target.outputs() + column];
  }

  /** The largest logit is taken off first, so that no exponential overflows. */
  private static void softmax(double[] values, int from, int to) {
    double largest = values[from];
    for (int i = from + 1; i < to; i++) {
      largest = Math.max(largest, values[i]);
    }
    double sum = 0;
    for (int i = from; i < to; i++) {
      values[i] = Math.exp(values[i] - largest);
      sum += values[i];
    }
    for (int i = from; i < to; i++) {
      values[i] /= sum;
    }
  }

  private static double sigmoid(double z) {
    if (z >= 0) {
      return 1 / (1 + Math.exp(-z));
    }
    double e = Math.exp(z);
    return e / (1 + e);
  }
}
