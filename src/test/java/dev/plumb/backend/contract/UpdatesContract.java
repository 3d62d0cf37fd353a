package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients become updates as torch.optim's documentation has it, with every constant away from its default and together with
 * clipping. The formulas stand here once more, in the documentation's form and not in a backend's.
 */
interface UpdatesContract extends Contract {
  String UPDATES = "dev.plumb.backend.contract.UpdatesContract#updates";

  static Stream<Arguments> updates() {
    List<Arguments> all = new ArrayList<>();
    for (OptimizerSpec optimizer : List.of(
        new OptimizerSpec.Sgd(0, false, 0.1),
        new OptimizerSpec.Sgd(0.8, false, 0.1),
        new OptimizerSpec.Sgd(0.8, true, 0.1),
        new OptimizerSpec.Adam(0.7, 0.95, 1e-3, 0.1, false),
        new OptimizerSpec.Adam(0.7, 0.95, 1e-3, 0.1, true),
        new OptimizerSpec.RmsProp(0.8, 1e-3, 0.1))) {
      for (double clipNorm : new double[] {Double.NaN, 0.01, 1000}) {
        all.add(Arguments.of(optimizer, clipNorm));
      }
    }
    return all.stream();
  }

  /** Clip norms: none, one below every gradient, one above every gradient. */
  @ParameterizedTest(name = "{0} clipped to {1}")
  @MethodSource(UPDATES)
  default void updatesAreTorchOptims(OptimizerSpec optimizer, double clipNorm) {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSpec training = training(Loss.MSE, optimizer);
    if (!Double.isNaN(clipNorm)) {
      training = training.withClipNorm(clipNorm);
    }
    try (TrainingSession session = started(NETWORK, training, data)) {
      double[] p = read(session, Slot.PARAMETERS, 0);
      double[] m = new double[p.length];
      double[] v = new double[p.length];
      for (int t = 1; t <= 5; t++) {
        double learningRate = 0.01 * t;
        session.run(StepChunk.of(1).learningRate(learningRate).build());
        session.sync();
        double[] g = read(session, Slot.GRADIENTS, 0);
        double total = norm(g);
        assertTrue(total > 0.02 && total < 100, "the gradient's norm should lie between the clip norms: " + total);
        if (total > clipNorm) {
          double scale = clipNorm / (total + 1e-6);
          Arrays.setAll(g, i -> g[i] * scale);
        }
        step(optimizer, learningRate, t, g, p, m, v);
        assertRelativeToLargest("parameters after step " + t, p, read(session, Slot.PARAMETERS, 0), 20 * rounding());
      }
      if (optimizer.usesFirstMoment()) {
        assertRelativeToLargest("first moment", m, read(session, Slot.MOMENT1, 0), 20 * rounding());
      }
      if (optimizer.usesSecondMoment()) {
        assertRelativeToLargest("second moment", v, read(session, Slot.MOMENT2, 0), 20 * rounding());
      }
    }
  }

  private static void step(
      OptimizerSpec optimizer, double learningRate, int t, double[] gradients, double[] p, double[] m, double[] v) {
    double decay = optimizer.weightDecay();
    for (int i = 0; i < p.length; i++) {
      double g = optimizer.kind() == OptimizerSpec.Kind.ADAMW ? gradients[i] : gradients[i] + decay * p[i];
      switch (optimizer.kind()) {
        case SGD -> {
          OptimizerSpec.Sgd sgd = (OptimizerSpec.Sgd) optimizer;
          m[i] = sgd.momentum() * m[i] + g;
          p[i] -= learningRate * (sgd.nesterov() ? g + sgd.momentum() * m[i] : m[i]);
        }
        case ADAM, ADAMW -> {
          OptimizerSpec.Adam adam = (OptimizerSpec.Adam) optimizer;
          if (adam.decoupled()) {
            p[i] -= learningRate * decay * p[i];
          }
          m[i] = adam.beta1() * m[i] + (1 - adam.beta1()) * g;
          v[i] = adam.beta2() * v[i] + (1 - adam.beta2()) * g * g;
          double mHat = m[i] / (1 - Math.pow(adam.beta1(), t));
          double vHat = v[i] / (1 - Math.pow(adam.beta2(), t));
          p[i] -= learningRate * mHat / (Math.sqrt(vHat) + adam.epsilon());
        }
        case RMSPROP -> {
          OptimizerSpec.RmsProp rmsProp = (OptimizerSpec.RmsProp) optimizer;
          v[i] = rmsProp.alpha() * v[i] + (1 - rmsProp.alpha()) * g * g;
          p[i] -= learningRate * g / (Math.sqrt(v[i]) + rmsProp.epsilon());
        }
      }
    }
  }
}
