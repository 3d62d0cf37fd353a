package dev.plumb.backend.cpu;

import dev.plumb.model.Activation;
import java.math.BigDecimal;
import org.apache.commons.numbers.gamma.Erfc;

/** The functions in double precision, enough to measure those in single precision by. */
public final class DoublePrecisionOracle implements FunctionOracle {
  @Override
  public BigDecimal value(Activation f, double z) {
    return new BigDecimal(
        switch (f) {
          case LINEAR -> z;
          case RELU -> Math.max(z, 0);
          case LEAKY_RELU -> z > 0 ? z : 0.01 * z;
          case SIGMOID -> sigmoid(z);
          case TANH -> StrictMath.tanh(z);
          case SOFTPLUS -> Math.max(z, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(z)));
          case ELU -> z > 0 ? z : StrictMath.expm1(z);
          case GELU -> z * normalCdf(z);
          case SILU -> z * sigmoid(z);
        });
  }

  @Override
  public BigDecimal derivative(Activation f, double z) {
    return new BigDecimal(
        switch (f) {
          case LINEAR -> 1;
          case RELU -> z > 0 ? 1 : 0;
          case LEAKY_RELU -> z > 0 ? 1 : 0.01;
          case SIGMOID -> sigmoid(z) * sigmoid(-z);
          case TANH -> 4 * sigmoid(2 * z) * sigmoid(-2 * z);
          case SOFTPLUS -> sigmoid(z);
          case ELU -> z > 0 ? 1 : StrictMath.exp(z);
          case GELU -> normalCdf(z) + z * StrictMath.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
          case SILU -> sigmoid(z) * (1 + z * sigmoid(-z));
        });
  }

  @Override
  public BigDecimal exp(double x) {
    return new BigDecimal(Math.min(StrictMath.exp(x), Double.MAX_VALUE));
  }

  private static double sigmoid(double z) {
    double e = StrictMath.exp(-Math.abs(z));
    return (z < 0 ? e : 1) / (1 + e);
  }

  private static double normalCdf(double z) {
    return 0.5 * Erfc.value(-z / Math.sqrt(2));
  }
}
