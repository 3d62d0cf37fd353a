package dev.plumb.check;

import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import org.apache.commons.numbers.gamma.Erfc;

/** The functions of a step in single precision, with intermediate results rounded as a device rounds them. */
final class FloatFunctions {
  private FloatFunctions() {}

  static float activation(Activation activation, float z) {
    return switch (activation) {
      case LINEAR -> z;
      case RELU -> Math.max(z, 0);
      case LEAKY_RELU -> z > 0 ? z : 0.01f * z;
      case SIGMOID -> sigmoid(z);
      case TANH -> (float) Math.tanh(z);
      case SOFTPLUS -> Math.max(z, 0) + (float) Math.log1p((float) Math.exp(-Math.abs(z)));
      case ELU -> z > 0 ? z : (float) Math.expm1(z);
      case GELU -> z * normalCdf(z);
      case SILU -> z * sigmoid(z);
    };
  }

  static float derivative(Activation activation, float z) {
    return switch (activation) {
      case LINEAR -> 1;
      case RELU -> z > 0 ? 1 : 0;
      case LEAKY_RELU -> z > 0 ? 1 : 0.01f;
      case SIGMOID -> sigmoid(z) * (1 - sigmoid(z));
      case TANH -> 1 - (float) Math.tanh(z) * (float) Math.tanh(z);
      case SOFTPLUS -> sigmoid(z);
      case ELU -> z > 0 ? 1 : (float) Math.exp(z);
      case GELU -> normalCdf(z) + z * (float) Math.exp(-0.5f * z * z) * 0.3989423f;
      case SILU -> sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z));
    };
  }

  private static float sigmoid(float z) {
    return (float) (1 / (1 + Math.exp(-z)));
  }

  private static float normalCdf(float z) {
    return 0.5f * (float) Erfc.value(-z * 0.70710678f);
  }

  /** Returns the loss of one output, without weight or divisor. */
  static float term(Loss loss, float z, float y) {
    float difference = z - y;
    float distance = Math.abs(difference);
    return switch (loss) {
      case MSE -> difference * difference;
      case MAE -> distance;
      case HUBER -> distance <= 1 ? 0.5f * difference * difference : distance - 0.5f;
      case BINARY_CROSS_ENTROPY -> activation(Activation.SOFTPLUS, z) - z * y;
      case CROSS_ENTROPY -> throw new IllegalArgumentException("a loss of rows");
    };
  }

  static float termDerivative(Loss loss, float z, float y) {
    float difference = z - y;
    return switch (loss) {
      case MSE -> 2 * difference;
      case MAE -> Math.signum(difference);
      case HUBER -> Math.max(-1, Math.min(1, difference));
      case BINARY_CROSS_ENTROPY -> sigmoid(z) - y;
      case CROSS_ENTROPY -> throw new IllegalArgumentException("a loss of rows");
    };
  }

  /** Returns log Σ e^z over a row. */
  static float logSumExp(float[] z) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float value : z) {
      largest = Math.max(largest, value);
    }
    float sum = 0;
    for (float value : z) {
      sum += (float) Math.exp(value - largest);
    }
    return largest + (float) Math.log(sum);
  }

  /** Returns whether dropout drops a unit, by Philox4x32-10 as {@link Dropout} defines it. */
  static boolean drops(Dropout dropout, int replica, long step, int layer, int element) {
    long key = dropout.seed() + replica;
    int k0 = (int) key;
    int k1 = (int) (key >> 32);
    int c0 = element / 4;
    int c1 = layer;
    int c2 = (int) step;
    int c3 = (int) (step >> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = (c0 & 0xFFFF_FFFFL) * 0xD251_1F53L;
      long p1 = (c2 & 0xFFFF_FFFFL) * 0xCD9E_8D57L;
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += 0x9E37_79B9;
      k1 += 0xBB67_AE85;
    }
    int word = new int[] {c0, c1, c2, c3}[element % 4];
    return (word & 0xFFFF_FFFFL) < Math.round(dropout.probability() * 0x1p32);
  }

  /** Returns a number without the lower half of its bits: bfloat16 by truncation. */
  static float truncated(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xFFFF_0000);
  }

  /** Returns a number rounded to IEEE half precision, to nearest even. */
  static float half(float value) {
    double unit = Math.scalb(1.0, Math.max(Math.getExponent(value), -14) - 10);
    double rounded = Math.rint(value / unit) * unit;
    return Math.abs(rounded) > 65504 ? Math.copySign(Float.POSITIVE_INFINITY, value) : (float) rounded;
  }
}
