package dev.plumb.study;

import java.util.Locale;

/**
 * A proportion of networks with its 95 % confidence interval (Wilson 1927).
 *
 * @param of the number of all networks
 */
public record Proportion(long count, long of) {
  private static final double Z = 1.959963984540054;

  public double low() {
    return Math.max(0, center() - halfWidth());
  }

  public double high() {
    return Math.min(1, center() + halfWidth());
  }

  /** Returns whether the proportion is significantly more than half. */
  boolean isMost() {
    return of > 0 && low() > 0.5;
  }

  /** Returns whether the proportion is significantly less than half. */
  boolean isMinority() {
    return of > 0 && high() < 0.5;
  }

  private double center() {
    double share = (double) count / of;
    return (share + Z * Z / (2 * of)) / (1 + Z * Z / of);
  }

  private double halfWidth() {
    double share = (double) count / of;
    return Z / (1 + Z * Z / of) * Math.sqrt(share * (1 - share) / of + Z * Z / (4.0 * of * of));
  }

  /** Returns the proportion with its interval: 12.3 % (10.1 to 14.9 %). */
  @Override
  public String toString() {
    return of == 0 ? "none known" : String.format(Locale.ROOT, "%.1f %% (%.1f to %.1f %%)", 100.0 * count / of, 100 * low(), 100 * high());
  }
}
