package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.GpuProbes.Probe;
import dev.plumb.backend.GpuProbes.Products;
import dev.plumb.bench.Outcome.Against;
import dev.plumb.bench.StepsWorkload.Bound;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/** Measures a GPU's ceilings, and then how close training comes to them. A workload and its bound are measured in turns. */
public final class GpuBench {
  /** A training that is no longer finite starts again; a workload that does so this often is not measured. */
  private static final int MAX_RESTARTS = 3;
  private static final Set<Products> WHOLE_STEP = EnumSet.allOf(Products.class);

  private final Backend backend;
  private final GpuProbes probes;
  private final List<Workload> workloads;
  private final GpuPlan plan;
  private final BenchListener listener;

  /** The products of a workload's step. */
  private record StepProducts(String workload, NetworkSpec network, int batch) {}

  /** @param backend a GPU's, which is a {@link GpuProbes} too */
  public GpuBench(Backend backend, List<Workload> workloads, GpuPlan plan, BenchListener listener) {
    this.backend = backend;
    this.probes = (GpuProbes) backend;
    this.workloads = List.copyOf(workloads);
    this.plan = plan;
    this.listener = listener;
  }

  /** Measures copies, launches, and the products of the workloads' steps by themselves. */
  public void measureCeilings() {
    measure(GpuBench::nameOfCopies, "GB/s", 1e9, plan.warmUpSeconds(), () -> probes.copies(plan.copyBytes()));
    measure(probe -> "empty kernels, " + plan.kernels() + " in a graph", "us/kernel", 0, plan.warmUpSeconds(),
        () -> probes.emptyKernels(plan.kernels()));
    Set<StepProducts> steps = new LinkedHashSet<>();
    for (Workload workload : workloads) {
      if (workload instanceof GpuWorkload gpu && gpu.boundByProducts()) {
        steps.add(new StepProducts(gpu.family(), gpu.network(), gpu.batch()));
      }
    }
    for (StepProducts step : steps) {
      for (Precision precision : List.of(Precision.FP64, Precision.FP32, Precision.TF32)) {
        String name = step.workload() + ", all products of a step, " + precision.key();
        measure(probe -> name, "TFLOP/s", 1e12, plan.warmUpSecondsOfCeiling(),
            () -> probes.products(step.network(), precision, step.batch(), WHOLE_STEP));
      }
    }
  }

  /** As large as there was room for. */
  private static String nameOfCopies(Probe copies) {
    return "copy of " + (Math.round(copies.amount() / 2) >> 20) + " MiB within device memory, read and written";
  }

  /**
   * Measures one ceiling.
   *
   * @param scale amounts per unit of the rate; 0 for microseconds per amount
   */
  private void measure(Function<Probe, String> naming, String unit, double scale, double warmUpSeconds, Supplier<Probe> opening) {
    try (Probe probe = opening.get()) {
      String name = naming.apply(probe);
      listener.onMeasuring(name);
      RepeatedWork work = new RepeatedWork(probe::run, plan.secondsOfRun());
      work.warmUp(warmUpSeconds);
      List<Double> rates = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        double seconds = work.seconds();
        rates.add(scale == 0 ? seconds * 1e6 / probe.amount() : probe.amount() / scale / seconds);
      }
      listener.onCeiling(new Ceiling(name, unit, 0, "", new Figure(rates)));
    } catch (DeviceUnavailableException e) {
      listener.onNotMeasured("a ceiling in " + unit + ": " + e.getMessage());
    }
  }

  /** Measures every workload. One that the device has no memory for, or that diverges, is left out. */
  public void measureWorkloads() {
    for (Workload workload : workloads) {
      listener.onMeasuring(workload.name() + " on " + backend.device().kind().key());
      try {
        listener.onOutcome(measure(workload));
      } catch (DeviceUnavailableException | DivergedException e) {
        listener.onNotMeasured(workload.name() + ": " + e.getMessage());
      } catch (OutOfMemoryError e) {
        listener.onNotMeasured(workload.name() + ": Java's heap is too small for its rows and first weights; start Java with -Xmx8g");
      }
    }
  }

  private Outcome measure(Workload workload) {
    Backend planned = workload instanceof GpuWorkload gpu ? probes.withPlanner(gpu.planner()) : backend;
    Optional<Probe> bound = Optional.empty();
    try (Course course = workload.open(planned)) {
      bound = boundOf(workload);
      Outcome.Result result = new Outcome.Result(course.lossFromFirstWeights(), course.planner());
      if (result.finalLoss().isEmpty()) {
        course.restart();
      }
      RepeatedWork laps = new RepeatedWork(course::laps, plan.secondsOfRun());
      Optional<RepeatedWork> products = bound.map(probe -> new RepeatedWork(probe::run, plan.secondsOfRun()));
      products.ifPresent(work -> work.warmUp(plan.warmUpSecondsOfCeiling()));
      finite(course, () -> {
        laps.warmUp(plan.warmUpSeconds());
        return 0.0;
      });
      double amountOfBound = bound.map(Probe::amount).orElse(0.0);
      double amountOfLap = workload.amount() / workload.laps();
      List<Double> achieved = new ArrayList<>();
      List<Double> ceiling = new ArrayList<>();
      List<Double> ratio = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        double secondsOfLap = finite(course, laps::seconds);
        achieved.add(workload.unit().speed(amountOfLap, secondsOfLap));
        products.ifPresent(work -> {
          double atBound = work.seconds() / amountOfBound * operationsOfLap(workload);
          ceiling.add(workload.unit().speed(amountOfLap, atBound));
          ratio.add(atBound / secondsOfLap);
        });
      }
      return new Outcome(workload, backend.device(), 0, new Figure(achieved),
          bound.map(probe -> new Against("bare products", new Figure(ceiling), new Figure(ratio))), course.bytes(), result);
    } finally {
      bound.ifPresent(Probe::close);
    }
  }

  /** Measures; where the training diverges meanwhile, measures again from the first weights. */
  private static double finite(Course course, DoubleSupplier measurement) {
    for (int restarts = 0; ; restarts++) {
      try {
        return measurement.getAsDouble();
      } catch (DivergedException e) {
        if (restarts == MAX_RESTARTS) {
          throw e;
        }
        course.restart();
      }
    }
  }

  private Optional<Probe> boundOf(Workload workload) {
    if (workload instanceof GpuWorkload gpu && gpu.boundByProducts()) {
      return Optional.of(probes.products(gpu.network(), gpu.precision(), gpu.batch(), WHOLE_STEP));
    }
    if (workload instanceof StepsWorkload steps && steps.bound() == Bound.PRODUCTS && steps.replicas() == 1) {
      return Optional.of(probes.products(steps.network(), steps.precision(), steps.batch(), WHOLE_STEP));
    }
    return Optional.empty();
  }

  /** Of the products alone. */
  private static double operationsOfLap(Workload workload) {
    if (workload instanceof GpuWorkload gpu) {
      return gpu.stepsOfLap() * gpu.operationsOfStep();
    }
    StepsWorkload steps = (StepsWorkload) workload;
    return steps.stepsOfLap() * GpuWorkload.operationsOfStep(steps.network(), steps.batch());
  }
}
