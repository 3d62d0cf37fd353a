package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Steps are right at widths and batches on both sides of the powers of two, where tiles, vectors and blocks end. Each tensor is
 * computed here from the tapped ones before it, so that a failure names the first that is wrong.
 */
interface SizesContract extends Contract {
  @ParameterizedTest(name = "{0}-{1}-{2}-{3}, batch {4}")
  @CsvSource({
    "1, 1, 1, 1, 1", "1, 2, 3, 7, 2", "2, 31, 3, 1, 7", "7, 33, 31, 2, 255", "33, 7, 63, 13, 13", "3, 63, 65, 3, 129",
    "65, 127, 1, 2, 31", "129, 2, 255, 33, 3", "13, 1000, 3, 2, 33", "1000, 3, 2, 7, 2", "2, 3, 129, 1000, 65", "3, 2, 2, 1, 1000",
  })
  default void stepIsRightAtAwkwardSizes(int in, int first, int second, int out, int batch) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, in, first, second, out);
    Dataset data = data(network, Loss.MSE, batch);
    double tolerance = 20 * rounding();
    try (TrainingSession session = started(network, sgd(), data)) {
      Tapped taps = (Tapped) session;
      ParameterLayout layout = session.layout();
      double[] w = read(session, Slot.PARAMETERS, 0);
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      StepMetrics metrics = session.sync();
      double[] gradients = read(session, Slot.GRADIENTS, 0);
      int last = network.layerCount() - 1;

      double[] below = new double[batch * in];
      Arrays.setAll(below, i -> data.feature(i / in, i % in));
      double[][] inputs = new double[network.layerCount()][];
      for (int l = 0; l <= last; l++) {
        inputs[l] = below;
        double[] z = weightedSums(below, w, layout.weight(l), layout.bias(l), batch);
        assertRelativeToLargest("Z of layer " + l, z, tap(taps, network, Tap.PRE, l, 0, batch), tolerance);
        below = tap(taps, network, Tap.POST, l, 0, batch);
        double[] a = l == last ? z : Arrays.stream(z).map(Math::tanh).toArray();
        assertRelativeToLargest("A of layer " + l, a, below, tolerance);
      }

      double[] outputs = below;
      double[] differences = new double[outputs.length];
      Arrays.setAll(differences, i -> outputs[i] - data.target(i / out, i % out));
      double[] loss = {Arrays.stream(differences).map(d -> d * d).sum() / differences.length};
      assertRelativeToLargest("loss", loss, metrics.loss()[0], tolerance);
      assertRelativeToLargest("evaluation", loss, session.evaluate(data).loss(), tolerance);

      double[] delta = Arrays.stream(differences).map(d -> 2 * d / differences.length).toArray();
      double[] norms = new double[network.layerCount()];
      for (int l = last; l >= 0; l--) {
        double[] tapped = tap(taps, network, Tap.DELTA, l, 0, batch);
        assertRelativeToLargest("D of layer " + l, delta, tapped, tolerance);
        ParameterLayout.Slice weight = layout.weight(l);
        double[] dW = weightGradient(tapped, inputs[l], weight, batch);
        norms[l] = norm(dW);
        assertRelativeToLargest("dW of layer " + l, dW, part(gradients, weight), tolerance);
        assertRelativeToLargest("db of layer " + l, biasGradient(tapped, weight.rows(), batch),
            part(gradients, layout.bias(l)), tolerance);
        if (l > 0) {
          delta = deltaBelow(tapped, w, weight, inputs[l], batch);
        }
      }
      assertRelativeToLargest("gradient norms", norms, metrics.gradientNorms()[0][0], tolerance);
    }
  }

  /** A·Wᵀ + b. */
  private static double[] weightedSums(
      double[] a, double[] w, ParameterLayout.Slice weight, ParameterLayout.Slice bias, int batch) {
    double[] z = new double[batch * weight.rows()];
    for (int i = 0; i < z.length; i++) {
      int row = i / weight.rows();
      int unit = i % weight.rows();
      z[i] = w[bias.offset() + unit];
      for (int k = 0; k < weight.columns(); k++) {
        z[i] += a[row * weight.columns() + k] * w[weight.offset() + unit * weight.columns() + k];
      }
    }
    return z;
  }

  /** Dᵀ·A. */
  private static double[] weightGradient(double[] delta, double[] a, ParameterLayout.Slice weight, int batch) {
    double[] dW = new double[weight.size()];
    for (int i = 0; i < dW.length; i++) {
      for (int row = 0; row < batch; row++) {
        dW[i] += delta[row * weight.rows() + i / weight.columns()] * a[row * weight.columns() + i % weight.columns()];
      }
    }
    return dW;
  }

  private static double[] biasGradient(double[] delta, int units, int batch) {
    double[] db = new double[units];
    for (int i = 0; i < batch * units; i++) {
      db[i % units] += delta[i];
    }
    return db;
  }

  /** (D·W) ∘ tanh'(Z) of the layer below, tanh' = 1 - A². */
  private static double[] deltaBelow(double[] delta, double[] w, ParameterLayout.Slice weight, double[] a, int batch) {
    double[] below = new double[batch * weight.columns()];
    for (int i = 0; i < below.length; i++) {
      for (int unit = 0; unit < weight.rows(); unit++) {
        below[i] += delta[i / weight.columns() * weight.rows() + unit]
            * w[weight.offset() + unit * weight.columns() + i % weight.columns()];
      }
      below[i] *= 1 - a[i] * a[i];
    }
    return below;
  }

  private static double[] part(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }
}
