package dev.plumb.backend.cpu.fp32;

/**
 * What the element functions approximate, in single precision: polynomials found by Remez' exchange, with the largest error in
 * exact arithmetic beside each, and the way from a whole number to a power of two. Written by hand for each precision.
 */
final class Approximations {
  /** Added to a number below 2^22, it leaves the nearest whole number in the last bits: subtracted again, it has rounded. */
  static final float ROUNDING = 0x1.8p23f;
  /** Likewise, for powers of two that may be too large instead of too small: they come out times UNSCALE. */
  static final float ROUNDING_UNSCALED = ROUNDING - 2 * 24;

  static final float LOG2_E = 0x1.715476p0f;
  /** ln 2 as the sum of two numbers. A multiple of the first, taken from x by fma, is exact where the rest is small. */
  static final float LN2 = 0x1.62e43p-1f;
  static final float LN2_REST = -0x1.05c61p-29f;

  /** e^x rounds to 0 below this, and to infinity above HIGHEST. */
  static final float LOWEST = -104;
  static final float HIGHEST = 88.8f;

  /** 1 + e^x rounds to e^x above this, with a reserve, and e^x - 1 to -1 below its negative. */
  static final float ALONE = 20;

  /** Powers of two that may be too small for a normal number are kept divided by this. */
  static final float UNSCALE = 0x1p-24f;

  /** y above this, e^(-y²/2) rounds to 0. */
  static final float FARTHEST = 14.43f;

  /** c in the map from y in [0, ∞) to t = (y - c) / (y + c) under {@link #millsUpper}. */
  static final float MILLS_CENTRE = 4;

  private Approximations() {}

  /** e^r - 1 for |r| up to ln(2)/2; to 2^-31, and e^r to 2^-34. */
  static float expm1(float r) {
    float sum = 0x1.9f07dcp-13f;
    sum = Math.fma(sum, r, 0x1.6d8d04p-10f);
    sum = Math.fma(sum, r, 0x1.111272p-7f);
    sum = Math.fma(sum, r, 0x1.55548ep-5f);
    sum = Math.fma(sum, r, 0x1.555554p-3f);
    sum = Math.fma(sum, r, 0.5f);
    return Math.fma(r * r, sum, r);
  }

  /** (2 artanh(s) / s - 2) / w, w = s², for s up to 1/3; log(1 + x) with s = x / (2 + x) to 2^-33. */
  static float artanhRest(float w) {
    float sum = 0x1.f1af06p-3f;
    sum = Math.fma(sum, w, 0x1.b6d69ap-3f);
    sum = Math.fma(sum, w, 0x1.250972p-2f);
    sum = Math.fma(sum, w, 0x1.9996a8p-2f);
    sum = Math.fma(sum, w, 0x1.555558p-1f);
    return sum;
  }

  /**
   * The upper half of S(t), where (1 + 1.25y)·e^(y²/2)·Φ(-y) = 1/2 + (1 + t)/2·S(t) for y up to 14.5, to 2^-28; it is what
   * {@link #millsLower} goes on from.
   */
  static float millsUpper(float t) {
    float sum = -0x1.78b9c2p-13f;
    sum = Math.fma(sum, t, 0x1.0497bap-14f);
    sum = Math.fma(sum, t, 0x1.ccc2a2p-10f);
    sum = Math.fma(sum, t, -0x1.74fd2cp-9f);
    sum = Math.fma(sum, t, -0x1.45078ap-7f);
    return sum;
  }

  static float millsLower(float t, float upper) {
    float sum = upper;
    sum = Math.fma(sum, t, 0x1.e379fep-5f);
    sum = Math.fma(sum, t, -0x1.3d52fcp-3f);
    sum = Math.fma(sum, t, 0x1.0c978ap-2f);
    sum = Math.fma(sum, t, -0x1.286f68p-2f);
    sum = Math.fma(sum, t, 0x1.103c66p-3f);
    return sum;
  }

  /** k + {@link #ROUNDING} becomes 2^k / UNSCALE, k + {@link #ROUNDING_UNSCALED} becomes 2^k·UNSCALE: bits alone. */
  static void powersOfTwo(float[] k, int count) {
    for (int i = 0; i < count; i++) {
      k[i] = Float.intBitsToFloat((Float.floatToRawIntBits(k[i]) + (127 + 24)) << 23);
    }
  }
}
