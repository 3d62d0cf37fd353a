package dev.plumb.random;

/**
 * Natural logarithm, correctly rounded except within about 2^-30 ulp of a tie. It is the same on every platform and JVM, which
 * {@link Math#log} does not guarantee, and closer to C libraries' than {@link StrictMath#log} (whose last bit is wrong in 7 of
 * 100 draws; glibc's in 8 of 10,000).
 *
 * <p>x = m·2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s) = 2s·Σ s^2k / (2k+1) with s = (m-1)/(m+1), in double-double
 * arithmetic (a value as the unevaluated sum of two doubles, Dekker 1971).
 */
final class ExactLog {
  private static final double LN2_HIGH = 0x1.62e42fefa39efp-1;
  private static final double LN2_LOW = 0x1.abc9e3b39803fp-56;

  /** Last term of the series: |s| is at most 0.172, so that the next one is below 2^-110. */
  private static final int LAST_TERM = 20;

  /** First term whose rounding error in double is below 2^-93 of the sum, so that it needs no second double. */
  private static final int FIRST_SMALL_TERM = 9;

  /** 1 / (2k + 1) and its rounding error. */
  private static final double[] COEFFICIENTS = new double[LAST_TERM + 1];
  private static final double[] COEFFICIENTS_LOW = new double[LAST_TERM + 1];

  static {
    for (int k = 0; k <= LAST_TERM; k++) {
      double divisor = 2 * k + 1;
      COEFFICIENTS[k] = 1 / divisor;
      COEFFICIENTS_LOW[k] = Math.fma(-COEFFICIENTS[k], divisor, 1) / divisor;
    }
  }

  /** Mask of the fraction bits of a double, and the bits of 1. */
  private static final long MANTISSA = 0x000f_ffff_ffff_ffffL;
  private static final long ONE = 0x3ff0_0000_0000_0000L;

  private ExactLog() {}

  /**
   * Returns the natural logarithm.
   *
   * @param x positive, finite and normal
   */
  static double log(double x) {
    double[] value = {x};
    log(value, value, 1);
    return value[0];
  }

  /**
   * Computes several logarithms. The terms of the series depend on each other, so each term is computed for all numbers together.
   *
   * @param x positive, finite and normal
   * @param to may be x
   * @param count number of elements, from index 0 of both arrays
   */
  static void log(double[] x, double[] to, int count) {
    double[] exponent = new double[count];
    double[] s = new double[count];
    double[] sLow = new double[count];
    double[] square = new double[count];
    double[] squareLow = new double[count];
    for (int i = 0; i < count; i++) {
      long bits = Double.doubleToRawLongBits(x[i]);
      exponent[i] = Math.getExponent(x[i]);
      double m = Double.longBitsToDouble(bits & MANTISSA | ONE);
      if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent[i]++;
      }
      double numerator = m - 1;
      double denominator = m + 1;
      double denominatorLow = m - (denominator - 1);
      s[i] = numerator / denominator;
      sLow[i] = (Math.fma(-s[i], denominator, numerator) - s[i] * denominatorLow) / denominator;
      square[i] = s[i] * s[i];
      squareLow[i] = Math.fma(s[i], s[i], -square[i]) + 2 * s[i] * sLow[i];
    }
    double[] sum = new double[count];
    double[] sumLow = new double[count];
    for (int i = 0; i < count; i++) {
      double small = 0;
      for (int k = LAST_TERM; k >= FIRST_SMALL_TERM; k--) {
        small = small * square[i] + COEFFICIENTS[k];
      }
      sum[i] = small;
    }
    for (int k = FIRST_SMALL_TERM - 1; k >= 0; k--) {
      addTerm(COEFFICIENTS[k], COEFFICIENTS_LOW[k], square, squareLow, sum, sumLow, count);
    }
    for (int i = 0; i < count; i++) {
      double product = 2 * (s[i] * sum[i]);
      double productLow = 2 * (Math.fma(s[i], sum[i], -s[i] * sum[i]) + s[i] * sumLow[i] + sLow[i] * sum[i]);
      double whole = exponent[i] * LN2_HIGH;
      double wholeLow = Math.fma(exponent[i], LN2_HIGH, -whole) + exponent[i] * LN2_LOW;
      double high = whole + product;
      to[i] = high + (sumError(whole, product, high) + wholeLow + productLow);
    }
  }

  /** Adds one term of the series by Horner's rule: sum = sum·square + coefficient. */
  private static void addTerm(double coefficient, double coefficientLow, double[] square, double[] squareLow, double[] sum,
      double[] sumLow, int count) {
    for (int i = 0; i < count; i++) {
      double product = sum[i] * square[i];
      double productLow = Math.fma(sum[i], square[i], -product) + sum[i] * squareLow[i] + sumLow[i] * square[i];
      double high = coefficient + product;
      double low = sumError(coefficient, product, high) + productLow + coefficientLow;
      double next = high + low;
      sumLow[i] = low - (next - high);
      sum[i] = next;
    }
  }

  /** Returns the rounding error of sum = a + b (Knuth's two-sum). */
  private static double sumError(double a, double b, double sum) {
    double bRounded = sum - a;
    return (a - (sum - bRounded)) + (b - bRounded);
  }
}
