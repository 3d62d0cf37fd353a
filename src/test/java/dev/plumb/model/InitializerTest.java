package dev.plumb.model;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.golden.Golden;
import dev.plumb.random.NumpyRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InitializerTest {
  /** NumPy's normals may differ between platforms in their last bit. */
  private static final double LAST_BIT = 4e-16;

  @ParameterizedTest
  @EnumSource(Initializer.class)
  void matchesTheNumPyReference(Initializer initializer) {
    JsonNode golden = Golden.read("initializers.json");
    NetworkSpec network = NetworkSpec.of(Activation.TANH, Golden.ints(golden.get("layers")));
    double[] drawn = initializer.draw(network, new NumpyRandom(golden.get("seed").longValue()));
    assertRelativeToLargest(
        initializer.key(), Golden.flat(golden.get("parameters").get(initializer.key())), drawn, LAST_BIT);
  }

  @ParameterizedTest
  @EnumSource(Initializer.class)
  void varianceMatchesTheFormula(Initializer initializer) {
    double in = 300;
    double out = 200;
    double expected = switch (initializer) {
      case NOTEBOOK -> 1 / 12.0;
      case XAVIER_UNIFORM, XAVIER_NORMAL -> 2 / (in + out);
      case HE_UNIFORM, HE_NORMAL -> 2 / in;
      case PYTORCH -> 1 / (3 * in);
    };
    double[] drawn = initializer.draw(NetworkSpec.of(Activation.RELU, 300, 200), new NumpyRandom(3));
    double squares = 0;
    for (int i = 0; i < 300 * 200; i++) {
      squares += drawn[i] * drawn[i];
    }
    // The variance of 60,000 draws is known to about 0.6 %.
    assertEquals(expected, squares / (300 * 200), 0.03 * expected);
  }
}
