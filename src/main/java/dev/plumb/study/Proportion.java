package dev.plumb.study;

import java.util.Locale;

/** How many of some networks: with the 95 % interval of the share that they are a sample of (Wilson 1927). */
public record Proportion(long count, long of) {
  private static final double Z = 1.959963984540054;

  public double low() {
    return centre() - reach();
  }

  public double high() {
    return centre() + reach();
  }

  /** Whether it is more than half, beyond chance. */
  boolean isMost() {
    return of > 0 && low() > 0.5;
  }

  private double centre() {
    double share = (double) count / of;
    return (share + Z * Z / (2 * of)) / (1 + Z * Z / of);
  }

  private double reach() {
    double share = (double) count / of;
    return Z / (1 + Z * Z / of) * Math.sqrt(share * (1 - share) / of + Z * Z / (4.0 * of * of));
  }

  /** 12.3 % (10.1 to 14.9 %). */
  @Override
  public String toString() {
    return of == 0 ? "none known" : String.format(Locale.ROOT, "%.1f %% (%.1f to %.1f %%)", 100.0 * count / of, 100 * low(), 100 * high());
  }
}
