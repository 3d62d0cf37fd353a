package dev.plumb.model;

import dev.plumb.random.NumpyRandom;

/**
 * How the first weights are drawn. All draws come from one stream, layer by layer from the inputs, W row by row and then b where
 * the biases are drawn too, so that a few lines of NumPy repeat them. in and out are a layer's units.
 */
public enum Initializer implements Keyed {
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
  /** W and b from U(-a, a), a = 1 / sqrt(in): the bounds of PyTorch's nn.Linear, though not its generator. */
  PYTORCH;

  /** @throws InvalidInputException when there is no initializer of that name; the message lists all */
  public static Initializer of(String name) {
    return Keyed.parse(Initializer.class, "initializer", name);
  }

  /** Draws all parameters of a network: flat, as {@link ParameterLayout} has them. */
  public double[] draw(NetworkSpec network, NumpyRandom stream) {
    ParameterLayout layout = ParameterLayout.of(network);
    double[] parameters = new double[layout.size()];
    for (ParameterLayout.Slice slice : layout.slices()) {
      LayerSpec layer = network.layer(slice.layer());
      if (slice.isBias() && this != PYTORCH) {
        continue;
      }
      for (int i = 0; i < slice.size(); i++) {
        parameters[slice.offset() + i] = drawOne(layer, stream);
      }
    }
    return parameters;
  }

  private double drawOne(LayerSpec layer, NumpyRandom stream) {
    double in = layer.in();
    double out = layer.out();
    return switch (this) {
      case NOTEBOOK -> stream.uniform(-0.5, 0.5);
      case XAVIER_UNIFORM -> symmetric(Math.sqrt(6 / (in + out)), stream);
      case XAVIER_NORMAL -> Math.sqrt(2 / (in + out)) * stream.standardNormal();
      case HE_UNIFORM -> symmetric(Math.sqrt(6 / in), stream);
      case HE_NORMAL -> Math.sqrt(2 / in) * stream.standardNormal();
      case PYTORCH -> symmetric(1 / Math.sqrt(in), stream);
    };
  }

  private static double symmetric(double bound, NumpyRandom stream) {
    return stream.uniform(-bound, bound);
  }
}
