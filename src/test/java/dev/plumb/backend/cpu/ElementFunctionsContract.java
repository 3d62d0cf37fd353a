package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Activation;
import dev.plumb.random.NumpyRandom;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the element functions promise in both precisions. All numbers pass as doubles, of which the backend's kind is made. */
public abstract class ElementFunctionsContract {
  private static final int TILE = 512;
  private static final double SENTINEL = -77;

  /** a = f(z); the arrays may be one. */
  protected abstract void apply(Activation f, double[] z, int zFrom, double[] a, int aFrom, int count);

  protected abstract void timesDerivative(
      Activation f, double[] z, int zFrom, double[] a, int aFrom, double[] delta, int deltaFrom, int count);

  protected abstract void exp(double[] x, int xFrom, double[] y, int yFrom, int count);

  protected abstract void sigmoid(double[] x, int xFrom, double[] y, int yFrom, int count);

  protected abstract void softplus(double[] x, int xFrom, double[] y, int yFrom, int count);

  protected abstract boolean derivativeFromOutput(Activation f);

  protected abstract boolean isDouble();

  private FunctionOracle truth() {
    return isDouble() ? new MultiPrecisionOracle() : new DoublePrecisionOracle();
  }

  /**
   * In units in the last place, of either precision. Beside each stands what was observed over every 149th float, 28 million of
   * them, and over 45 000 doubles, many times what is tested here.
   */
  private static double largestError(Activation f) {
    return switch (f) {
      case LINEAR, RELU -> 0;
      case LEAKY_RELU -> 0.9; // 0.84, 0.71
      case SIGMOID -> 2.4; // 2.32, 1.79
      case TANH -> 2.9; // 2.83, 2.27
      case SOFTPLUS -> 1.9; // 1.82, 1.53
      case ELU -> 1.1; // 0.86, 1.07
      case GELU -> 4.5; // 4.38, 3.09
      case SILU -> 2.7; // 2.64, 2.26
    };
  }

  private static double largestErrorOfDerivative(Activation f) {
    return switch (f) {
      case LINEAR, RELU -> 0;
      case LEAKY_RELU -> 0.25; // 0.24, 0.12
      case SIGMOID -> 2.4; // 2.31, 2.19
      case TANH -> 2.9; // 2.83, 2.00
      case SOFTPLUS -> 2.4; // 2.29, 1.88
      case ELU -> 1; // 0.97, 0.91
      case GELU -> 4.2; // 4.07, 3.47
      case SILU -> 2.9; // 2.84, 2.87
    };
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void valuesAreRightToTheLastDigits(Activation f) {
    double[] z = arguments();
    double[] a = applied(f, z);
    FunctionOracle truth = truth();
    Worst worst = new Worst();
    for (int i = 0; i < z.length; i++) {
      BigDecimal exact = truth.value(f, z[i]);
      // Φ(z) and sigmoid(z) below the smallest normal number have fewer digits.
      boolean product = f == Activation.GELU || f == Activation.SILU;
      double least = product ? Math.abs(z[i]) * minNormal() : 0;
      worst.add(z[i], a[i], exact, Math.max(Math.abs(exact.doubleValue()), least));
    }
    worst.assertBelow(f.key(), largestError(f));
  }

  /**
   * Relative to f', or to the first summand of f' = a - a², 1 - a², Φ(z) + z·φ(z), s + z·s·(1 - s) where that is larger: what
   * cancels there is lost.
   */
  @ParameterizedTest
  @EnumSource(Activation.class)
  void derivativesAreRightToTheLastDigits(Activation f) {
    double[] z = arguments();
    double[] slopes = slopes(f, z);
    FunctionOracle truth = truth();
    Worst worst = new Worst();
    for (int i = 0; i < z.length; i++) {
      BigDecimal exact = truth.derivative(f, z[i]);
      boolean product = f == Activation.GELU || f == Activation.SILU;
      double summand = switch (f) {
        case SIGMOID, SILU -> truth.value(Activation.SIGMOID, z[i]).doubleValue();
        case TANH -> 1;
        case GELU -> z[i] == 0 ? 0.5 : truth.value(Activation.GELU, z[i]).doubleValue() / z[i];
        default -> 0;
      };
      double least = product ? Math.abs(z[i]) * minNormal() : 0;
      worst.add(z[i], slopes[i], exact, Math.max(Math.abs(exact.doubleValue()), Math.max(summand, least)));
    }
    worst.assertBelow(f.key() + "'", largestErrorOfDerivative(f));
  }

  @Test
  void exponentialsAreRightToTheLastDigits() {
    double[] x = arguments();
    double[] y = new double[x.length];
    exp(x, 0, y, 0, x.length);
    FunctionOracle truth = truth();
    Worst worst = new Worst();
    for (int i = 0; i < x.length; i++) {
      BigDecimal exact = truth.exp(x[i]);
      worst.add(x[i], y[i], exact, exact.doubleValue());
    }
    worst.assertBelow("exp", 1); // 0.97, 0.91
    double[] special = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    exp(special, 0, special, 0, 3);
    assertArrayEquals(new double[] {Double.NaN, Double.POSITIVE_INFINITY, 0}, special);
  }

  /** As the scalar formulas have it: silu and gelu at -∞ are -∞·0, and their slopes at both ends hold ∞·0. */
  @ParameterizedTest
  @EnumSource(Activation.class)
  void infinitiesGiveWhatTheFormulasGive(Activation f) {
    double[] z = {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY};
    double infinity = Double.POSITIVE_INFINITY;
    double nan = Double.NaN;
    double slope = isDouble() ? 0.01 : 0.01f;
    double[] values = switch (f) {
      case LINEAR, LEAKY_RELU -> z;
      case RELU, SOFTPLUS -> new double[] {0, infinity};
      case SIGMOID -> new double[] {0, 1};
      case TANH -> new double[] {-1, 1};
      case ELU -> new double[] {-1, infinity};
      case GELU, SILU -> new double[] {nan, infinity};
    };
    double[] slopes = switch (f) {
      case LINEAR -> new double[] {1, 1};
      case RELU, SOFTPLUS, ELU -> new double[] {0, 1};
      case LEAKY_RELU -> new double[] {slope, 1};
      case SIGMOID, TANH -> new double[] {0, 0};
      case GELU, SILU -> new double[] {nan, nan};
    };
    assertArrayEquals(values, applied(f, z));
    assertArrayEquals(slopes, slopes(f, z));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void nanGoesThroughWithoutTouchingItsNeighbours(Activation f) {
    double[] z = grid(TILE + 19);
    double[] a = applied(f, z);
    double[] slopes = slopes(f, z);
    for (int at = 0; at < z.length; at += 7) {
      z[at] = Double.NaN;
      a[at] = Double.NaN;
      slopes[at] = f == Activation.LINEAR ? 1 : Double.NaN;
    }
    assertArrayEquals(a, applied(f, z));
    assertArrayEquals(slopes, slopes(f, z));
  }

  @ParameterizedTest
  @EnumSource(value = Activation.class, names = {"RELU", "LEAKY_RELU"})
  void kinksAreExact(Activation f) {
    double smallest = isDouble() ? Double.MIN_VALUE : Float.MIN_VALUE;
    double largest = isDouble() ? Double.MAX_VALUE : Float.MAX_VALUE;
    double below = f == Activation.RELU ? 0 : isDouble() ? 0.01 : 0.01f;
    double[] z = {-largest, -1, -smallest, -0.0, 0.0, smallest, 1, largest};
    assertArrayEquals(new double[] {below, below, below, below, below, 1, 1, 1}, slopes(f, z));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void everyCountAndPlaceGivesTheSame(Activation f) {
    double[] z = grid(2 * TILE + 60);
    double[] a = applied(f, z);
    double[] slopes = slopes(f, z);
    List<Integer> counts = new ArrayList<>();
    for (int around = 0; around <= 2 * TILE; around += TILE) {
      for (int count = Math.max(0, around - 20); count < around + 36; count++) {
        counts.add(count);
      }
    }
    for (int count : counts) {
      int zFrom = count % 5;
      int aFrom = count % 3;
      int deltaFrom = count % 4;
      String what = f + " of " + count;
      double[] values = filled(z.length + 8);
      apply(f, z, zFrom, values, aFrom, count);
      assertPart(what, a, zFrom, values, aFrom, count);

      double[] inPlace = z.clone();
      apply(f, inPlace, zFrom, inPlace, zFrom, count);
      double[] expected = z.clone();
      System.arraycopy(a, zFrom, expected, zFrom, count);
      assertArrayEquals(expected, inPlace, what + " in place");

      double[] delta = filled(z.length + 8);
      Arrays.fill(delta, deltaFrom, deltaFrom + count, 1);
      timesDerivative(f, z, zFrom, values, aFrom, delta, deltaFrom, count);
      assertPart(what + ", derivative", slopes, zFrom, delta, deltaFrom, count);

      double[] same = filled(z.length + 8);
      Arrays.fill(same, zFrom, zFrom + count, 1);
      timesDerivative(f, z, zFrom, a, zFrom, same, zFrom, count);
      assertPart(what + ", derivative at equal offsets", slopes, zFrom, same, zFrom, count);
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void derivativesMultiplyWhatIsThere(Activation f) {
    double[] z = grid(100);
    double[] delta = new double[100];
    Arrays.setAll(delta, i -> i % 3 - 1);
    double[] expected = slopes(f, z);
    for (int i = 0; i < delta.length; i++) {
      expected[i] *= delta[i];
    }
    timesDerivative(f, z, 0, applied(f, z), 0, delta, 0, delta.length);
    for (int i = 0; i < delta.length; i++) {
      assertEquals(expected[i] + 0.0, delta[i] + 0.0, f + "' at " + z[i]);
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void whatIsHadFromTheOutputDoesNotReadZ(Activation f) {
    double[] z = grid(TILE + 9);
    double[] expected = slopes(f, z);
    double[] none = new double[z.length];
    Arrays.fill(none, Double.NaN);
    double[] delta = new double[z.length];
    Arrays.fill(delta, 1);
    timesDerivative(f, none, 0, applied(f, z), 0, delta, 0, z.length);
    assertEquals(derivativeFromOutput(f), Arrays.equals(expected, delta), f.key());
  }

  @Test
  void sigmoidSoftplusAndExpWorkAnywhereAndInPlace() {
    double[] x = grid(TILE + 30);
    for (int count : new int[] {0, 1, 31, TILE - 1, TILE, TILE + 13}) {
      double[] y = filled(x.length);
      sigmoid(x, 3, y, 5, count);
      assertPart("sigmoid", applied(Activation.SIGMOID, x), 3, y, 5, count);
      y = filled(x.length);
      softplus(x, 3, y, 5, count);
      assertPart("softplus", applied(Activation.SOFTPLUS, x), 3, y, 5, count);
      double[] all = new double[x.length];
      exp(x, 0, all, 0, x.length);
      y = filled(x.length);
      exp(x, 3, y, 5, count);
      assertPart("exp", all, 3, y, 5, count);
      double[] inPlace = x.clone();
      exp(inPlace, 2, inPlace, 2, count);
      double[] expected = x.clone();
      System.arraycopy(all, 2, expected, 2, count);
      assertArrayEquals(expected, inPlace, "exp in place");
    }
  }

  private double minNormal() {
    return isDouble() ? Double.MIN_NORMAL : Float.MIN_NORMAL;
  }

  private double[] applied(Activation f, double[] z) {
    double[] a = new double[z.length];
    apply(f, z, 0, a, 0, z.length);
    return a;
  }

  private double[] slopes(Activation f, double[] z) {
    double[] delta = new double[z.length];
    Arrays.fill(delta, 1);
    timesDerivative(f, z, 0, applied(f, z), 0, delta, 0, z.length);
    return delta;
  }

  private static double[] filled(int length) {
    double[] array = new double[length];
    Arrays.fill(array, SENTINEL);
    return array;
  }

  /** All of actual is as it was filled, but the part. */
  private static void assertPart(String what, double[] expected, int expectedFrom, double[] actual, int from, int count) {
    double[] whole = filled(actual.length);
    System.arraycopy(expected, expectedFrom, whole, from, count);
    assertArrayEquals(whole, actual, what);
  }

  /** ElementType on both sides of 0 that are exact in both precisions. */
  private static double[] grid(int count) {
    double[] z = new double[count];
    Arrays.setAll(z, i -> (i * 37 % 101 - 50) * 0.125);
    return z;
  }

  /** Finite numbers of the precision: random bits, and many where the functions turn and where the formulas change. */
  private double[] arguments() {
    NumpyRandom random = new NumpyRandom(5);
    int many = isDouble() ? 200 : 1000;
    List<Double> z = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      z.add(randomBits(random));
      z.add(random.uniform(-1, 1));
      z.add(random.uniform(-10, 10));
      z.add(random.uniform(-60, 60));
      z.add(random.uniform(-800, 800));
      z.add(Math.scalb(random.uniform(-1, 1), -(int) random.uniform(0, isDouble() ? 1060 : 140)));
    }
    double[] turns = {-0.7518, -1.2784, 0.5 * Math.log(2), -0.5 * Math.log(2), 1.5 * Math.log(2), 5, 20, 37, 40, -5, -17, -20,
      -37, -38.5, -38.6, -14.4, -88, -104, -103.9, 88.7, -708.4, -745.1, 709.7, 8.3, -8.3, 18.5, -18.5};
    for (double turn : turns) {
      for (int i = 0; i < many / 20; i++) {
        z.add(turn + random.uniform(-0.05, 0.05));
      }
    }
    double[] limits = isDouble()
        ? new double[] {Double.MIN_VALUE, Double.MIN_NORMAL, Double.MAX_VALUE, Math.nextDown(Double.MIN_NORMAL), 709.782712893384,
            709.7827128933841, 745.1332191019411, 745.1332191019412, 708.3964185322641, 36.7368005696771, 0x1p-27, 0x1p-54}
        : new double[] {Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE, Math.nextDown(Float.MIN_NORMAL), 88.72283f, 88.72284f,
            103.97207f, 103.97208f, 87.33654f, 17.32868f, 0x1p-12, 0x1p-24};
    for (double limit : limits) {
      z.add(limit);
      z.add(-limit);
    }
    z.add(0.0);
    z.add(-0.0);
    return z.stream().mapToDouble(x -> isDouble() ? x : x.floatValue()).filter(Double::isFinite).toArray();
  }

  private double randomBits(NumpyRandom random) {
    long high = (long) random.uniform(0, 0x1p32);
    long low = (long) random.uniform(0, 0x1p32);
    return isDouble() ? Double.longBitsToDouble(high << 32 | low) : Float.intBitsToFloat((int) high);
  }

  /** The largest error of many, in units in the last place of what each is relative to. */
  private final class Worst {
    private double error;
    private String where = "";

    void add(double argument, double actual, BigDecimal exact, double scale) {
      double rounded = isDouble() ? exact.doubleValue() : exact.floatValue();
      double seen;
      if (Double.isInfinite(rounded) || !Double.isFinite(actual)) {
        seen = rounded == actual ? 0 : Double.POSITIVE_INFINITY;
      } else {
        double unit = isDouble() ? Math.ulp(scale) : Math.ulp((float) scale);
        seen = new BigDecimal(actual).subtract(exact).abs().divide(new BigDecimal(unit), MathContext.DECIMAL32).doubleValue();
      }
      if (seen > error) {
        error = seen;
        where = " at " + argument + ": " + actual + " instead of " + exact.round(MathContext.DECIMAL64);
      }
    }

    void assertBelow(String what, double bound) {
      assertTrue(error <= bound, what + " is " + error + " units in the last place off" + where + "; allowed are " + bound);
    }
  }
}
