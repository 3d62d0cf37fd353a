package dev.plumb.backend;

/** A session that reports how much memory it holds; for measurements only. */
public interface MemoryFootprint {
  /**
   * Returns the size of everything that the session holds on its device, in bytes: data, parameters, gradients, moments and the
   * values of units. Complete after data was bound and a step was run.
   */
  long bytes();
}
