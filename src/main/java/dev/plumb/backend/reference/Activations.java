package dev.plumb.backend.reference;

import dev.plumb.model.Activation;
import org.apache.commons.numbers.gamma.Erfc;

/** The activation functions and their derivatives for single numbers. NaN gives NaN. */
final class Activations {
  private static final double LEAKY_SLOPE = 0.01;
  private static final double SQRT_HALF = 0.7071067811865476;
  private static final double SQRT_TWO_PI = 2.5066282746310002;

  private Activations() {}

  /** Returns f(z). */
  static double value(Activation activation, double z) {
    return switch (activation) {
      case LINEAR -> z;
      case RELU -> Math.max(z, 0);
      case LEAKY_RELU -> z > 0 ? z : LEAKY_SLOPE * z;
      case SIGMOID -> sigmoid(z);
      case TANH -> Math.tanh(z);
      case SOFTPLUS -> softplus(z);
      case ELU -> z > 0 ? z : Math.expm1(z);
      case GELU -> z * normalCdf(z);
      case SILU -> z * sigmoid(z);
    };
  }

  /** Returns f'(z). */
  static double derivative(Activation activation, double z) {
    return switch (activation) {
      case LINEAR -> 1;
      case RELU -> step(z, 0);
      case LEAKY_RELU -> step(z, LEAKY_SLOPE);
      case SIGMOID -> {
        double s = sigmoid(z);
        yield s * (1 - s);
      }
      case TANH -> {
        double t = Math.tanh(z);
        yield 1 - t * t;
      }
      case SOFTPLUS -> sigmoid(z);
      case ELU -> z > 0 ? 1 : Math.exp(z);
      case GELU -> normalCdf(z) + z * normalDensity(z);
      case SILU -> {
        double s = sigmoid(z);
        yield s + z * s * (1 - s);
      }
    };
  }

  /** Returns 1 / (1 + e^-z), by the formula whose exponential does not overflow. */
  static double sigmoid(double z) {
    if (z >= 0) {
      return 1 / (1 + Math.exp(-z));
    }
    double e = Math.exp(z);
    return e / (1 + e);
  }

  /** Returns log(1 + e^z) without overflow. */
  static double softplus(double z) {
    return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
  }

  /** Returns 1 above 0, the given slope at 0 and below, and NaN for NaN. */
  private static double step(double z, double below) {
    if (Double.isNaN(z)) {
      return z;
    }
    return z > 0 ? 1 : below;
  }

  /** Returns Φ(z) = (1 + erf(z / √2)) / 2, without cancellation for negative z. */
  private static double normalCdf(double z) {
    return 0.5 * Erfc.value(-z * SQRT_HALF);
  }

  /** Returns φ(z), the derivative of Φ. */
  private static double normalDensity(double z) {
    return Math.exp(-0.5 * z * z) / SQRT_TWO_PI;
  }
}
