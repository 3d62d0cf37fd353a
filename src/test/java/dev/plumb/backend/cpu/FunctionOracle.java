package dev.plumb.backend.cpu;

import dev.plumb.model.Activation;
import java.math.BigDecimal;

/** The activation functions of finite numbers, with more digits than the implementation under test. */
public interface FunctionOracle {
  BigDecimal value(Activation f, double z);

  BigDecimal derivative(Activation f, double z);

  BigDecimal exp(double x);
}
