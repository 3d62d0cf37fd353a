package dev.plumb.backend.cpu.fp64;

/**
 * What the element functions approximate, in double precision: polynomials found by Remez' exchange, with the largest error in
 * exact arithmetic beside each, and the way from a whole number to a power of two. Written by hand for each precision.
 */
final class Approximations {
  /** Added to a number below 2^51, it leaves the nearest whole number in the last bits: subtracted again, it has rounded. */
  static final double ROUNDING = 0x1.8p52;

  static final double LOG2_E = 0x1.71547652b82fep0;
  /** ln 2 as the sum of two numbers. A multiple of the first, taken from x by fma, is exact where the rest is small. */
  static final double LN2 = 0x1.62e42fefa39efp-1;
  static final double LN2_REST = 0x1.abc9e3b39803fp-56;

  /** e^x rounds to 0 below this, and to infinity above HIGHEST. */
  static final double LOWEST = -745.2;
  static final double HIGHEST = 709.8;

  /** 1 + e^x rounds to e^x above this, with a reserve, and e^x - 1 to -1 below its negative. */
  static final double ALONE = 40;

  /** {@link #powersOfTwo} gives 2^k times 2^54, so that the smallest are normal numbers; this takes it away again. */
  static final double UNSCALE = 0x1p-54;

  /** y above this, e^(-y²/2) rounds to 0. */
  static final double FARTHEST = 38.62;

  /** The centre of the map from y in [0, ∞) to t in [-1, 1) under {@link #mills}. */
  static final double MILLS_CENTRE = 5;

  private Approximations() {}

  /** e^r - 1 for |r| up to ln(2)/2; to 2^-60, and e^r to 2^-64. */
  static double expm1(double r) {
    double q = Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, 0x1.1e3e519cd94efp-29, 0x1.af6bed8b072f3p-26), 0x1.27e5b367a7819p-22), 0x1.71ddf01d230e7p-19), 0x1.a01a013710d8ep-16), 0x1.a01a01b37fec4p-13), 0x1.6c16c16c30255p-10), 0x1.111111110ec58p-7), 0x1.5555555555503p-5), 0x1.555555555555bp-3), 0x1.0p-1);
    return Math.fma(r * r, q, r);
  }

  /** (2 artanh(s) / s - 2) / w, w = s², for s up to 1/3; log(1 + x) with s = x / (2 + x) to 2^-64. */
  static double artanhRest(double w) {
    return Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, 0x1.5141f06d23af7p-3, 0x1.1e7bdc76f227ep-4), 0x1.c16fbd1a31d73p-4), 0x1.dfe2a42b5732fp-4), 0x1.112345d39df7cp-3), 0x1.3b12d5d824a1bp-3), 0x1.745d1e0319bedp-3), 0x1.c71c71a5ddca4p-3), 0x1.24924924c1d9dp-2), 0x1.999999999955dp-2), 0x1.5555555555556p-1);
  }

  /** The upper and the lower half of (y + c) e^(y²/2) Φ(-y), c = MILLS_CENTRE, t = (y - c) / (y + c), y up to 38.7; to 2^-62. */
  static double millsUpper(double t) {
    return Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, -0x1.9bf0e96be8922p-32, -0x1.39f165a6442eep-30), 0x1.304354485f23ap-29), 0x1.71050881814f3p-27), -0x1.269a6bd78d8a5p-27), -0x1.2cf00e39f3650p-24), 0x1.59817e5e16e38p-25), 0x1.d4687492c4959p-22), -0x1.674a637ca1769p-22), -0x1.73e06f7cadfcbp-19), 0x1.0b14e79563bbdp-18), 0x1.17df120a6d29bp-16);
  }

  static double mills(double t, double upper) {
    return Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, upper, -0x1.a170137bec5f8p-15), -0x1.f21492c922e4ep-15), 0x1.1daf1ae06f5c4p-11), -0x1.a25037787a001p-11), -0x1.88590e985972bp-9), 0x1.54b4d4f48ab6dp-6), -0x1.1b1c254ca3fa5p-4), 0x1.51f6329f01ba7p-3), -0x1.410ed5f87594cp-2), 0x1.fb31653876f89p-2), -0x1.54ad03f27ca18p-1), 0x1.89d3abe1f95aep-1);
  }

  /** From 2^k's k + {@link #ROUNDING} to 2^k times 2^54, k from -1076 to 969. */
  static void powersOfTwo(double[] k, int count) {
    for (int i = 0; i < count; i++) {
      k[i] = Double.longBitsToDouble((Double.doubleToRawLongBits(k[i]) + (1023 + 54)) << 52);
    }
  }
}
