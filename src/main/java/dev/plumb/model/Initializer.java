package dev.plumb.model;

import dev.plumb.random.NumpyRandom;
import java.util.Arrays;

/**
 * Distribution of the initial parameters. All numbers come from one random stream, layer by layer from the inputs: W row by row,
 * then b where biases are drawn, so that a few lines of NumPy can reproduce them. In the formulas, in and out are the numbers of
 * inputs and outputs of a layer. A normalization starts with scale 1, shift 0, running mean 0 and running variance 1, of which
 * none is drawn.
 */
public enum Initializer implements NamedEnum {
  /** W from U(-0.5, 0.5), b = 0. */
  NOTEBOOK,
  /** W from U(-a, a), a = sqrt(6 / (in + out)), b = 0 (Glorot and Bengio 2010). */
  XAVIER_UNIFORM,
  /** W from N(0, 2 / (in + out)), b = 0 (Glorot and Bengio 2010). */
  XAVIER_NORMAL,
  /** W from U(-a, a), a = sqrt(6 / in), b = 0 (He et al. 2015). */
  HE_UNIFORM,
  /** W from N(0, 2 / in), b = 0 (He et al. 2015). */
  HE_NORMAL,
  /** W and b from U(-a, a), a = 1 / sqrt(in): the bounds of PyTorch's nn.Linear, but another random generator. */
  PYTORCH,
  /**
   * W with orthonormal rows, or columns if it has more rows than columns; b = 0 (Saxe et al. 2014). W is the factor Q of the QR
   * decomposition, with a positive diagonal of R, of a matrix from N(0, 1), or of its transpose if that has more rows.
   */
  ORTHOGONAL;

  /**
   * Returns the initializer of a name, such as "he_normal".
   *
   * @param name in lower case
   * @return the initializer
   * @throws InvalidInputException when there is no initializer of that name; the message lists all
   */
  public static Initializer of(String name) {
    return NamedEnum.parse(Initializer.class, "initializer", name);
  }

  /**
   * Draws all parameters of a network.
   *
   * @param network to initialize
   * @param stream of random numbers, which advances
   * @return the parameter vector in the order of {@link ParameterLayout}
   */
  public double[] draw(NetworkSpec network, NumpyRandom stream) {
    ParameterLayout layout = ParameterLayout.of(network);
    double[] parameters = new double[layout.size()];
    for (ParameterLayout.Slice slice : layout.slices()) {
      LayerSpec layer = network.layer(slice.layer());
      switch (slice.kind()) {
        case WEIGHT -> draw(layer, stream, parameters, slice.offset(), slice.size());
        case BIAS -> {
          if (this == PYTORCH) {
            draw(layer, stream, parameters, slice.offset(), slice.size());
          }
        }
        case SCALE, RUNNING_VARIANCE -> Arrays.fill(parameters, slice.offset(), slice.offset() + slice.size(), 1);
        case SHIFT, RUNNING_MEAN -> { }
      }
    }
    return parameters;
  }

  private void draw(LayerSpec layer, NumpyRandom stream, double[] to, int start, int count) {
    double in = layer.in();
    double out = layer.out();
    switch (this) {
      case NOTEBOOK -> stream.uniform(-0.5, 0.5, to, start, count);
      case XAVIER_UNIFORM -> symmetric(Math.sqrt(6 / (in + out)), stream, to, start, count);
      case XAVIER_NORMAL -> normal(Math.sqrt(2 / (in + out)), stream, to, start, count);
      case HE_UNIFORM -> symmetric(Math.sqrt(6 / in), stream, to, start, count);
      case HE_NORMAL -> normal(Math.sqrt(2 / in), stream, to, start, count);
      case PYTORCH -> symmetric(1 / Math.sqrt(in), stream, to, start, count);
      case ORTHOGONAL -> {
        stream.standardNormal(to, start, count);
        orthonormalize(to, start, layer.out(), layer.in());
      }
    }
  }

  private static void symmetric(double bound, NumpyRandom stream, double[] to, int start, int count) {
    stream.uniform(-bound, bound, to, start, count);
  }

  private static void normal(double deviation, NumpyRandom stream, double[] to, int start, int count) {
    stream.standardNormal(to, start, count);
    for (int i = start; i < start + count; i++) {
      to[i] *= deviation;
    }
  }

  /** Replaces a matrix [rows x columns] by the factor Q of its decomposition, or of its transpose if it has more rows. */
  private static void orthonormalize(double[] matrix, int start, int rows, int columns) {
    boolean byRow = rows <= columns;
    double[][] vectors = new double[Math.min(rows, columns)][Math.max(rows, columns)];
    for (int k = 0; k < vectors.length; k++) {
      for (int i = 0; i < vectors[k].length; i++) {
        vectors[k][i] = matrix[start + (byRow ? k * columns + i : i * columns + k)];
      }
    }
    orthonormalize(vectors);
    for (int k = 0; k < vectors.length; k++) {
      for (int i = 0; i < vectors[k].length; i++) {
        matrix[start + (byRow ? k * columns + i : i * columns + k)] = vectors[k][i];
      }
    }
  }

  /**
   * Orthonormalizes vectors by the modified Gram-Schmidt process, whose factors on the diagonal of R are norms and so positive.
   * Each vector is orthogonalized twice, after which its error is a few roundings (Giraud et al. 2005).
   */
  private static void orthonormalize(double[][] vectors) {
    for (int k = 0; k < vectors.length; k++) {
      for (int pass = 0; pass < 2; pass++) {
        for (int before = 0; before < k; before++) {
          subtract(vectors[k], vectors[before], dot(vectors[k], vectors[before]));
        }
      }
      double norm = Math.sqrt(dot(vectors[k], vectors[k]));
      for (int i = 0; i < vectors[k].length; i++) {
        vectors[k][i] /= norm;
      }
    }
  }

  private static void subtract(double[] from, double[] vector, double factor) {
    for (int i = 0; i < from.length; i++) {
      from[i] -= factor * vector[i];
    }
  }

  private static double dot(double[] a, double[] b) {
    double even = 0;
    double odd = 0;
    int i = 0;
    for (; i + 1 < a.length; i += 2) {
      even += a[i] * b[i];
      odd += a[i + 1] * b[i + 1];
    }
    return even + odd + (i < a.length ? a[i] * b[i] : 0);
  }
}
