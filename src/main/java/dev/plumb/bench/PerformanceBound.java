package dev.plumb.bench;

import dev.plumb.backend.ProductProbes;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.CpuBench.BenchTarget;
import dev.plumb.bench.CpuProbes.MultiplyAdds;
import dev.plumb.bench.CpuProbes.WorkerPool;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The upper bound on a workload's speed on a CPU. It is measured after every lap, so that a busy machine affects both. */
interface PerformanceBound extends AutoCloseable {
  /** Returns the name of the bound, for people. */
  String name();

  /** Measures and returns the seconds that a lap would take at the bound. */
  double lapSeconds();

  @Override
  void close();

  /** Returns the bound of a workload on a target; empty if it cannot be measured. */
  static Optional<PerformanceBound> of(Workload workload, BenchTarget target, CpuBench.Plan plan) {
    if (!target.isOnCpu()) {
      return Optional.empty();
    }
    if (workload instanceof StudyWorkload study) {
      return Optional.of(new ArithmeticPeak(study.operations(), study.precision(), target.threads(), plan));
    }
    StepsWorkload steps = (StepsWorkload) workload;
    return switch (steps.bound()) {
      case MULTIPLY_ADDS ->
          Optional.of(new ArithmeticPeak(steps.operationsPerLap(), steps.precision(), target.threads(), plan));
      case PRODUCTS -> target.backend() instanceof ProductProbes bare
          ? Optional.of(
              StepProducts.fastest(steps, bare.stepProducts(steps.network(), steps.precision(), steps.batch()), plan))
          : Optional.empty();
    };
  }

  /** A lap's multiplications and additions at the processor's arithmetic peak. */
  final class ArithmeticPeak implements PerformanceBound {
    private final double rounds;
    private final WorkerPool pool;
    private final TimedLoop loop;

    ArithmeticPeak(double operationsPerLap, Precision precision, int threads, CpuBench.Plan plan) {
      pool = new WorkerPool(threads);
      MultiplyAdds multiplyAdds = new MultiplyAdds(precision, pool);
      rounds = operationsPerLap / multiplyAdds.operations();
      loop = new TimedLoop(multiplyAdds::run, plan.loopSeconds());
    }

    @Override
    public String name() {
      return "multiply-add peak";
    }

    @Override
    public double lapSeconds() {
      return rounds * loop.seconds();
    }

    @Override
    public void close() {
      pool.close();
    }
  }

  /** The matrix products of a lap's steps. */
  final class StepProducts implements PerformanceBound {
    private final ProductProbes.Schedule schedule;
    private final int stepsPerLap;
    private final int measuredSteps;

    /** Takes ownership of the products. Half of a lap's steps are measured. */
    private StepProducts(StepsWorkload workload, ProductProbes.Schedule schedule) {
      this.schedule = schedule;
      stepsPerLap = workload.stepsPerLap() * workload.replicas();
      measuredSteps = Math.max(1, stepsPerLap / 2);
    }

    /** Returns the bound with the fastest way to divide the products among the threads, and closes the others. */
    static StepProducts fastest(StepsWorkload workload, List<ProductProbes.Schedule> schedules, CpuBench.Plan plan) {
      List<TimedLoop> loops =
          schedules.stream().map(schedule -> new TimedLoop(schedule::runStep, plan.loopSeconds())).toList();
      List<List<Double>> seconds = new ArrayList<>();
      schedules.forEach(schedule -> seconds.add(new ArrayList<>()));
      for (int run = 0; run < plan.runs() && schedules.size() > 1; run++) {
        for (int i = 0; i < schedules.size(); i++) {
          seconds.get(i).add(loops.get(i).seconds());
        }
      }
      ProductProbes.Schedule fastest = schedules.stream()
          .min(Comparator.comparingDouble(schedule ->
              schedules.size() == 1 ? 0 : new Measurement(seconds.get(schedules.indexOf(schedule))).median()))
          .orElseThrow();
      schedules.stream().filter(schedule -> schedule != fastest).forEach(ProductProbes.Schedule::close);
      return new StepProducts(workload, fastest);
    }

    @Override
    public String name() {
      return "bare products, " + schedule.name();
    }

    @Override
    public double lapSeconds() {
      return TimedLoop.seconds(measuredSteps, schedule::runStep) / measuredSteps * stepsPerLap;
    }

    @Override
    public void close() {
      schedule.close();
    }
  }
}
