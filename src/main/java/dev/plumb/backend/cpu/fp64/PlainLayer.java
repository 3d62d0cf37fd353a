package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;

/** A layer's passes in plain Java, unit by unit. */
final class PlainLayer implements LayerKernel {
  private final Activation activation;

  PlainLayer(Activation activation) {
    this.activation = activation;
  }

  @Override
  public void forward(
      double[][] in,
      int inputs,
      double[] parameters,
      int weights,
      int biases,
      double[][] z,
      double[][] a,
      int samples,
      Activations functions) {
    for (int unit = 0; unit < z.length; unit++) {
      RowProducts.row(
          z[unit], in, inputs, parameters, weights + unit * inputs, 1, parameters[biases + unit], 0, samples);
      if (activation != Activation.LINEAR) {
        functions.apply(activation, z[unit], 0, a[unit], 0, samples);
      }
    }
  }

  @Override
  public void backward(
      double[][] above,
      int outputs,
      double[] parameters,
      int weights,
      double[][] masks,
      double[][] z,
      double[][] a,
      double[][] delta,
      int samples,
      Activations functions) {
    for (int unit = 0; unit < delta.length; unit++) {
      double[] row = delta[unit];
      RowProducts.row(row, above, outputs, parameters, weights + unit, delta.length, 0, 0, samples);
      if (masks != null) {
        DropoutMask.multiply(row, masks[unit], row, 0, samples);
      }
      functions.timesDerivative(activation, z[unit], 0, a[unit], 0, row, 0, samples);
    }
  }
}
