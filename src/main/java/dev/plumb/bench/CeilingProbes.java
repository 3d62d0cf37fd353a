package dev.plumb.bench;

import dev.plumb.backend.ProductProbes;
import dev.plumb.bench.StepsWorkload.Bound;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Measures what the machine's processor can do: multiply-adds in registers, copies through memory, words between threads, and the
 * products of the library that backends multiply with, square ones and those of the workloads. Those of one kind are measured in
 * turns.
 */
final class CeilingProbes {
  private static final List<Precision> PRECISIONS = List.of(Precision.FP32, Precision.FP64);

  /** One ceiling while it is measured. */
  private record Probe(String name, String unit, int threads, String way, double amount, Stretch stretch, List<Double> rates) {
    void measure() {
      rates.add(amount / stretch.seconds());
    }

    Ceiling ceiling() {
      return new Ceiling(name, unit, threads, way, new Figure(rates));
    }
  }

  private final Plan plan;
  private final BenchListener listener;
  private final List<Probe> probes = new ArrayList<>();

  CeilingProbes(Plan plan, BenchListener listener) {
    this.plan = plan;
    this.listener = listener;
  }

  /** Of plain Java, for each number of threads. */
  void measureJava(List<Integer> threadCounts) {
    listener.onMeasuring("multiply-adds, copies and words between threads");
    List<Crew> crews = threadCounts.stream().map(Crew::new).toList();
    try {
      for (Precision precision : PRECISIONS) {
        for (int i = 0; i < crews.size(); i++) {
          int threads = threadCounts.get(i);
          add("multiply-add in Java, " + precision.key(), "GFLOP/s", threads, "", MultiplyAdds.operations(threads) / 1e9,
              new MultiplyAdds(precision, threads, crews.get(i))::run);
        }
      }
      for (int i = 0; i < crews.size(); i++) {
        Copies copies = new Copies(plan.copyBytes(), threadCounts.get(i), crews.get(i));
        add("copy of " + (plan.copyBytes() >> 20) + " MiB, read and written", "GB/s", threadCounts.get(i), "",
            copies.bytes() / 1e9, copies::run);
      }
      for (int i = 0; i < crews.size(); i++) {
        if (threadCounts.get(i) > 1) {
          add("words between two threads, there and back", "1e6/s", threadCounts.get(i), "", Messages.WORDS / 1e6,
              new Messages(crews.get(i))::run);
        }
      }
      measure();
    } finally {
      crews.forEach(Crew::close);
    }
  }

  /** Square products: a layer as wide as its inputs and its batch has two of them, Z and dW. */
  void measureSquareProducts(List<Entrant> entrants) {
    int size = plan.squareSize();
    for (Precision precision : PRECISIONS) {
      listener.onMeasuring("square products, " + precision.key());
      measureProducts(entrants, NetworkSpec.of(Activation.LINEAR, size, size), precision, size,
          "products " + size + " x " + size + " x " + size + ", " + precision.key(), false);
    }
  }

  /** The products of a workload's step, one by one and all together; nothing for one that they do not bound. */
  void measureProducts(List<Entrant> entrants, Workload workload) {
    if (workload instanceof StepsWorkload steps && steps.bound() == Bound.PRODUCTS) {
      listener.onMeasuring("products of " + steps.name());
      measureProducts(
          entrants, steps.network(), steps.precision(), steps.batch(), steps.name() + ", all products of a step", true);
    }
  }

  private void measureProducts(
      List<Entrant> entrants, NetworkSpec network, Precision precision, int batch, String all, boolean oneByOne) {
    List<ProductProbes.Schedule> opened = new ArrayList<>();
    try {
      for (Entrant entrant : entrants) {
        if (entrant.backend() instanceof ProductProbes bare) {
          List<ProductProbes.Schedule> ways = bare.stepProducts(network, precision, batch);
          opened.addAll(ways);
          for (ProductProbes.Schedule way : ways) {
            String name = way == ways.get(0) ? "" : way.name();
            double operations = way.products().stream().mapToDouble(ProductProbes.Product::operations).sum();
            add(all, "GFLOP/s", entrant.threads(), name, operations / 1e9, way::runStep);
            for (ProductProbes.Product product : oneByOne ? way.products() : List.<ProductProbes.Product>of()) {
              add(all.split(",")[0] + ", " + product.name() + ", " + product.m() + " x " + product.n() + " x " + product.k(),
                  "GFLOP/s", entrant.threads(), name, product.operations() / 1e9, times -> way.run(product, times));
            }
          }
        }
      }
      measure();
    } finally {
      opened.forEach(ProductProbes.Schedule::close);
    }
  }

  private void add(String name, String unit, int threads, String way, double amount, IntConsumer work) {
    probes.add(new Probe(
        name, unit, threads, way, amount, new Stretch(work, plan.stretchSeconds()), new ArrayList<>()));
  }

  private void measure() {
    for (int run = 0; run < plan.runs(); run++) {
      probes.forEach(Probe::measure);
    }
    probes.forEach(probe -> listener.onCeiling(probe.ceiling()));
    probes.clear();
  }
}
