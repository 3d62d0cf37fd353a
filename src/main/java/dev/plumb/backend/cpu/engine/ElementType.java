package dev.plumb.backend.cpu.engine;

/**
 * Arrays of the two precisions, and how they come from and go to the doubles of the seam.
 *
 * @param <A> double[] or float[]
 */
public interface ElementType<A> {
  A newArray(int size);

  /** Rounds where the precision is less than double. */
  void copyIn(double[] from, A to);

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
