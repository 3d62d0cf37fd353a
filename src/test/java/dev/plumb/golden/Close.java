package dev.plumb.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;

/** Comparisons of figures; finite first, so that NaN never passes. */
public final class Close {
  private Close() {}

  /** |actual - expected| is at most relative·|expected|. */
  public static void assertRelative(String what, double expected, double actual, double relative) {
    if (!Double.isFinite(expected) || !Double.isFinite(actual)
        || Math.abs(actual - expected) > relative * Math.abs(expected)) {
      fail(what + ": expected " + expected + ", got " + actual + ", relative error "
          + Math.abs(actual - expected) / Math.abs(expected) + ", allowed " + relative);
    }
  }

  /** |actual - expected| is at most relative·|expected| + absolute. */
  public static void assertNear(String what, double expected, double actual, double relative, double absolute) {
    double error = Math.abs(actual - expected);
    if (!Double.isFinite(expected) || !Double.isFinite(actual) || error > relative * Math.abs(expected) + absolute) {
      fail(what + ": expected " + expected + ", got " + actual + ", error " + error + ", allowed "
          + relative + " of it + " + absolute);
    }
  }

  /** Every element differs by at most relative times the largest expected one. */
  public static void assertRelativeToLargest(String what, double[] expected, double[] actual, double relative) {
    assertEquals(expected.length, actual.length, what + ": length");
    double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      if (!Double.isFinite(expected[i]) || !Double.isFinite(actual[i])
          || Math.abs(actual[i] - expected[i]) > relative * largest) {
        fail(what + "[" + i + "]: expected " + expected[i] + ", got " + actual[i] + ", error "
            + Math.abs(actual[i] - expected[i]) / largest + " of the largest element, allowed " + relative);
      }
    }
  }

  /** The same bits, the sign of zero included. */
  public static void assertSameBits(String what, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length, what + ": length");
    for (int i = 0; i < expected.length; i++) {
      if (Double.doubleToRawLongBits(expected[i]) != Double.doubleToRawLongBits(actual[i])) {
        fail(what + "[" + i + "]: expected " + expected[i] + ", got " + actual[i] + " (other bits)");
      }
    }
  }
}
