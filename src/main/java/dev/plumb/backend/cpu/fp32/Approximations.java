package dev.plumb.backend.cpu.fp32;

/**
 * Constants and polynomials of the element functions in single precision. The polynomials are minimax approximations found by the
 * Remez exchange algorithm; the bound after "to" is their largest error in exact arithmetic. Written by hand for each precision.
 */
final class Approximations {
  /** Added to a number below 2^22, it leaves the nearest integer in the last bits; subtracting it again rounds. */
  static final float ROUNDING = 0x1.8p23f;
  /** The same for {@link #powersOfTwo} that may overflow instead of underflow: their results are multiplied by UNSCALE. */
  static final float ROUNDING_UNSCALED = ROUNDING - 2 * 24;

  static final float LOG2_E = 0x1.715476p0f;
  /** ln 2 as the sum of two numbers. Subtracting a multiple of the first from x by fma is exact where the difference is small. */
  static final float LN2 = 0x1.62e43p-1f;
  static final float LN2_REST = -0x1.05c61p-29f;

  /** Bounds of x: e^x rounds to 0 below LOWEST and to infinity above HIGHEST. */
  static final float LOWEST = -104;
  static final float HIGHEST = 88.8f;

  /** Bound above which 1 + e^x rounds to e^x, with some margin; below its negative, e^x - 1 rounds to -1. */
  static final float SATURATION = 20;

  /** Scale of powers of two that may underflow: they are stored divided by this, as normal numbers. */
  static final float UNSCALE = 0x1p-24f;

  /** Bound of y above which e^(-y²/2) rounds to 0. */
  static final float MAX_NORMAL_ARGUMENT = 14.43f;

  /** The constant c of the map from y in [0, ∞) to t = (y - c) / (y + c), see {@link #millsUpper}. */
  static final float MILLS_CENTER = 4;

  private Approximations() {}

  /** Returns e^r - 1 for |r| up to ln(2)/2; to 2^-31, and e^r to 2^-34. */
  static float expm1(float r) {
    float sum = 0x1.9f07dcp-13f;
    sum = Math.fma(sum, r, 0x1.6d8d04p-10f);
    sum = Math.fma(sum, r, 0x1.111272p-7f);
    sum = Math.fma(sum, r, 0x1.55548ep-5f);
    sum = Math.fma(sum, r, 0x1.555554p-3f);
    sum = Math.fma(sum, r, 0.5f);
    return Math.fma(r * r, sum, r);
  }

  /** Returns (2 artanh(s) / s - 2) / w, w = s², for s up to 1/3; log(1 + x) with s = x / (2 + x) to 2^-33. */
  static float artanhRest(float w) {
    float sum = 0x1.f1af06p-3f;
    sum = Math.fma(sum, w, 0x1.b6d69ap-3f);
    sum = Math.fma(sum, w, 0x1.250972p-2f);
    sum = Math.fma(sum, w, 0x1.9996a8p-2f);
    sum = Math.fma(sum, w, 0x1.555558p-1f);
    return sum;
  }

  /**
   * Returns the upper half of the polynomial S(t), where (1 + 1.25y)·e^(y²/2)·Φ(-y) = 1/2 + (1 + t)/2·S(t) for y up to 14.5, to
   * 2^-28; the argument of {@link #millsLower}.
   */
  static float millsUpper(float t) {
    float sum = -0x1.78b9c2p-13f;
    sum = Math.fma(sum, t, 0x1.0497bap-14f);
    sum = Math.fma(sum, t, 0x1.ccc2a2p-10f);
    sum = Math.fma(sum, t, -0x1.74fd2cp-9f);
    sum = Math.fma(sum, t, -0x1.45078ap-7f);
    return sum;
  }

  /** Returns S(t), given its upper half. */
  static float millsLower(float t, float upper) {
    float sum = upper;
    sum = Math.fma(sum, t, 0x1.e379fep-5f);
    sum = Math.fma(sum, t, -0x1.3d52fcp-3f);
    sum = Math.fma(sum, t, 0x1.0c978ap-2f);
    sum = Math.fma(sum, t, -0x1.286f68p-2f);
    sum = Math.fma(sum, t, 0x1.103c66p-3f);
    return sum;
  }

  /**
   * Replaces k + {@link #ROUNDING} by 2^k / UNSCALE, or k + {@link #ROUNDING_UNSCALED} by 2^k·UNSCALE, with integer operations.
   */
  static void powersOfTwo(float[] k, int count) {
    for (int i = 0; i < count; i++) {
      k[i] = Float.intBitsToFloat((Float.floatToRawIntBits(k[i]) + (127 + 24)) << 23);
    }
  }
}
