package dev.plumb.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as the reports write them: with few digits where people look, with seven in tables. */
final class Figures {
  private static final int SHORT_DIGITS = 4;
  private static final int TABLE_DIGITS = 7;
  private static final int CELL_DIGITS = 2;

  /** Outside of these, zeros would be most of what is written. */
  private static final double MIN_PLAIN = 1e-4;
  private static final double MAX_PLAIN = 1e7;

  private Figures() {}

  /** 0.03042, 12340, 6.1e-6. */
  static String brief(double value) {
    return significant(value, SHORT_DIGITS, MIN_PLAIN, MAX_PLAIN);
  }

  /** As many digits as single precision has. */
  static String table(double value) {
    return significant(value, TABLE_DIGITS, MIN_PLAIN, MAX_PLAIN);
  }

  /** For the cell of a heat map: 0.21, 6e-6. */
  static String cell(double value) {
    return significant(value, CELL_DIGITS, 0.01, 1e4);
  }

  /** 1,500; below ten with a decimal: 3.4. */
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

  static String percent(double share) {
    return Double.isFinite(share) ? String.format(Locale.ROOT, "%.1f %%", 100 * share) : "-";
  }

  static String seconds(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "not known";
    }
    if (seconds < 60) {
      return brief(round(seconds, 3).doubleValue()) + " s";
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? whole / 60 + " min " + whole % 60 + " s"
        : Figures.whole(whole / 3600) + " h " + whole % 3600 / 60 + " min";
  }

  /** The label of a tick at a multiple of a step: as many digits as tell it from its neighbours. */
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

  private static String significant(double value, int digits, double leastPlain, double mostPlain) {
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
    if (size >= leastPlain && size < mostPlain) {
      return rounded.toPlainString();
    }
    int exponent = rounded.precision() - rounded.scale() - 1;
    return rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
  }

  private static BigDecimal round(double value, int digits) {
    return new BigDecimal(value).round(new MathContext(digits, RoundingMode.HALF_EVEN));
  }
}
