package dev.plumb.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** The number formats of the reports: few digits in text and drawings, seven in tables. */
final class Format {
  private static final int SHORT_DIGITS = 4;
  private static final int TABLE_DIGITS = 7;
  private static final int CELL_DIGITS = 2;

  /** Magnitudes outside of these limits use scientific notation. */
  private static final double MIN_PLAIN = 1e-4;
  private static final double MAX_PLAIN = 1e7;

  private Format() {}

  /** Returns at most four significant digits: 0.03042, 12340, 6.1e-6. */
  static String brief(double value) {
    return significant(value, SHORT_DIGITS, MIN_PLAIN, MAX_PLAIN);
  }

  /** Returns a score, at most four significant digits and "-" if it is undefined; more digits if it would wrongly read 1. */
  static String score(double value) {
    return Double.isNaN(value) ? "-" : value != 1 && brief(value).equals("1") ? table(value) : brief(value);
  }

  /** Returns as many significant digits as single precision has. */
  static String table(double value) {
    return significant(value, TABLE_DIGITS, MIN_PLAIN, MAX_PLAIN);
  }

  /** Returns two significant digits, for the cells of a heat map: 0.21, 6e-6. */
  static String cell(double value) {
    return significant(value, CELL_DIGITS, 0.01, 1e4);
  }

  /** Returns a factor without decimals, below ten with one: 1,500, 3.4. */
  static String factor(double value) {
    if (!Double.isFinite(value) || value >= 1e9) {
      return brief(value);
    }
    double rounded = round(value, value < 10 ? 2 : 3).doubleValue();
    return String.format(Locale.ROOT, rounded < 10 ? "%.1f" : "%,.0f", rounded);
  }

  static String whole(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  static String percent(double fraction) {
    return Double.isFinite(fraction) ? String.format(Locale.ROOT, "%.1f %%", 100 * fraction) : "-";
  }

  static String seconds(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "unknown";
    }
    if (seconds < 60) {
      return brief(round(seconds, 3).doubleValue()) + " s";
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? whole / 60 + " min " + whole % 60 + " s"
        : Format.whole(whole / 3600) + " h " + whole % 3600 / 60 + " min";
  }

  /** Returns the label of a tick at a multiple of the step, with enough digits to distinguish it from its neighbors. */
  static String tick(double value, double step) {
    double size = Math.abs(value);
    if (value == 0) {
      return "0";
    }
    if (size >= 1e5 && size < MAX_PLAIN && value == Math.rint(value)) {
      return whole((long) value);
    }
    int lastDigit = (int) Math.floor(Math.log10(step) + 1e-9);
    if (size < 1e5 && step >= MIN_PLAIN) {
      return new BigDecimal(value).setScale(Math.max(0, -lastDigit), RoundingMode.HALF_EVEN).toPlainString();
    }
    int digits = (int) Math.floor(Math.log10(size) + 1e-9) - lastDigit + 1;
    return significant(value, Math.max(1, Math.min(TABLE_DIGITS, digits)), 1e-3, 1e5);
  }

  private static String significant(double value, int digits, double minPlain, double maxPlain) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return "0";
    }
    BigDecimal rounded = round(value, digits).stripTrailingZeros();
    double size = Math.abs(rounded.doubleValue());
    if (size >= minPlain && size < maxPlain) {
      return rounded.toPlainString();
    }
    int exponent = rounded.precision() - rounded.scale() - 1;
    return rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
  }

  private static BigDecimal round(double value, int digits) {
    return new BigDecimal(value).round(new MathContext(digits, RoundingMode.HALF_EVEN));
  }
}
