package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.ElementFunctionsContract;
import dev.plumb.model.Activation;

class ActivationsTest extends ElementFunctionsContract {
  private final Activations functions = new Activations();

  @Override
  protected void apply(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count) {
    functions.apply(f, z, zFrom, a, aFrom, count);
  }

  @Override
  protected void timesDerivative(
      Activation f, double[] z, int zFrom, double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    functions.timesDerivative(f, z, zFrom, a, aFrom, delta, deltaFrom, count);
  }

  @Override
  protected void exp(double[] x, int xFrom, double[] y, int yFrom, int count) {
    functions.exp(x, xFrom, y, yFrom, count);
  }

  @Override
  protected void sigmoid(double[] x, int xFrom, double[] y, int yFrom, int count) {
    functions.sigmoid(x, xFrom, y, yFrom, count);
  }

  @Override
  protected void softplus(double[] x, int xFrom, double[] y, int yFrom, int count) {
    functions.softplus(x, xFrom, y, yFrom, count);
  }

  @Override
  protected boolean derivativeFromOutput(Activation f) {
    return Activations.derivativeFromOutput(f);
  }

  @Override
  protected boolean isDouble() {
    return true;
  }
}
