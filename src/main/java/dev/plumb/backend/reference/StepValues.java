package dev.plumb.backend.reference;

import dev.plumb.model.NetworkSpec;

/**
 * The intermediate values of a step.
 *
 * @param z [layer][batch][units] pre-activations
 * @param h [layer][batch][units] normalized pre-activations; z itself in layers without normalization
 * @param a [layer][batch][units] outputs of the layers
 * @param delta [layer][batch][units] gradients of the loss with respect to z
 */
record StepValues(double[][][] z, double[][][] h, double[][][] a, double[][][] delta) {
  /** Returns values of which no layer is set. */
  static StepValues ofLayers(int layers) {
    return new StepValues(new double[layers][][], new double[layers][][], new double[layers][][], new double[layers][][]);
  }

  /** Returns values from flat arrays [layer][batch x units]. */
  static StepValues ofFlat(NetworkSpec network, double[][] z, double[][] h, double[][] a, double[][] delta) {
    return new StepValues(
        unflattened(network, z), unflattened(network, h), unflattened(network, a), unflattened(network, delta));
  }

  private static double[][][] unflattened(NetworkSpec network, double[][] flat) {
    double[][][] values = new double[flat.length][][];
    for (int l = 0; l < flat.length; l++) {
      int units = network.layer(l).out();
      values[l] = new double[flat[l].length / units][units];
      for (int i = 0; i < values[l].length; i++) {
        System.arraycopy(flat[l], i * units, values[l][i], 0, units);
      }
    }
    return values;
  }
}
