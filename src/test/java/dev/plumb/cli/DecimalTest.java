package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecimalTest {
  /** The strings are Python's: f"{value:.{decimals}f}". */
  @ParameterizedTest
  @CsvSource({"0.15, 1, 0.1", "0.25, 1, 0.2", "0.35, 1, 0.3", "2.675, 2, 2.67", "1e-7, 6, 0.000000", "0.49384718, 4, 0.4938",
      "0.00005, 4, 0.0001", "12345.678, 1, 12345.7", "-0.125, 2, -0.12"})
  void roundsAsPythonRounds(double value, int decimals, String expected) {
    assertEquals(expected, Decimal.fixed(value, decimals));
  }

  @Test
  void largeNumbersAndWhatIsNotFiniteStayShort() {
    assertEquals("1.2e+30", Decimal.fixed(1.23e30, 4));
    assertEquals("nan", Decimal.fixed(Double.NaN, 4));
    assertEquals("inf", Decimal.fixed(Double.POSITIVE_INFINITY, 4));
    assertEquals("-inf", Decimal.scientific(Double.NEGATIVE_INFINITY));
  }
}
