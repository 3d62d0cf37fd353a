package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.model.OptimizerSpec;

/**
 * The updates of one network's parameters, by the formulas of PyTorch (torch.optim.SGD, Adam, AdamW, RMSprop). p is a parameter,
 * g its gradient after clipping, m and v its first and second moment, t the number of the step, from 1. Each loop writes one
 * array, so that C2 vectorizes it.
 */
@SuppressWarnings("cast")
final class Optimizer {
  /** Constant that PyTorch's clip_grad_norm_ adds to the norm before dividing by it. */
  private static final double CLIP_EPSILON = (double) 1e-6;

  private final OptimizerSpec spec;
  private final double[] parameters;
  private final double[] gradients;
  private final double[] moment1;
  private final double[] moment2;

  Optimizer(OptimizerSpec spec, TrainingState state) {
    this.spec = spec;
    parameters = state.parameters();
    gradients = state.gradients();
    moment1 = state.moment1();
    moment2 = state.moment2();
  }

  /** Returns the factor that scales gradients down to the clip norm; 1 when their norm is not above that. */
  static double clipScale(double norm, double clipNorm) {
    return Math.min(1, clipNorm / (norm + CLIP_EPSILON));
  }

  /** Updates parameters from..to - 1 and their moments from the gradients, multiplied by the scale. */
  void update(StepScalars step, double scale, int from, int to) {
    double rate = (double) step.learningRate();
    switch (spec.kind()) {
      case SGD -> sgd((OptimizerSpec.Sgd) spec, rate, scale, from, to);
      case ADAM, ADAMW -> adam((OptimizerSpec.Adam) spec, step, scale, from, to);
      case RMSPROP -> rmsProp((OptimizerSpec.RmsProp) spec, rate, scale, from, to);
    }
  }

  /** Computes m = momentum·m + g; p -= lr·m, or p -= lr·(g + momentum·m) with Nesterov momentum; g includes weightDecay·p. */
  private void sgd(OptimizerSpec.Sgd sgd, double rate, double scale, int from, int to) {
    double decay = (double) sgd.weightDecay();
    double momentum = (double) sgd.momentum();
    if (momentum == 0) {
      descend(parameters, gradients, rate, scale, decay, from, to);
      return;
    }
    runningSum(moment1, gradients, parameters, momentum, scale, decay, from, to);
    if (sgd.nesterov()) {
      descendAhead(parameters, gradients, moment1, rate, momentum, scale, decay, from, to);
    } else {
      descend(parameters, moment1, rate, 1, 0, from, to);
    }
  }

  /**
   * Computes m = beta1·m + (1 - beta1)·g; v = beta2·v + (1 - beta2)·g²;
   * p -= lr · (m / (1 - beta1^t)) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon). Weight decay is part of g
   * or, if decoupled, is applied to p first.
   */
  private void adam(OptimizerSpec.Adam adam, StepScalars step, double scale, int from, int to) {
    double gradientDecay = (double) (adam.decoupled() ? 0 : adam.weightDecay());
    double parameterScale = (double) (adam.decoupled() ? 1 - step.learningRate() * adam.weightDecay() : 1);
    double rate = (double) (step.learningRate() / (1 - Math.pow(adam.beta1(), step.number())));
    double correction = (double) Math.sqrt(1 - Math.pow(adam.beta2(), step.number()));
    runningMean(
        moment1, gradients, parameters, (double) adam.beta1(), (double) (1 - adam.beta1()), scale, gradientDecay, from, to);
    runningMeanOfSquares(
        moment2, gradients, parameters, (double) adam.beta2(), (double) (1 - adam.beta2()), scale, gradientDecay, from, to);
    descendScaled(parameters, moment1, moment2, rate, 1, 0, correction, (double) adam.epsilon(), parameterScale, from, to);
  }

  /** Computes v = alpha·v + (1 - alpha)·g²; p -= lr·g / (sqrt(v) + epsilon); g includes weightDecay·p. */
  private void rmsProp(OptimizerSpec.RmsProp rmsProp, double rate, double scale, int from, int to) {
    double decay = (double) rmsProp.weightDecay();
    runningMeanOfSquares(
        moment2, gradients, parameters, (double) rmsProp.alpha(), (double) (1 - rmsProp.alpha()), scale, decay, from, to);
    descendScaled(parameters, gradients, moment2, rate, scale, decay, 1, (double) rmsProp.epsilon(), 1, from, to);
  }

  private static void descend(double[] p, double[] g, double rate, double scale, double decay, int from, int to) {
    for (int i = from; i < to; i++) {
      p[i] -= rate * (g[i] * scale + decay * p[i]);
    }
  }

  private static void descendAhead(
      double[] p,
      double[] g,
      double[] m,
      double rate,
      double momentum,
      double scale,
      double decay,
      int from,
      int to) {
    for (int i = from; i < to; i++) {
      p[i] -= rate * (g[i] * scale + decay * p[i] + momentum * m[i]);
    }
  }

  private static void descendScaled(
      double[] p,
      double[] direction,
      double[] v,
      double rate,
      double scale,
      double decay,
      double correction,
      double epsilon,
      double parameterScale,
      int from,
      int to) {
    for (int i = from; i < to; i++) {
      double g = direction[i] * scale + decay * p[i];
      p[i] = p[i] * parameterScale - rate * g / ((double) Math.sqrt(v[i]) / correction + epsilon);
    }
  }

  private static void runningSum(
      double[] m, double[] g, double[] p, double momentum, double scale, double decay, int from, int to) {
    for (int i = from; i < to; i++) {
      m[i] = momentum * m[i] + (g[i] * scale + decay * p[i]);
    }
  }

  private static void runningMean(
      double[] m, double[] g, double[] p, double kept, double added, double scale, double decay, int from, int to) {
    for (int i = from; i < to; i++) {
      m[i] = kept * m[i] + added * (g[i] * scale + decay * p[i]);
    }
  }

  private static void runningMeanOfSquares(
      double[] v, double[] g, double[] p, double kept, double added, double scale, double decay, int from, int to) {
    for (int i = from; i < to; i++) {
      double x = g[i] * scale + decay * p[i];
      v[i] = kept * v[i] + added * x * x;
    }
  }
}
