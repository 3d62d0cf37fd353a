package dev.plumb.backend.cpu.fp32;

/**
 * What the element functions approximate, in single precision: polynomials found by Remez' exchange, with the largest error in
 * exact arithmetic beside each, and the way from a whole number to a power of two. Written by hand for each precision.
 */
final class Approximations {
  /** Added to a number below 2^22, it leaves the nearest whole number in the last bits: subtracted again, it has rounded. */
  static final float ROUNDING = 0x1.8p23f;

  static final float LOG2_E = 0x1.715476p0f;
  /** ln 2 as the sum of two numbers. A multiple of the first, taken from x by fma, is exact where the rest is small. */
  static final float LN2 = 0x1.62e43p-1f;
  static final float LN2_REST = -0x1.05c61p-29f;

  /** e^x rounds to 0 below this, and to infinity above HIGHEST. */
  static final float LOWEST = -104;
  static final float HIGHEST = 88.8f;

  /** 1 + e^x rounds to e^x above this, with a reserve, and e^x - 1 to -1 below its negative. */
  static final float ALONE = 20;

  /** {@link #powersOfTwo} gives 2^k times 2^24, so that the smallest are normal numbers; this takes it away again. */
  static final float UNSCALE = 0x1p-24f;

  /** y above this, e^(-y²/2) rounds to 0. */
  static final float FARTHEST = 14.43f;

  /** The centre of the map from y in [0, ∞) to t in [-1, 1) under {@link #mills}. */
  static final float MILLS_CENTRE = 4;

  private Approximations() {}

  /** e^r - 1 for |r| up to ln(2)/2; to 2^-31, and e^r to 2^-34. */
  static float expm1(float r) {
    float q = Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, 0x1.9f07dcp-13f, 0x1.6d8d04p-10f), 0x1.111272p-7f), 0x1.55548ep-5f), 0x1.555554p-3f), 0x1.000000p-1f);
    return Math.fma(r * r, q, r);
  }

  /** (2 artanh(s) / s - 2) / w, w = s², for s up to 1/3; log(1 + x) with s = x / (2 + x) to 2^-33. */
  static float artanhRest(float w) {
    return Math.fma(w, Math.fma(w, Math.fma(w, Math.fma(w, 0x1.f1af06p-3f, 0x1.b6d69ap-3f), 0x1.250972p-2f), 0x1.9996a8p-2f), 0x1.555558p-1f);
  }

  /** The upper and the lower half of (y + c) e^(y²/2) Φ(-y), c = MILLS_CENTRE, t = (y - c) / (y + c), y up to 14.5; to 2^-29. */
  static float millsUpper(float t) {
    return Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, -0x1.848cd4p-15f, -0x1.d1b016p-13f), 0x1.667d38p-13f), 0x1.ad2718p-10f), -0x1.c99c80p-9f);
  }

  static float mills(float t, float upper) {
    return Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, upper, -0x1.ee54f4p-8f), 0x1.eec818p-5f), -0x1.7dff04p-3f), 0x1.8c6dbap-2f), -0x1.373e3ap-1f), 0x1.82b4bcp-1f);
  }

  /** From 2^k's k + {@link #ROUNDING} to 2^k times 2^24, k from -150 to 103. */
  static void powersOfTwo(float[] k, int count) {
    for (int i = 0; i < count; i++) {
      k[i] = Float.intBitsToFloat((Float.floatToRawIntBits(k[i]) + (127 + 24)) << 23);
    }
  }
}
