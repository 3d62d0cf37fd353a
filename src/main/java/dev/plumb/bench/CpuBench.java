package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.BenchResult.MeasuredBound;
import dev.plumb.bench.BenchResult.WorkloadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Measures the processor's ceilings, and how close training on the CPU backend, or on the reference, comes to them. Only one
 * measurement runs at a time.
 */
public final class CpuBench {
  private final List<BenchTarget> targets;
  private final List<Workload> workloads;
  private final Plan plan;
  private final BenchResult.Listener listener;

  /**
   * A backend to measure.
   *
   * @param threads number of CPU threads; 0 if it computes elsewhere, so that it has no ceilings
   */
  public record BenchTarget(Backend backend, int threads) {
    boolean isOnCpu() {
      return threads > 0;
    }
  }

  /**
   * The number and length of the measurements.
   *
   * @param runs number of runs of each measurement
   * @param warmUpSeconds training time before the first run of a workload; at least one lap
   * @param wholeRuns whether a run has all its laps, or only one
   * @param loopSeconds approximate duration of one run of a ceiling
   * @param squareSize rows and columns of the square matrices that are multiplied
   * @param copyBytes size of the array that is copied; larger than all caches
   */
  public record Plan(int runs, double warmUpSeconds, boolean wholeRuns, double loopSeconds, int squareSize, int copyBytes) {
    /** Returns the plan for reliable results. */
    public static Plan full() {
      return new Plan(5, 2, true, 0.1, 1024, 128 << 20);
    }

    /** Returns the plan for a trial run; its results are inaccurate. */
    public static Plan quick() {
      return new Plan(2, 0, false, 0.005, 256, 1 << 20);
    }
  }

  public CpuBench(List<BenchTarget> targets, List<Workload> workloads, Plan plan, BenchResult.Listener listener) {
    this.targets = List.copyOf(targets);
    this.workloads = List.copyOf(workloads);
    this.plan = plan;
    this.listener = listener;
  }

  /** Measures the processor's ceilings for each number of threads that a target has. */
  public void measureCeilings() {
    CpuCeilings ceilings = new CpuCeilings(plan, listener);
    ceilings.measureJava(
        targets.stream().map(BenchTarget::threads).map(threads -> Math.max(1, threads)).distinct().sorted().toList());
    ceilings.measureSquareProducts(targets);
    workloads.forEach(workload -> ceilings.measureProducts(targets, workload));
  }

  /** Measures every workload on every target. */
  public void measureWorkloads() {
    for (Workload workload : workloads) {
      for (BenchTarget target : targets) {
        listener.onMeasuring(workload.name() + " on " + target.backend().device().kind().key()
            + (target.threads() == 0 ? "" : ", " + target.threads() + (target.threads() == 1 ? " thread" : " threads")));
        listener.onWorkload(measure(workload, target));
      }
    }
  }

  private WorkloadResult measure(Workload workload, BenchTarget target) {
    Optional<PerformanceBound> bound = PerformanceBound.of(workload, target, plan);
    try (WorkloadRun training = workload.open(target.backend())) {
      warmUp(training, bound);
      int laps = plan.wholeRuns() ? workload.laps() : 1;
      double amount = workload.amount() * laps / workload.laps();
      List<Double> achieved = new ArrayList<>();
      List<Double> ceiling = new ArrayList<>();
      List<Double> ratio = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        training.restart();
        double seconds = 0;
        double boundSeconds = 0;
        for (int lap = 0; lap < laps; lap++) {
          seconds += lapSeconds(training);
          boundSeconds += bound.map(CpuBench::lapSeconds).orElse(0.0);
        }
        achieved.add(workload.unit().speed(amount, seconds));
        ceiling.add(workload.unit().speed(amount, boundSeconds));
        ratio.add(boundSeconds / seconds);
      }
      return new WorkloadResult(workload, target.backend().device(), target.threads(), new Measurement(achieved),
          bound.map(measured -> new MeasuredBound(measured.name(), new Measurement(ceiling), new Measurement(ratio))),
          training.bytes(), OptionalDouble.empty(), Optional.empty());
    } finally {
      bound.ifPresent(PerformanceBound::close);
    }
  }

  private void warmUp(WorkloadRun training, Optional<PerformanceBound> bound) {
    training.restart();
    double seconds = 0;
    do {
      seconds += lapSeconds(training);
      bound.ifPresent(PerformanceBound::lapSeconds);
    } while (seconds < plan.warmUpSeconds());
  }

  private static double lapSeconds(WorkloadRun training) {
    TimedLoop.rest();
    return TimedLoop.seconds(1, once -> training.lap());
  }

  private static double lapSeconds(PerformanceBound bound) {
    TimedLoop.rest();
    return bound.lapSeconds();
  }
}
