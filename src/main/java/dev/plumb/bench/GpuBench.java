package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.GpuProbes.Probe;
import dev.plumb.backend.GpuProbes.Products;
import dev.plumb.backend.Refusal;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.MeasuredBound;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StepsWorkload.Bound;
import dev.plumb.bench.WorkloadRun.DivergedException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/** Measures a GPU's ceilings, and how close training comes to them. A workload and its bound are measured alternately. */
public final class GpuBench {
  /** Number of restarts of a diverging workload before it is reported as not measured. */
  private static final int MAX_RESTARTS = 3;
  private static final Set<Products> WHOLE_STEP = EnumSet.allOf(Products.class);

  private final Backend backend;
  private final GpuProbes probes;
  private final List<Workload> workloads;
  private final Plan plan;
  private final BenchResult.Listener listener;

  /**
   * The number and length of the measurements. A GPU's clocks rise under load and fall when it is idle, so there are no rests
   * between measurements.
   *
   * @param runs number of runs of each measurement
   * @param warmUpSeconds wall-clock time of work before the first run of a workload, or of a ceiling that no workload has
   * @param productsWarmUpSeconds the same for the matrix products of a step
   * @param minSeconds minimum duration of a run
   * @param copyBytes bytes copied within device memory; many times the size of the second-level cache
   * @param kernels number of kernels in the graph of empty kernels
   */
  public record Plan(
      int runs, double warmUpSeconds, double productsWarmUpSeconds, double minSeconds, long copyBytes, int kernels) {
    /** Returns the plan for reliable results. */
    public static Plan full() {
      return new Plan(7, 0.3, 0.1, 0.2, 1L << 30, 1000);
    }

    /** Returns the plan for a trial run; its results are inaccurate. */
    public static Plan quick() {
      return new Plan(3, 0, 0, 0, 1L << 24, 100);
    }
  }

  /** The matrix products of a workload's step. The training's precision is not used. */
  private record StepProducts(String workload, NetworkSpec network, TrainingSpec training, int batch) {
    static StepProducts of(GpuWorkload workload) {
      return new StepProducts(
          workload.family(), workload.network(), workload.training().withPrecision(Precision.FP32), workload.batch());
    }
  }

  /** @param backend a GPU backend that implements {@link GpuProbes} */
  public GpuBench(Backend backend, List<Workload> workloads, Plan plan, BenchResult.Listener listener) {
    this.backend = backend;
    this.probes = (GpuProbes) backend;
    this.workloads = List.copyOf(workloads);
    this.plan = plan;
    this.listener = listener;
  }

  /** Measures memory copies, kernel launches, and the matrix products of the workloads' steps. */
  public void measureCeilings() {
    measure(GpuBench::copyName, "GB/s", 1e9, plan.warmUpSeconds(), () -> probes.copies(plan.copyBytes()));
    measure(probe -> "empty kernels, " + plan.kernels() + " in a graph", "us/kernel", 0, plan.warmUpSeconds(),
        () -> probes.emptyKernels(plan.kernels()));
    Set<StepProducts> steps = new LinkedHashSet<>();
    for (Workload workload : workloads) {
      if (workload instanceof GpuWorkload gpu && gpu.boundByProducts()) {
        steps.add(StepProducts.of(gpu));
      }
    }
    for (StepProducts step : steps) {
      for (Precision precision : List.of(Precision.FP64, Precision.FP32, Precision.TF32, Precision.BF16)) {
        measureProducts(step, precision);
      }
    }
  }

  private void measureProducts(StepProducts step, Precision precision) {
    String name = step.workload() + ", all products of a step, " + precision.key();
    Optional<Refusal> refusal = backend.refusal(step.network(), step.training().withPrecision(precision), 1);
    if (refusal.isPresent()) {
      listener.onNotMeasured(name + ": " + refusal.get().reason());
      return;
    }
    measure(probe -> name, "TFLOP/s", 1e12, plan.productsWarmUpSeconds(),
        () -> probes.products(step.network(), precision, step.batch(), WHOLE_STEP));
  }

  /** Returns the ceiling's name, with the size that the device had room for. */
  private static String copyName(Probe copies) {
    return "copy of " + (Math.round(copies.amount() / 2) >> 20) + " MiB within device memory, read and written";
  }

  /**
   * Measures one ceiling.
   *
   * @param scale divisor of the rate (1e9 for GB/s); 0 for microseconds per amount instead of a rate
   */
  private void measure(Function<Probe, String> nameOf, String unit, double scale, double warmUpSeconds, Supplier<Probe> open) {
    try (Probe probe = open.get()) {
      String name = nameOf.apply(probe);
      listener.onMeasuring(name);
      TimedLoop.Continuous loop = new TimedLoop.Continuous(probe::run, plan.minSeconds());
      loop.warmUp(warmUpSeconds);
      List<Double> rates = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        double seconds = loop.seconds();
        rates.add(scale == 0 ? seconds * 1e6 / probe.amount() : probe.amount() / scale / seconds);
      }
      listener.onCeiling(new Ceiling(name, unit, 0, "", new Measurement(rates)));
    } catch (DeviceUnavailableException e) {
      listener.onNotMeasured("a ceiling in " + unit + ": " + e.getMessage());
    }
  }

  /**
   * Measures every workload; reports those that the device does not support, that diverge, or that need more memory than there is,
   * as not measured.
   */
  public void measureWorkloads() {
    for (Workload workload : workloads) {
      Optional<Refusal> refusal = workload instanceof GpuWorkload gpu
          ? planned(workload).refusal(gpu.network(), gpu.training(), gpu.replicas()) : Optional.empty();
      if (refusal.isPresent()) {
        listener.onNotMeasured(workload.name() + ": " + refusal.get().reason());
        continue;
      }
      listener.onMeasuring(workload.name() + " on " + backend.device().kind().key());
      try {
        listener.onWorkload(measure(workload));
      } catch (DeviceUnavailableException | DivergedException e) {
        listener.onNotMeasured(workload.name() + ": " + e.getMessage());
      } catch (OutOfMemoryError e) {
        listener.onNotMeasured(workload.name()
            + ": Java's heap is too small for its rows and initial weights; start Java with -Xmx8g");
      }
    }
  }

  /** Returns the backend with the workload's planner. */
  private Backend planned(Workload workload) {
    return workload instanceof GpuWorkload gpu ? probes.withPlanner(gpu.planner()) : backend;
  }

  private WorkloadResult measure(Workload workload) {
    Optional<Probe> bound = Optional.empty();
    try (WorkloadRun training = workload.open(planned(workload))) {
      bound = openBound(workload);
      OptionalDouble finalLoss = training.lossAfterFixedSteps();
      Optional<String> planner = training.planner();
      if (finalLoss.isEmpty()) {
        training.restart();
      }
      TimedLoop.Continuous laps = new TimedLoop.Continuous(training::laps, plan.minSeconds());
      Optional<TimedLoop.Continuous> products = bound.map(probe -> new TimedLoop.Continuous(probe::run, plan.minSeconds()));
      products.ifPresent(loop -> loop.warmUp(plan.productsWarmUpSeconds()));
      retryIfDiverged(training, () -> {
        laps.warmUp(plan.warmUpSeconds());
        return 0.0;
      });
      double boundOperations = bound.map(Probe::amount).orElse(0.0);
      double lapAmount = workload.amount() / workload.laps();
      List<Double> achieved = new ArrayList<>();
      List<Double> ceiling = new ArrayList<>();
      List<Double> ratio = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        double lapSeconds = retryIfDiverged(training, laps::seconds);
        achieved.add(workload.unit().speed(lapAmount, lapSeconds));
        products.ifPresent(loop -> {
          double boundSeconds = loop.seconds() / boundOperations * productOperationsPerLap(workload);
          ceiling.add(workload.unit().speed(lapAmount, boundSeconds));
          ratio.add(boundSeconds / lapSeconds);
        });
      }
      return new WorkloadResult(workload, backend.device(), 0, new Measurement(achieved),
          bound.map(probe -> new MeasuredBound("bare products", new Measurement(ceiling), new Measurement(ratio))),
          training.bytes(), finalLoss, planner);
    } finally {
      bound.ifPresent(Probe::close);
    }
  }

  /** Measures; if the training diverges, restarts from the initial weights and measures again. */
  private static double retryIfDiverged(WorkloadRun training, DoubleSupplier measurement) {
    for (int restarts = 0; ; restarts++) {
      try {
        return measurement.getAsDouble();
      } catch (DivergedException e) {
        if (restarts == MAX_RESTARTS) {
          throw e;
        }
        training.restart();
      }
    }
  }

  private Optional<Probe> openBound(Workload workload) {
    if (workload instanceof GpuWorkload gpu && gpu.boundByProducts()) {
      return Optional.of(probes.products(gpu.network(), gpu.precision(), gpu.batch(), WHOLE_STEP));
    }
    if (workload instanceof StepsWorkload steps && steps.bound() == Bound.PRODUCTS && steps.replicas() == 1) {
      return Optional.of(probes.products(steps.network(), steps.precision(), steps.batch(), WHOLE_STEP));
    }
    return Optional.empty();
  }

  /** Returns the floating-point operations of a lap's matrix products. */
  private static double productOperationsPerLap(Workload workload) {
    if (workload instanceof GpuWorkload gpu) {
      return gpu.stepsPerLap() * gpu.operationsPerStep();
    }
    StepsWorkload steps = (StepsWorkload) workload;
    return steps.stepsPerLap() * GpuWorkload.operationsPerStep(steps.network(), steps.batch());
  }
}
