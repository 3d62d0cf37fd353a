package dev.plumb.backend;

/** A session that shows what went on inside its last step; for checks and tests alone. */
public interface Tapped {
  /**
   * Reads one layer's values of the last step that was run.
   *
   * @param layer from 0
   * @param out [batch of that step x units of the layer], row-major
   * @throws IllegalStateException when no step was run yet
   * @throws IllegalArgumentException when out has another length
   */
  void tap(Tap where, int layer, int replica, double[] out);
}
