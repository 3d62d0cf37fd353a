package dev.plumb.data;

import dev.plumb.random.NumpyRandom;

/** Random weights of rows. */
public final class RandomWeights {
  private RandomWeights() {}

  /** Returns weights from 0.1 to 5. */
  public static double[] draw(int rows, NumpyRandom stream) {
    double[] weights = new double[rows];
    stream.uniform(0.1, 5, weights, 0, rows);
    return weights;
  }
}
