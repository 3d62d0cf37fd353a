package dev.plumb.bench;

import dev.plumb.backend.DeviceInfo;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.apache.commons.statistics.descriptive.Median;

/**
 * The results of a benchmark, complete or so far.
 *
 * @param complete false while the benchmark is still running
 * @param library the library for matrix products, of the CPU and of the GPU; empty if no measured backend uses one
 * @param plan the plan of the CPU's measurements
 * @param gpuPlan the plan of the GPU's measurements; empty if no GPU is measured
 * @param backgroundLoad see {@link Machine.BackgroundLoad#busyProcessors}
 * @param notMeasured one line for each measurement that failed, with the reason
 */
public record BenchResult(
    boolean complete,
    Machine machine,
    Optional<String> library,
    CpuBench.Plan plan,
    Optional<GpuBench.Plan> gpuPlan,
    OptionalDouble backgroundLoad,
    List<Ceiling> ceilings,
    List<WorkloadResult> workloads,
    List<String> notMeasured) {

  /** Repeated measurements of one quantity, in the order in which they were taken; at least one. */
  public record Measurement(List<Double> runs) {
    public Measurement {
      runs = List.copyOf(runs);
      if (runs.isEmpty()) {
        throw new IllegalArgumentException("a measurement needs at least one run");
      }
    }

    public double median() {
      return Median.withDefaults().evaluate(values());
    }

    public double min() {
      return runs.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    public double max() {
      return runs.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    /** Returns a copy of the runs. */
    public double[] values() {
      return runs.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }

  /**
   * The highest rate that the machine reaches in one kind of work.
   *
   * @param name the kind of work, for people: multiply-add in Java, fp32
   * @param threads number of CPU threads; 0 on a GPU
   * @param schedule how the threads divide the work, for people; empty if they divide it as a training step does
   */
  public record Ceiling(String name, String unit, int threads, String schedule, Measurement rate) {}

  /**
   * The speed of a workload on a device.
   *
   * @param threads number of CPU threads; 0 on a GPU
   * @param achieved in the workload's unit
   * @param bound the workload's performance bound; empty if none is measured
   * @param sessionBytes memory that the session holds on its device
   * @param finalLoss loss over all rows, averaged over the replicas, after the workload's fixed number of steps; empty if the
   *     workload has no such number
   * @param planner the planner that ran the steps; empty if the backend has only one
   */
  public record WorkloadResult(
      Workload workload,
      DeviceInfo device,
      int threads,
      Measurement achieved,
      Optional<MeasuredBound> bound,
      OptionalLong sessionBytes,
      OptionalDouble finalLoss,
      Optional<String> planner) {}

  /**
   * A workload's performance bound, measured alternately with the workload.
   *
   * @param name what limits the workload, for people
   * @param ceiling speed at the bound in the workload's unit, run by run
   * @param ratio the bound's time divided by the workload's time, run by run; 1 is optimal
   */
  public record MeasuredBound(String name, Measurement ceiling, Measurement ratio) {}

  /** Receives each result as soon as it is measured. */
  public interface Listener {
    /**
     * Called before a measurement.
     *
     * @param description the next measurement, in a few words
     */
    default void onMeasuring(String description) {}

    default void onCeiling(Ceiling ceiling) {}

    default void onWorkload(WorkloadResult result) {}

    /** @param line the measurement that failed, and the reason */
    default void onNotMeasured(String line) {}
  }
}
