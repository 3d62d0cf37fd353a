package dev.plumb.backend.cpu.engine;

/**
 * Arrays of the two precisions, and how they come from and go to the doubles of the seam.
 *
 * @param <A> double[] or float[]
 */
public interface Numbers<A> {
  A array(int size);

  /** Rounds where the precision is less than double. */
  void copy(double[] from, A to);

  void copyOut(A from, double[] to);

  /** Copies part of an array, from an index on, into the whole of another; rounds where the precision is less than double. */
  void copyIn(double[] from, int first, A to);

  /** Copies the whole of an array into another, from an index on. */
  void copyOut(A from, double[] to, int first);

  Numbers<double[]> DOUBLE = new Numbers<>() {
    @Override
    public double[] array(int size) {
      return new double[size];
    }

    @Override
    public void copy(double[] from, double[] to) {
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

  Numbers<float[]> SINGLE = new Numbers<>() {
    @Override
    public float[] array(int size) {
      return new float[size];
    }

    @Override
    public void copy(double[] from, float[] to) {
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
