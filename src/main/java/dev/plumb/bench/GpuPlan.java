package dev.plumb.bench;

/**
 * How thoroughly to measure a GPU. Its clocks rise under load and fall at rest, so that nothing rests between measurements.
 *
 * @param runs measurements that each figure is the median of
 * @param warmUpSeconds of work by the wall clock before the first measurement of a workload
 * @param warmUpSecondsOfCeiling likewise, of a ceiling that is measured by itself
 * @param secondsOfRun that a measurement lasts at least
 * @param copyBytes copied within device memory; much more than a second-level cache holds
 * @param kernels of the graph of kernels that do nothing
 */
public record GpuPlan(
    int runs, double warmUpSeconds, double warmUpSecondsOfCeiling, double secondsOfRun, long copyBytes, int kernels) {
  /** For figures that are worth noting down. */
  public static GpuPlan full() {
    return new GpuPlan(7, 0.3, 0.1, 0.2, 1L << 30, 1000);
  }

  /** To see that everything works; the figures are poor. */
  public static GpuPlan quick() {
    return new GpuPlan(3, 0, 0, 0, 1L << 24, 100);
  }
}
