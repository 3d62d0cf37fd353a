package dev.plumb.backend.reference;

import dev.plumb.model.OptimizerSpec;

/**
 * The updates of the parameters, by the formulas of PyTorch (torch.optim.SGD, Adam, AdamW, RMSprop). p is a parameter, g its
 * gradient, m and v its first and second moment, t the number of this step, from 1.
 */
final class Optimizers {
  /** Constant that PyTorch's clip_grad_norm_ adds to the norm before dividing by it. */
  private static final double CLIP_EPSILON = 1e-6;

  private Optimizers() {}

  /** Returns the factor that scales a gradient down to the clip norm; 1 when its norm is not above that. */
  static double clipScale(double norm, double clipNorm) {
    return Math.min(1, clipNorm / (norm + CLIP_EPSILON));
  }

  /** Updates the first {@code count} elements of p, m and v; a moment that the optimizer does not keep may be null. */
  static void update(
      OptimizerSpec optimizer, double learningRate, long t, double[] gradients, double[] p, double[] m, double[] v, int count) {
    for (int i = 0; i < count; i++) {
      switch (optimizer.kind()) {
        case SGD -> sgd((OptimizerSpec.Sgd) optimizer, learningRate, gradients[i], p, m, i);
        case ADAM, ADAMW -> adam((OptimizerSpec.Adam) optimizer, learningRate, t, gradients[i], p, m, v, i);
        case RMSPROP -> rmsProp((OptimizerSpec.RmsProp) optimizer, learningRate, gradients[i], p, v, i);
      }
    }
  }

  /** Computes m = momentum·m + g; p -= lr·m, or p -= lr·(g + momentum·m) with Nesterov momentum. */
  private static void sgd(OptimizerSpec.Sgd sgd, double learningRate, double gradient, double[] p, double[] m, int i) {
    double g = gradient + sgd.weightDecay() * p[i];
    double direction = g;
    if (sgd.momentum() > 0) {
      m[i] = sgd.momentum() * m[i] + g;
      direction = sgd.nesterov() ? g + sgd.momentum() * m[i] : m[i];
    }
    p[i] -= learningRate * direction;
  }

  /**
   * Computes m = beta1·m + (1 - beta1)·g; v = beta2·v + (1 - beta2)·g²;
   * p -= lr · (m / (1 - beta1^t)) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
   */
  private static void adam(
      OptimizerSpec.Adam adam, double learningRate, long t, double gradient, double[] p, double[] m, double[] v, int i) {
    double g = gradient;
    if (adam.decoupled()) {
      p[i] *= 1 - learningRate * adam.weightDecay();
    } else {
      g += adam.weightDecay() * p[i];
    }
    m[i] = adam.beta1() * m[i] + (1 - adam.beta1()) * g;
    v[i] = adam.beta2() * v[i] + (1 - adam.beta2()) * g * g;
    double firstCorrection = 1 - Math.pow(adam.beta1(), t);
    double secondCorrection = 1 - Math.pow(adam.beta2(), t);
    double denominator = Math.sqrt(v[i]) / Math.sqrt(secondCorrection) + adam.epsilon();
    p[i] -= learningRate / firstCorrection * m[i] / denominator;
  }

  /** Computes v = alpha·v + (1 - alpha)·g²; p -= lr·g / (sqrt(v) + epsilon). */
  private static void rmsProp(
      OptimizerSpec.RmsProp rmsProp, double learningRate, double gradient, double[] p, double[] v, int i) {
    double g = gradient + rmsProp.weightDecay() * p[i];
    v[i] = rmsProp.alpha() * v[i] + (1 - rmsProp.alpha()) * g * g;
    p[i] -= learningRate * g / (Math.sqrt(v[i]) + rmsProp.epsilon());
  }
}
