package dev.plumb.backend.cpu.engine;

/**
 * The precision of a session's numbers, with conversions from and to the doubles of its callers.
 *
 * @param <A> double[] or float[]
 */
public interface ElementType<A> {
  /** Returns a new array of zeros. */
  A newArray(int size);

  /** Copies all values, rounded to this precision. */
  void copyIn(double[] from, A to);

  /** Copies all values. */
  void copyOut(A from, double[] to);

  ElementType<double[]> FP64 = new ElementType<>() {
    @Override
    public double[] newArray(int size) {
      return new double[size];
    }

    @Override
    public void copyIn(double[] from, double[] to) {
      System.arraycopy(from, 0, to, 0, from.length);
    }

    @Override
    public void copyOut(double[] from, double[] to) {
      System.arraycopy(from, 0, to, 0, from.length);
    }
  };

  ElementType<float[]> FP32 = new ElementType<>() {
    @Override
    public float[] newArray(int size) {
      return new float[size];
    }

    @Override
    public void copyIn(double[] from, float[] to) {
      for (int i = 0; i < from.length; i++) {
        to[i] = (float) from[i];
      }
    }

    @Override
    public void copyOut(float[] from, double[] to) {
      for (int i = 0; i < from.length; i++) {
        to[i] = from[i];
      }
    }
  };
}
