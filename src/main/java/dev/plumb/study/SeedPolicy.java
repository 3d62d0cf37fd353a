package dev.plumb.study;

/** The random streams from which the trials of a study draw. The stream of seed s is NumPy's {@code RandomState(s)}. */
public enum SeedPolicy {
  /**
   * One stream per seed, as in the notebook: the data, then network by network the initial weights and the batches of all epochs.
   * A network depends on those before it.
   */
  SHARED,
  /**
   * A stream per trial: the data, then the initial weights and the batches. All networks of one seed start from the same numbers,
   * so that comparisons between cells are paired.
   */
  OWN
}
