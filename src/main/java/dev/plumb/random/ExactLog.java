package dev.plumb.random;

/**
 * The natural logarithm, rounded correctly but for cases within about 2^-30 of an ulp of a tie: the same on every platform
 * and JVM, which {@link Math#log} does not promise, and nearer to C libraries' than {@link StrictMath#log} (whose last bit is
 * wrong in 7 of 100 draws; glibc's in 8 of 10,000).
 *
 * <p>x = m·2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s) = 2s·Σ s^2k / (2k+1) with s = (m-1)/(m+1), in double-double
 * arithmetic (a value as the unevaluated sum of two doubles, Dekker 1971).
 */
final class ExactLog {
  private static final double LN2_HIGH = 0x1.62e42fefa39efp-1;
  private static final double LN2_LOW = 0x1.abc9e3b39803fp-56;

  /** |s| is at most 0.172, so that the term behind the last is below 2^-110. */
  private static final int LAST_TERM = 20;

  /** 1 / (2k + 1), and what its rounding lost. */
  private static final double[] COEFFICIENTS = new double[LAST_TERM + 1];
  private static final double[] COEFFICIENTS_LOW = new double[LAST_TERM + 1];

  static {
    for (int k = 0; k <= LAST_TERM; k++) {
      double divisor = 2 * k + 1;
      COEFFICIENTS[k] = 1 / divisor;
      COEFFICIENTS_LOW[k] = Math.fma(-COEFFICIENTS[k], divisor, 1) / divisor;
    }
  }

  private ExactLog() {}

  /** @param x positive, finite and normal */
  static double log(double x) {
    int exponent = Math.getExponent(x);
    double m = Math.scalb(x, -exponent);
    if (m > 1.4142135623730951) {
      m *= 0.5;
      exponent++;
    }
    double numerator = m - 1;
    double denominator = m + 1;
    double denominatorLow = m - (denominator - 1);
    double s = numerator / denominator;
    double sLow = (Math.fma(-s, denominator, numerator) - s * denominatorLow) / denominator;
    double square = s * s;
    double squareLow = Math.fma(s, s, -square) + 2 * s * sLow;

    double sum = 0;
    double sumLow = 0;
    for (int k = LAST_TERM; k >= 0; k--) {
      double coefficient = COEFFICIENTS[k];
      double product = sum * square;
      double productLow = Math.fma(sum, square, -product) + sum * squareLow + sumLow * square;
      double high = coefficient + product;
      double low = sumError(coefficient, product, high) + productLow + COEFFICIENTS_LOW[k];
      sum = high + low;
      sumLow = low - (sum - high);
    }

    double product = 2 * (s * sum);
    double productLow = 2 * (Math.fma(s, sum, -s * sum) + s * sumLow + sLow * sum);
    double whole = exponent * LN2_HIGH;
    double wholeLow = Math.fma(exponent, LN2_HIGH, -whole) + exponent * LN2_LOW;
    double high = whole + product;
    return high + (sumError(whole, product, high) + wholeLow + productLow);
  }

  /** What a + b lost when it was rounded to sum (Knuth's two-sum). */
  private static double sumError(double a, double b, double sum) {
    double bRounded = sum - a;
    return (a - (sum - bRounded)) + (b - bRounded);
  }
}
