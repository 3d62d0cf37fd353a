package dev.plumb.check;

import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;

/** The updates of one network's parameters in single precision, with the hyperparameters and powers rounded to it. */
final class FloatOptimizer {
  final float[] moment1;
  final float[] moment2;
  private final TrainingSpec training;

  FloatOptimizer(TrainingSpec training, int parameters) {
    this.training = training;
    moment1 = new float[parameters];
    moment2 = new float[parameters];
  }

  /** @param t number of the step, from 1 */
  void update(float[] p, float[] gradients, float rate, long t) {
    float scale = scale(gradients);
    for (int i = 0; i < p.length; i++) {
      float g = gradients[i] * scale;
      OptimizerSpec optimizer = training.optimizer();
      if (optimizer instanceof OptimizerSpec.Adam adam) {
        adam(adam, p, i, g, rate, t);
      } else if (optimizer instanceof OptimizerSpec.RmsProp rmsProp) {
        g += (float) rmsProp.weightDecay() * p[i];
        moment2[i] = (float) rmsProp.alpha() * moment2[i] + (float) (1 - rmsProp.alpha()) * g * g;
        p[i] -= rate * g / ((float) Math.sqrt(moment2[i]) + (float) rmsProp.epsilon());
      } else {
        OptimizerSpec.Sgd sgd = (OptimizerSpec.Sgd) optimizer;
        float momentum = (float) sgd.momentum();
        g += (float) sgd.weightDecay() * p[i];
        moment1[i] = momentum * moment1[i] + g;
        p[i] -= rate * (sgd.nesterov() ? g + momentum * moment1[i] : moment1[i]);
      }
    }
  }

  private void adam(OptimizerSpec.Adam adam, float[] p, int i, float gradient, float rate, long t) {
    float g = gradient;
    if (adam.decoupled()) {
      p[i] *= (float) (1 - rate * adam.weightDecay());
    } else {
      g += (float) adam.weightDecay() * p[i];
    }
    moment1[i] = (float) adam.beta1() * moment1[i] + (float) (1 - adam.beta1()) * g;
    moment2[i] = (float) adam.beta2() * moment2[i] + (float) (1 - adam.beta2()) * g * g;
    float first = (float) (1 - Math.pow(adam.beta1(), t));
    float second = (float) Math.sqrt(1 - Math.pow(adam.beta2(), t));
    p[i] -= rate / first * moment1[i] / ((float) Math.sqrt(moment2[i]) / second + (float) adam.epsilon());
  }

  private float scale(float[] gradients) {
    if (training.clipNorm().isEmpty()) {
      return 1;
    }
    float squares = 0;
    for (float gradient : gradients) {
      squares += gradient * gradient;
    }
    return Math.min(1, (float) training.clipNorm().getAsDouble() / ((float) Math.sqrt(squares) + 1e-6f));
  }
}
