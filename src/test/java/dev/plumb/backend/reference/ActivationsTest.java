package dev.plumb.backend.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Activation;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationsTest {
  /** The values at the kinks, and figures of Python's math module (exp, tanh, expm1, erfc) elsewhere. */
  @ParameterizedTest
  @CsvSource({
    "relu, 0, 0, 0", "relu, -2, 0, 0", "relu, 2, 2, 1",
    "leaky_relu, 0, 0, 0.01", "leaky_relu, -2, -0.02, 0.01",
    "elu, 0, 0, 1", "elu, -2, -0.8646647167633873, 0.1353352832366127",
    "sigmoid, -40, 4.248354255291589e-18, 4.248354255291589e-18", "sigmoid, 0, 0.5, 0.25",
    "softplus, -40, 4.248354255291589e-18, 4.248354255291589e-18", "softplus, 800, 800, 1",
    "gelu, 1, 0.8413447460685429, 1.0833154705876864",
    "gelu, -5, -1.4332578593959731e-6, -7.146946001792295e-6",
    "silu, 1, 0.7310585786300049, 0.9276705118714866",
    "tanh, 1, 0.7615941559557649, 0.41997434161402614",
    "linear, -3, -3, 1",
  })
  void knownValues(String activation, double z, double value, double derivative) {
    assertEquals(value, Activations.value(Activation.of(activation), z), 4e-15 * Math.abs(value));
    assertEquals(derivative, Activations.derivative(Activation.of(activation), z), 4e-15 * Math.abs(derivative));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void nothingOverflowsAndNanIsKept(Activation activation) {
    for (double z : List.of(-1e308, -1000.0, -1e-308, -0.0, 1e-308, 1000.0)) {
      assertTrue(Double.isFinite(Activations.value(activation, z)), activation + " at " + z);
      assertTrue(Double.isFinite(Activations.derivative(activation, z)), activation + "' at " + z);
    }
    assertTrue(Double.isNaN(Activations.value(activation, Double.NaN)), activation.key());
    assertTrue(activation == Activation.LINEAR || Double.isNaN(Activations.derivative(activation, Double.NaN)), activation.key());
  }

  @Test
  void reluPassesNoGradientAtZero() {
    assertEquals(0, Activations.derivative(Activation.RELU, 0));
    assertEquals(0, Activations.derivative(Activation.RELU, -0.0));
  }
}
