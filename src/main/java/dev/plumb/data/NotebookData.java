package dev.plumb.data;

import dev.plumb.random.NumpyRandom;

/**
 * Synthetic regression data of the notebook from which Plumb started: y = sin(x0) + 0.5·x1² - 0.8·x2 on points from U(-2, 2)³.
 */
public final class NotebookData {
  /** Number of features. */
  public static final int FEATURES = 3;

  private NotebookData() {}

  /**
   * Advances the stream as {@link #draw} does.
   *
   * @param samples number of rows
   * @param stream of random numbers
   */
  public static void skip(int samples, NumpyRandom stream) {
    for (int i = 0; i < samples * FEATURES; i++) {
      stream.randomSample();
    }
  }

  /**
   * Draws the points from the stream, row by row: {@code uniform(-2, 2, (samples, 3))}.
   *
   * @param samples number of rows
   * @param stream of random numbers
   * @return data with 3 features and 1 target
   */
  public static Dataset draw(int samples, NumpyRandom stream) {
    double[] x = new double[samples * FEATURES];
    double[] y = new double[samples];
    for (int i = 0; i < x.length; i++) {
      x[i] = stream.uniform(-2, 2);
    }
    for (int row = 0; row < samples; row++) {
      double x0 = x[row * FEATURES];
      double x1 = x[row * FEATURES + 1];
      double x2 = x[row * FEATURES + 2];
      y[row] = Math.sin(x0) + 0.5 * (x1 * x1) - 0.8 * x2;
    }
    return Dataset.ofTargets(FEATURES, 1, x, y);
  }
}
