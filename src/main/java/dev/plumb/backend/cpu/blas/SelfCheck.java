package dev.plumb.backend.cpu.blas;

import dev.plumb.backend.cpu.engine.Gemm;
import java.util.Arrays;

/**
 * A comparison of a few products with plain loops: releases of OpenBLAS have computed wrong results on processors that they did
 * not recognize. The matrices contain small integers, so that every order of summation is exact.
 */
final class SelfCheck {
  /** Shapes m, n, k: a small one for kernels that do not pack, and one with more than 100³ terms for kernels that do. */
  private static final int[][] SHAPES = {{7, 5, 3}, {101, 103, 107}};

  private SelfCheck() {}

  /**
   * Checks both precisions.
   *
   * @throws IllegalStateException when a result is wrong
   */
  static void run(Gemm<double[]> doubles, Gemm<float[]> floats) {
    for (int[] shape : SHAPES) {
      int m = shape[0];
      int n = shape[1];
      int k = shape[2];
      double[] a = numbers(m * k, 11);
      double[] b = numbers(k * n, 13);
      double[] expected = product(m, n, k, a, b);
      for (boolean transposeA : new boolean[] {false, true}) {
        for (boolean transposeB : new boolean[] {false, true}) {
          double[] storedA = transposeA ? transposed(m, k, a) : a;
          double[] storedB = transposeB ? transposed(k, n, b) : b;
          int aStride = transposeA ? m : k;
          int bStride = transposeB ? k : n;
          double[] c = new double[m * n];
          Arrays.fill(c, Double.NaN);
          doubles.multiply(transposeA, transposeB, m, n, k, storedA, 0, aStride, storedB, 0, bStride, c, 0, n);
          requireEqual(expected, c);
          float[] floatC = narrow(c);
          Arrays.fill(floatC, Float.NaN);
          floats.multiply(
              transposeA, transposeB, m, n, k, narrow(storedA), 0, aStride, narrow(storedB), 0, bStride, floatC, 0, n);
          requireEqual(expected, widen(floatC));
        }
      }
    }
  }

  private static double[] numbers(int length, int prime) {
    double[] numbers = new double[length];
    Arrays.setAll(numbers, i -> i * 7 % prime - prime / 2);
    return numbers;
  }

  private static double[] product(int m, int n, int k, double[] a, double[] b) {
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        for (int j = 0; j < n; j++) {
          c[i * n + j] += a[i * k + p] * b[p * n + j];
        }
      }
    }
    return c;
  }

  private static double[] transposed(int rows, int columns, double[] matrix) {
    double[] transposed = new double[matrix.length];
    Arrays.setAll(transposed, i -> matrix[i % rows * columns + i / rows]);
    return transposed;
  }

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  private static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  private static void requireEqual(double[] expected, double[] actual) {
    if (!Arrays.equals(expected, actual)) {
      throw new IllegalStateException("its products are wrong on this processor");
    }
  }
}
