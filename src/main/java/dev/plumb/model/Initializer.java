package dev.plumb.model;

import dev.plumb.random.NumpyRandom;

/**
 * Distribution of the initial parameters. All numbers come from one random stream, layer by layer from the inputs: W row by row,
 * then b where biases are drawn, so that a few lines of NumPy can reproduce them. In the formulas, in and out are the numbers of
 * inputs and outputs of a layer.
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
  PYTORCH;

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
      if (slice.isBias() && this != PYTORCH) {
        continue;
      }
      draw(layer, stream, parameters, slice.offset(), slice.size());
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
}
