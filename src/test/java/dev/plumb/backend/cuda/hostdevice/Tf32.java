package dev.plumb.backend.cuda.hostdevice;

/** The number format of factors on tensor cores. */
public final class Tf32 {
  private Tf32() {}

  /** Returns the nearest number with 10 bits of fraction, ties away from zero, as {@code cvt.rna.tf32.f32} does. */
  public static float rounded(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) + 0x1000 & ~0x1FFF);
  }
}
