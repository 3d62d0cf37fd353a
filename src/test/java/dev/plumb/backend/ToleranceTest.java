package dev.plumb.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ToleranceTest {
  private static final Tolerance TOLERANCE = new Tolerance(0.5, 0.25);

  @Test
  void isAbsolutePlusRelative() {
    assertEquals(1, TOLERANCE.units(5.5, 4));
    assertEquals(2, TOLERANCE.units(7, 4));
    assertEquals(0, new Tolerance(0, 0).units(3, 3));
  }

  @Test
  void whatIsNotFiniteNeverPasses() {
    double[] values = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    for (double value : values) {
      assertEquals(Double.POSITIVE_INFINITY, TOLERANCE.units(value, value));
      assertEquals(Double.POSITIVE_INFINITY, TOLERANCE.units(value, 1));
      assertEquals(Double.POSITIVE_INFINITY, TOLERANCE.units(1, value));
    }
  }
}
