package dev.plumb.backend.cpu.fp32;

import dev.plumb.backend.cpu.ElementFunctionsContract;
import dev.plumb.model.Activation;

class ActivationsTest extends ElementFunctionsContract {
  private final Activations functions = new Activations();

  @Override
  protected void apply(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count) {
    float[] in = floats(z);
    float[] out = z == a ? in : floats(a);
    functions.apply(f, in, zFrom, out, aFrom, count);
    copy(out, a);
  }

  @Override
  protected void timesDerivative(
      Activation f, double[] z, int zFrom, double[] a, int aFrom, double[] delta, int deltaFrom, int count) {
    float[] product = floats(delta);
    functions.timesDerivative(f, floats(z), zFrom, floats(a), aFrom, product, deltaFrom, count);
    copy(product, delta);
  }

  @Override
  protected void exp(double[] x, int xFrom, double[] y, int yFrom, int count) {
    float[] in = floats(x);
    float[] out = x == y ? in : floats(y);
    functions.exp(in, xFrom, out, yFrom, count);
    copy(out, y);
  }

  @Override
  protected void sigmoid(double[] x, int xFrom, double[] y, int yFrom, int count) {
    float[] out = floats(y);
    functions.sigmoid(floats(x), xFrom, out, yFrom, count);
    copy(out, y);
  }

  @Override
  protected void softplus(double[] x, int xFrom, double[] y, int yFrom, int count) {
    float[] out = floats(y);
    functions.softplus(floats(x), xFrom, out, yFrom, count);
    copy(out, y);
  }

  @Override
  protected boolean derivativeFromOutput(Activation f) {
    return Activations.derivativeFromOutput(f);
  }

  @Override
  protected boolean isDouble() {
    return false;
  }

  private static float[] floats(double[] x) {
    float[] floats = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      floats[i] = (float) x[i];
    }
    return floats;
  }

  private static void copy(float[] from, double[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] = from[i];
    }
  }
}
