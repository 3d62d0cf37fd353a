package dev.plumb.backend;

/** A session that says how large it is; for measuring alone. */
public interface Sized {
  /**
   * What the session holds on its device, in bytes: data, parameters, gradients, moments and the values of units. Complete once
   * data is bound and a step was taken.
   */
  long bytes();
}
