package dev.plumb.backend.cpu.fp64;

import dev.plumb.model.Activation;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A layer's passes with the Vector API. */
final class VectorLayer implements LayerKernel {
  private static final Map<Kind, Pass> PASSES = new ConcurrentHashMap<>();

  /** What a class made from {@link VectorPass} is specialized for. */
  record Kind(Activation activation, boolean backward) {}

  /** One direction of a layer with one activation f. All rows are [units][samples]. */
  interface Pass {
    /**
     * Computes f(b + W·X), or (W·X) ∘ f'(Z) in the backward pass. The weight of unit u and term t is at index
     * weights + u·unitStride + t·termStride.
     *
     * @param x [terms][samples]
     * @param biases index of b in the parameters; not read in the backward pass
     * @param a f(Z); not read in the forward pass
     */
    void sums(
        double[][] x,
        int terms,
        double[] parameters,
        int weights,
        int unitStride,
        int termStride,
        int biases,
        double[][] a,
        double[][] out,
        int samples);
  }

  private final Activation activation;
  private final Pass linearForward = pass(Activation.LINEAR, false);
  private final Pass linearBackward = pass(Activation.LINEAR, true);
  /** Null if f is not applied to the sums in registers, but afterwards. */
  private final Pass forward;
  private final Pass backward;

  VectorLayer(Activation activation) {
    this.activation = activation;
    boolean piecewise =
        activation == Activation.LINEAR || activation == Activation.RELU || activation == Activation.LEAKY_RELU;
    forward = piecewise ? pass(activation, false) : null;
    backward = piecewise ? pass(activation, true) : null;
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
    if (z == a && forward != null) {
      forward.sums(in, inputs, parameters, weights, inputs, 1, biases, null, a, samples);
      return;
    }
    linearForward.sums(in, inputs, parameters, weights, inputs, 1, biases, null, z, samples);
    for (int unit = 0; unit < z.length; unit++) {
      functions.apply(activation, z[unit], 0, a[unit], 0, samples);
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
    if (masks == null && backward != null) {
      backward.sums(above, outputs, parameters, weights, 1, delta.length, 0, a, delta, samples);
      return;
    }
    linearBackward.sums(above, outputs, parameters, weights, 1, delta.length, 0, a, delta, samples);
    for (int unit = 0; unit < delta.length; unit++) {
      if (masks != null) {
        DropoutMask.multiply(delta[unit], masks[unit], delta[unit], 0, samples);
      }
      functions.timesDerivative(activation, z[unit], 0, a[unit], 0, delta[unit], 0, samples);
    }
  }

  private static Pass pass(Activation activation, boolean backward) {
    return PASSES.computeIfAbsent(new Kind(activation, backward), VectorLayer::load);
  }

  private static Pass load(Kind kind) {
    try (InputStream template = VectorLayer.class.getResourceAsStream("VectorPass.class")) {
      return (Pass) MethodHandles.lookup().defineHiddenClassWithClassData(template.readAllBytes(), kind, true)
          .lookupClass().getDeclaredConstructor().newInstance();
    } catch (IOException | ReflectiveOperationException e) {
      throw new IllegalStateException("cannot load the kernels of the Vector API", e);
    }
  }
}
