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

  /** 12 s, 3:07 min, 2:05 h. */
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
