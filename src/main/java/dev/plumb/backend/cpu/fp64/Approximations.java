package dev.plumb.backend.cpu.fp64;

/**
 * Constants and polynomials of the element functions in double precision. The polynomials are minimax approximations found by the
 * Remez exchange algorithm; the bound after "to" is their largest error in exact arithmetic. Written by hand for each precision.
 */
final class Approximations {
  /** Added to a number below 2^51, it leaves the nearest integer in the last bits; subtracting it again rounds. */
  static final double ROUNDING = 0x1.8p52;
  /** The same for {@link #powersOfTwo} that may overflow instead of underflow: their results are multiplied by UNSCALE. */
  static final double ROUNDING_UNSCALED = ROUNDING - 2 * 54;

  static final double LOG2_E = 0x1.71547652b82fep0;
  /** ln 2 as the sum of two numbers. Subtracting a multiple of the first from x by fma is exact where the difference is small. */
  static final double LN2 = 0x1.62e42fefa39efp-1;
  static final double LN2_REST = 0x1.abc9e3b39803fp-56;

  /** Bounds of x: e^x rounds to 0 below LOWEST and to infinity above HIGHEST. */
  static final double LOWEST = -745.2;
  static final double HIGHEST = 709.8;

  /** Bound above which 1 + e^x rounds to e^x, with some margin; below its negative, e^x - 1 rounds to -1. */
  static final double SATURATION = 40;

  /** Scale of powers of two that may underflow: they are stored divided by this, as normal numbers. */
  static final double UNSCALE = 0x1p-54;

  /** Bound of y above which e^(-y²/2) rounds to 0. */
  static final double MAX_NORMAL_ARGUMENT = 38.62;

  /** The constant c of the map from y in [0, ∞) to t = (y - c) / (y + c), see {@link #millsUpper}. */
  static final double MILLS_CENTER = 6;

  private Approximations() {}

  /** Returns e^r - 1 for |r| up to ln(2)/2; to 2^-60, and e^r to 2^-64. */
  static double expm1(double r) {
    double sum = 0x1.1e3e519cd94efp-29;
    sum = Math.fma(sum, r, 0x1.af6bed8b072f3p-26);
    sum = Math.fma(sum, r, 0x1.27e5b367a7819p-22);
    sum = Math.fma(sum, r, 0x1.71ddf01d230e7p-19);
    sum = Math.fma(sum, r, 0x1.a01a013710d8ep-16);
    sum = Math.fma(sum, r, 0x1.a01a01b37fec4p-13);
    sum = Math.fma(sum, r, 0x1.6c16c16c30255p-10);
    sum = Math.fma(sum, r, 0x1.111111110ec58p-7);
    sum = Math.fma(sum, r, 0x1.5555555555503p-5);
    sum = Math.fma(sum, r, 0x1.555555555555bp-3);
    sum = Math.fma(sum, r, 0.5);
    return Math.fma(r * r, sum, r);
  }

  /** Returns (2 artanh(s) / s - 2) / w, w = s², for s up to 1/3; log(1 + x) with s = x / (2 + x) to 2^-64. */
  static double artanhRest(double w) {
    double sum = 0x1.5141f06d23af7p-3;
    sum = Math.fma(sum, w, 0x1.1e7bdc76f227ep-4);
    sum = Math.fma(sum, w, 0x1.c16fbd1a31d73p-4);
    sum = Math.fma(sum, w, 0x1.dfe2a42b5732fp-4);
    sum = Math.fma(sum, w, 0x1.112345d39df7cp-3);
    sum = Math.fma(sum, w, 0x1.3b12d5d824a1bp-3);
    sum = Math.fma(sum, w, 0x1.745d1e0319bedp-3);
    sum = Math.fma(sum, w, 0x1.c71c71a5ddca4p-3);
    sum = Math.fma(sum, w, 0x1.24924924c1d9dp-2);
    sum = Math.fma(sum, w, 0x1.999999999955dp-2);
    sum = Math.fma(sum, w, 0x1.5555555555556p-1);
    return sum;
  }

  /**
   * Returns the upper half of the polynomial S(t), where (1 + 1.25y)·e^(y²/2)·Φ(-y) = 1/2 + (1 + t)/2·S(t) for y up to 38.7, to
   * 2^-57; the argument of {@link #millsLower}.
   */
  static double millsUpper(double t) {
    double sum = 0x1.0422221604ffbp-28;
    sum = Math.fma(sum, t, 0x1.76f3989d0f259p-29);
    sum = Math.fma(sum, t, -0x1.74cb70fac4055p-25);
    sum = Math.fma(sum, t, -0x1.773273985e5bbp-29);
    sum = Math.fma(sum, t, 0x1.74744d5ec638cp-22);
    sum = Math.fma(sum, t, -0x1.98c5156448e98p-22);
    sum = Math.fma(sum, t, -0x1.24245fb21615bp-19);
    sum = Math.fma(sum, t, 0x1.d574015f9e8a2p-18);
    sum = Math.fma(sum, t, 0x1.fdca87989e4ffp-19);
    sum = Math.fma(sum, t, -0x1.2fc59e264d6a6p-14);
    sum = Math.fma(sum, t, 0x1.738b7a484a049p-13);
    return sum;
  }

  /** Returns S(t), given its upper half. */
  static double millsLower(double t, double upper) {
    double sum = upper;
    sum = Math.fma(sum, t, 0x1.e3e65ba1d1006p-14);
    sum = Math.fma(sum, t, -0x1.37b1e81b390dbp-9);
    sum = Math.fma(sum, t, 0x1.4f045c89848e4p-7);
    sum = Math.fma(sum, t, -0x1.e4adaadf51b01p-6);
    sum = Math.fma(sum, t, 0x1.12ef5b4c89198p-4);
    sum = Math.fma(sum, t, -0x1.021d810b4bd98p-3);
    sum = Math.fma(sum, t, 0x1.99af3d6337df6p-3);
    sum = Math.fma(sum, t, -0x1.13420c888ce28p-2);
    sum = Math.fma(sum, t, 0x1.31ff7ea1343b3p-2);
    sum = Math.fma(sum, t, -0x1.02443996b06c6p-2);
    sum = Math.fma(sum, t, 0x1.9eb69542c7501p-4);
    return sum;
  }

  /**
   * Replaces k + {@link #ROUNDING} by 2^k / UNSCALE, or k + {@link #ROUNDING_UNSCALED} by 2^k·UNSCALE, with integer operations.
   */
  static void powersOfTwo(double[] k, int count) {
    for (int i = 0; i < count; i++) {
      k[i] = Double.longBitsToDouble((Double.doubleToRawLongBits(k[i]) + (1023 + 54)) << 52);
    }
  }
}
