package dev.plumb.backend.cpu;

import dev.plumb.model.Activation;
import java.math.BigDecimal;

/** The functions of finite numbers, to far more digits than what is measured by them. */
public interface FunctionOracle {
  BigDecimal value(Activation f, double z);

  BigDecimal derivative(Activation f, double z);

  BigDecimal exp(double x);
}
