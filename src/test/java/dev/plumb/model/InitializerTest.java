package dev.plumb.model;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.golden.Golden;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class InitializerTest {
  /** NumPy's normals may differ between platforms in their last bit. */
  private static final double LAST_BIT = 4e-16;

  /** The rounding of another algorithm for the same decomposition. */
  private static final double DECOMPOSITION = 1e-14;

  @ParameterizedTest
  @EnumSource(Initializer.class)
  void matchesTheNumPyReference(Initializer initializer) {
    JsonNode golden = Golden.read("initializers.json");
    NetworkSpec network = NetworkSpec.of(Activation.TANH, Golden.ints(golden.get("layers")));
    double[] drawn = initializer.draw(network, new NumpyRandom(golden.get("seed").longValue()));
    assertRelativeToLargest(
        initializer.key(), Golden.flat(golden.get("parameters").get(initializer.key())), drawn,
        initializer == Initializer.ORTHOGONAL ? DECOMPOSITION : LAST_BIT);
  }

  /** Shapes with more rows than columns, as many, and fewer. */
  @ParameterizedTest
  @CsvSource({"31, 65", "65, 65", "65, 31", "1, 7", "7, 1"})
  void orthogonalVectorsAreOrthonormal(int rows, int columns) {
    double[] w = Initializer.ORTHOGONAL.draw(NetworkSpec.of(Activation.RELU, columns, rows), new NumpyRandom(5));
    boolean byRow = rows <= columns;
    for (int one = 0; one < Math.min(rows, columns); one++) {
      for (int other = 0; other <= one; other++) {
        double product = 0;
        for (int i = 0; i < Math.max(rows, columns); i++) {
          product += byRow ? w[one * columns + i] * w[other * columns + i] : w[i * columns + one] * w[i * columns + other];
        }
        assertEquals(one == other ? 1 : 0, product, 1e-14, one + " times " + other);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Normalization.class, names = {"LAYER", "BATCH"})
  void normalizationsStartAsStandardization(Normalization normalization) {
    NetworkSpec plain = NetworkSpec.of(Activation.RELU, 3, 5, 7, 2);
    NetworkSpec network = plain.withNormalization(normalization);
    double[] drawn = Initializer.HE_NORMAL.draw(network, new NumpyRandom(5));
    double[] prefix = Initializer.HE_NORMAL.draw(plain, new NumpyRandom(5));
    assertArrayEquals(prefix, Arrays.copyOf(drawn, prefix.length));
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      double expected = switch (slice.kind()) {
        case SCALE, RUNNING_VARIANCE -> 1;
        case SHIFT, RUNNING_MEAN -> 0;
        case WEIGHT, BIAS -> Double.NaN;
      };
      for (int i = slice.offset(); i < slice.offset() + slice.size() && !Double.isNaN(expected); i++) {
        assertEquals(expected, drawn[i], slice.name());
      }
    }
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
      case ORTHOGONAL -> 1 / in;
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
