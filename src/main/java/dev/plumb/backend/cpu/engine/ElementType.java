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

  /** Copies part of an array, from an index on, into the whole of another; rounds where the precision is less than double. */
  void copyIn(double[] from, int first, A to);

  /** Copies the whole of an array into another, from an index on. */
  void copyOut(A from, double[] to, int first);

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

    @Override
    public void copyIn(double[] from, int first, double[] to) {
      System.arraycopy(from, first, to, 0, to.length);
    }

    @Override
    public void copyOut(double[] from, double[] to, int first) {
      System.arraycopy(from, 0, to, first, from.length);
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
      copyOut(from, to, 0);
    }

    @Override
    public void copyIn(double[] from, int first, float[] to) {
      for (int i = 0; i < to.length; i++) {
        to[i] = (float) from[first + i];
      }
    }

    @Override
    public void copyOut(float[] from, double[] to, int first) {
      for (int i = 0; i < from.length; i++) {
        to[first + i] = from[i];
      }
    }
  };
}
