package dev.plumb.backend.cpu;

import dev.plumb.model.Activation;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * The activation functions of finite numbers to 30 digits and more, by series and continued fractions whose terms all have one
 * sign. Where a function is within 10^-1000 of its limit, the limit's neighbourhood stands for it.
 */
final class MultiPrecisionOracle implements FunctionOracle {
  private static final MathContext DIGITS = new MathContext(45);
  private static final BigDecimal TWO = BigDecimal.valueOf(2);
  private static final BigDecimal LN10 =
      new BigDecimal("2.302585092994045684017991454684364207601101488628772976");
  private static final BigDecimal SQRT_TWO_PI =
      new BigDecimal("2.506628274631000502415765284811045253006986740609938317");

  @Override
  public BigDecimal value(Activation f, double z) {
    BigDecimal x = new BigDecimal(z);
    return switch (f) {
      case LINEAR -> x;
      case RELU -> x.max(BigDecimal.ZERO);
      case LEAKY_RELU -> z > 0 ? x : x.multiply(new BigDecimal("0.01"));
      case SIGMOID -> sigmoid(z);
      case TANH -> tanh(z);
      case SOFTPLUS -> x.max(BigDecimal.ZERO).add(log1p(exp(-Math.abs(z))), DIGITS);
      case ELU -> z > 0 ? x : expm1(z);
      case GELU -> x.multiply(normalCdf(z), DIGITS);
      case SILU -> x.multiply(sigmoid(z), DIGITS);
    };
  }

  @Override
  public BigDecimal derivative(Activation f, double z) {
    BigDecimal x = new BigDecimal(z);
    return switch (f) {
      case LINEAR -> BigDecimal.ONE;
      case RELU -> z > 0 ? BigDecimal.ONE : BigDecimal.ZERO;
      case LEAKY_RELU -> z > 0 ? BigDecimal.ONE : new BigDecimal("0.01");
      case SIGMOID -> sigmoid(z).multiply(sigmoid(-z), DIGITS);
      case TANH -> sigmoid(2 * z).multiply(sigmoid(-2 * z), DIGITS).multiply(BigDecimal.valueOf(4));
      case SOFTPLUS -> sigmoid(z);
      case ELU -> z > 0 ? BigDecimal.ONE : exp(z);
      case GELU -> normalCdf(z).add(x.multiply(normalDensity(z), DIGITS), DIGITS);
      case SILU -> sigmoid(z).multiply(BigDecimal.ONE.add(x.multiply(sigmoid(-z), DIGITS)), DIGITS);
    };
  }

  @Override
  public BigDecimal exp(double x) {
    if (Math.abs(x) > 3000) {
      return exp(Math.copySign(3000, x));
    }
    return exp(new BigDecimal(x));
  }

  /** e^x = 10^n·(e^(r/256))^256. */
  private static BigDecimal exp(BigDecimal x) {
    int n = x.divide(LN10, DIGITS).setScale(0, RoundingMode.HALF_EVEN).intValueExact();
    BigDecimal r = x.subtract(LN10.multiply(BigDecimal.valueOf(n)), DIGITS);
    BigDecimal power = taylor(r.divide(BigDecimal.valueOf(256), DIGITS)).add(BigDecimal.ONE);
    for (int i = 0; i < 8; i++) {
      power = power.multiply(power, DIGITS);
    }
    return power.scaleByPowerOfTen(n);
  }

  private BigDecimal expm1(double x) {
    return Math.abs(x) < 0.01 ? taylor(new BigDecimal(x)) : exp(x).subtract(BigDecimal.ONE);
  }

  /** e^x - 1 for small x. */
  private static BigDecimal taylor(BigDecimal x) {
    BigDecimal term = x;
    BigDecimal sum = x;
    for (int k = 2; term.signum() != 0 && term.precision() - term.scale() > sum.precision() - sum.scale() - 47; k++) {
      term = term.multiply(x, DIGITS).divide(BigDecimal.valueOf(k), DIGITS);
      sum = sum.add(term, DIGITS);
    }
    return sum;
  }

  /** log(1 + e) = 2 artanh(e / (2 + e)) for e from 0 to 1. */
  private static BigDecimal log1p(BigDecimal e) {
    BigDecimal s = e.divide(TWO.add(e), DIGITS);
    BigDecimal square = s.multiply(s, DIGITS);
    BigDecimal power = s;
    BigDecimal sum = BigDecimal.ZERO;
    for (int k = 1; k < 96 && power.signum() != 0; k += 2) {
      sum = sum.add(power.divide(BigDecimal.valueOf(k), DIGITS), DIGITS);
      power = power.multiply(square, DIGITS);
    }
    return sum.multiply(TWO);
  }

  private BigDecimal sigmoid(double z) {
    BigDecimal e = exp(z);
    return e.divide(BigDecimal.ONE.add(e), DIGITS);
  }

  private BigDecimal tanh(double z) {
    BigDecimal e = expm1(2 * z);
    return e.divide(e.add(TWO), DIGITS);
  }

  private BigDecimal normalDensity(double z) {
    if (Math.abs(z) > 80) {
      return normalDensity(80);
    }
    BigDecimal x = new BigDecimal(z);
    return exp(x.multiply(x).divide(TWO).negate()).divide(SQRT_TWO_PI, DIGITS);
  }

  private BigDecimal normalCdf(double z) {
    return z > 0 ? BigDecimal.ONE.subtract(normalCdf(-z)) : lowerTail(-z);
  }

  /** Φ(-y): up to 5 as 1/2 - φ(y)·Σ y^(2n+1) / (1·3·…·(2n+1)), above by Laplace's continued fraction. */
  private BigDecimal lowerTail(double y) {
    if (y > 80) {
      return lowerTail(80);
    }
    BigDecimal x = new BigDecimal(y);
    if (y > 5) {
      BigDecimal fraction = x;
      for (int k = 20 + (int) (300 / y); k > 0; k--) {
        fraction = x.add(BigDecimal.valueOf(k).divide(fraction, DIGITS));
      }
      return normalDensity(y).divide(fraction, DIGITS);
    }
    BigDecimal square = x.multiply(x, DIGITS);
    BigDecimal term = x;
    BigDecimal sum = x;
    for (int k = 3; k < 301 && term.signum() != 0; k += 2) {
      term = term.multiply(square, DIGITS).divide(BigDecimal.valueOf(k), DIGITS);
      sum = sum.add(term, DIGITS);
    }
    return new BigDecimal("0.5").subtract(normalDensity(y).multiply(sum), DIGITS);
  }
}
