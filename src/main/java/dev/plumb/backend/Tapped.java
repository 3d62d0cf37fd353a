package dev.plumb.backend;

/** A session from which the intermediate values of the last step can be read; for checks and tests only. */
public interface Tapped {
  /**
   * Reads intermediate values of one layer in the last step.
   *
   * @param layer from 0
   * @param out [batch of that step x units of the layer], row-major
   * @throws IllegalStateException before the first step
   * @throws IllegalArgumentException when out has another length, or the layer has no such values
   */
  void tap(Tap where, int layer, int replica, double[] out);
}
