package dev.plumb.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as text, for tables and messages. */
final class Decimal {
  /** The smallest absolute value that is printed in scientific notation. */
  private static final double MIN_SCIENTIFIC = 1e9;

  private Decimal() {}

  /**
   * Formats with a fixed number of decimals, rounded as in Python and C: the exact value of the double, ties to even. (Java's
   * formatter rounds the shortest decimal form instead: it prints 0.15 as 0.2, Python as 0.1.)
   */
  static String fixed(double value, int decimals) {
    if (!Double.isFinite(value)) {
      return nonFinite(value);
    }
    if (Math.abs(value) >= MIN_SCIENTIFIC) {
      return scientific(value);
    }
    return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
  }

  /** Formats as {@link #fixed} does; "-" if the value is NaN: a score that is undefined. */
  static String orDash(double value, int decimals) {
    return Double.isNaN(value) ? "-" : fixed(value, decimals);
  }

  /** Formats with two significant digits: 1.3e-11. */
  static String scientific(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.1e", value) : nonFinite(value);
  }

  /** Formats a duration: 12 s, 3:07 min, 2:05 h. */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60 ? whole + " s"
        : whole < 3600 ? String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d:%02d h", whole / 3600, whole / 60 % 60);
  }

  private static String nonFinite(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
}
