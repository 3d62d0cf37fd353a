package dev.plumb.bench;

import dev.plumb.backend.ProductProbes;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.CpuBench.BenchTarget;
import dev.plumb.bench.CpuProbes.CoreLatency;
import dev.plumb.bench.CpuProbes.MemoryBandwidth;
import dev.plumb.bench.CpuProbes.MultiplyAdds;
import dev.plumb.bench.CpuProbes.WorkerPool;
import dev.plumb.bench.Workload.StepsWorkload;
import dev.plumb.bench.Workload.StepsWorkload.Bound;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Measures the processor's ceilings: the {@link CpuProbes}, and the matrix products of the library that the backends use, square
 * ones and those of the workloads. The ceilings of one kind are measured alternately, so that a busy machine affects all of them.
 */
final class CpuCeilings {
  private static final List<Precision> PRECISIONS = List.of(Precision.FP32, Precision.FP64);

  /** A ceiling and its runs so far. */
  private record Probe(
      String name, String unit, int threads, String schedule, double amount, TimedLoop loop, List<Double> rates) {
    void measure() {
      rates.add(amount / loop.seconds());
    }

    Ceiling ceiling() {
      return new Ceiling(name, unit, threads, schedule, new Measurement(rates));
    }
  }

  private final CpuBench.Plan plan;
  private final BenchResult.Listener listener;
  private final List<Probe> probes = new ArrayList<>();

  CpuCeilings(CpuBench.Plan plan, BenchResult.Listener listener) {
    this.plan = plan;
    this.listener = listener;
  }

  /** Measures the {@link CpuProbes} for each number of threads. */
  void measureJava(List<Integer> threadCounts) {
    listener.onMeasuring("multiply-adds, memory copies and core-to-core latency");
    List<WorkerPool> pools = threadCounts.stream().map(WorkerPool::new).toList();
    try {
      for (Precision precision : PRECISIONS) {
        for (WorkerPool pool : pools) {
          MultiplyAdds multiplyAdds = new MultiplyAdds(precision, pool);
          add("multiply-add in Java, " + precision.key(), "GFLOP/s", pool.threads(), "", multiplyAdds.operations() / 1e9,
              multiplyAdds::run);
        }
      }
      for (WorkerPool pool : pools) {
        MemoryBandwidth copies = new MemoryBandwidth(plan.copyBytes(), pool);
        add("copy of " + (plan.copyBytes() >> 20) + " MiB, read and written", "GB/s", pool.threads(), "",
            copies.bytes() / 1e9, copies::run);
      }
      for (WorkerPool pool : pools) {
        if (pool.threads() > 1) {
          add("core-to-core round trips (cache-line ping-pong)", "1e6/s", pool.threads(), "", CoreLatency.ROUND_TRIPS / 1e6,
              new CoreLatency(pool)::run);
        }
      }
      measure();
    } finally {
      pools.forEach(WorkerPool::close);
    }
  }

  /** Measures square products: those for Z and dW of a layer whose inputs, outputs and batch are equal in number. */
  void measureSquareProducts(List<BenchTarget> targets) {
    int size = plan.squareSize();
    for (Precision precision : PRECISIONS) {
      listener.onMeasuring("square products, " + precision.key());
      measureProducts(targets, NetworkSpec.of(Activation.LINEAR, size, size), precision, size,
          "products " + size + " x " + size + " x " + size + ", " + precision.key(), false);
    }
  }

  /** Measures the products of a workload's step, all together and one by one, if they are the workload's bound. */
  void measureProducts(List<BenchTarget> targets, Workload workload) {
    if (workload instanceof StepsWorkload steps && steps.bound() == Bound.PRODUCTS) {
      listener.onMeasuring("products of " + steps.name());
      measureProducts(
          targets, steps.network(), steps.precision(), steps.batch(), steps.name() + ", all products of a step", true);
    }
  }

  private void measureProducts(
      List<BenchTarget> targets, NetworkSpec network, Precision precision, int batch, String stepName, boolean oneByOne) {
    List<ProductProbes.Schedule> opened = new ArrayList<>();
    try {
      for (BenchTarget target : targets) {
        if (target.backend() instanceof ProductProbes bare) {
          List<ProductProbes.Schedule> schedules = bare.stepProducts(network, precision, batch);
          opened.addAll(schedules);
          for (ProductProbes.Schedule schedule : schedules) {
            String name = schedule == schedules.get(0) ? "" : schedule.name();
            double operations = schedule.products().stream().mapToDouble(ProductProbes.Product::operations).sum();
            add(stepName, "GFLOP/s", target.threads(), name, operations / 1e9, schedule::runStep);
            for (ProductProbes.Product product : oneByOne ? schedule.products() : List.<ProductProbes.Product>of()) {
              String productName = stepName.split(",")[0] + ", " + product.name() + ", " + product.m() + " x " + product.n()
                  + " x " + product.k();
              add(productName, "GFLOP/s", target.threads(), name, product.operations() / 1e9,
                  times -> schedule.run(product, times));
            }
          }
        }
      }
      measure();
    } finally {
      opened.forEach(ProductProbes.Schedule::close);
    }
  }

  private void add(String name, String unit, int threads, String schedule, double amount, IntConsumer work) {
    TimedLoop loop = new TimedLoop(work, plan.loopSeconds());
    probes.add(new Probe(name, unit, threads, schedule, amount, loop, new ArrayList<>()));
  }

  private void measure() {
    for (int run = 0; run < plan.runs(); run++) {
      probes.forEach(Probe::measure);
    }
    probes.forEach(probe -> listener.onCeiling(probe.ceiling()));
    probes.clear();
  }
}
