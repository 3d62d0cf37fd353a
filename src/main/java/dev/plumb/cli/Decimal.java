package dev.plumb.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers for people. */
final class Decimal {
  /** From here on a fixed number of decimals would only fill the screen. */
  private static final double TOO_LONG = 1e9;

  private Decimal() {}

  /**
   * With a fixed number of decimals, rounded as Python and C round: the double's exact value, ties to even. (Java's own
   * formatter rounds its shortest decimal form instead, and so gives 0.2 for 0.15 where Python gives 0.1.)
   */
  static String fixed(double value, int decimals) {
    if (!Double.isFinite(value)) {
      return nonFinite(value);
    }
    if (Math.abs(value) >= TOO_LONG) {
      return scientific(value);
    }
    return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
  }

  /** With two significant digits: 1.3e-11. */
  static String scientific(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.1e", value) : nonFinite(value);
  }

  private static String nonFinite(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
}
