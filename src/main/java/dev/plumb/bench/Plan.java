package dev.plumb.bench;

/**
 * How thoroughly to measure.
 *
 * @param runs that each figure is the median of
 * @param warmUpSeconds a workload is trained for so long before it counts, one lap at least
 * @param wholeRuns whether a run has all its laps, not the first one alone
 * @param stretchSeconds one measurement of a ceiling lasts about so long
 * @param squareSize of the square matrices multiplied
 * @param copyBytes of an array that is copied; larger than any cache
 */
public record Plan(int runs, double warmUpSeconds, boolean wholeRuns, double stretchSeconds, int squareSize, int copyBytes) {
  /** For figures that are worth noting down. */
  public static Plan full() {
    return new Plan(5, 2, true, 0.1, 1024, 128 << 20);
  }

  /** To see that everything works; the figures are poor. */
  public static Plan quick() {
    return new Plan(2, 0, false, 0.005, 256, 1 << 20);
  }
}
