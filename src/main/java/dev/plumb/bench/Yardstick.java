package dev.plumb.bench;

import dev.plumb.backend.ProductProbes;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What bounds a workload on a backend. It is measured after every lap, so that a noisy machine disturbs both alike. */
abstract class Yardstick implements AutoCloseable {
  private final String name;

  private Yardstick(String name) {
    this.name = name;
  }

  /** What is measured, for people. */
  String name() {
    return name;
  }

  /** Seconds that a lap would take at the bound, as measured now. */
  abstract double lapSeconds();

  @Override
  public abstract void close();

  /** The bound that belongs to a workload; empty where it cannot be measured. */
  static Optional<Yardstick> of(Workload workload, Entrant entrant, Plan plan) {
    if (!entrant.isOnProcessor()) {
      return Optional.empty();
    }
    if (workload instanceof StudyWorkload study) {
      return Optional.of(new Peak(study.operations(), study.precision(), entrant.threads(), plan));
    }
    StepsWorkload steps = (StepsWorkload) workload;
    return switch (steps.bound()) {
      case MULTIPLY_ADDS -> Optional.of(new Peak(steps.operationsOfLap(), steps.precision(), entrant.threads(), plan));
      case PRODUCTS -> entrant.backend() instanceof ProductProbes bare
          ? Optional.of(Products.quickest(steps, bare.stepProducts(steps.network(), steps.precision(), steps.batch()), plan))
          : Optional.empty();
    };
  }

  /** A lap's multiplications and additions at the processor's peak. */
  private static final class Peak extends Yardstick {
    private final double rounds;
    private final Crew crew;
    private final Stretch stretch;

    Peak(double operationsOfLap, Precision precision, int threads, Plan plan) {
      super("multiply-add peak");
      rounds = operationsOfLap / MultiplyAdds.operations(threads);
      crew = new Crew(threads);
      stretch = new Stretch(new MultiplyAdds(precision, threads, crew)::run, plan.stretchSeconds());
    }

    @Override
    double lapSeconds() {
      return rounds * stretch.seconds();
    }

    @Override
    public void close() {
      crew.close();
    }
  }

  /** The matrix products of a lap's steps. */
  private static final class Products extends Yardstick {
    private final ProductProbes.Schedule way;
    private final int stepsOfLap;
    private final int measured;

    /** Half of the lap's steps are enough to tell. */
    private Products(StepsWorkload workload, ProductProbes.Schedule way) {
      super("bare products, " + way.name());
      this.way = way;
      stepsOfLap = workload.stepsOfLap() * workload.replicas();
      measured = Math.max(1, stepsOfLap / 2);
    }

    /** Of the ways in which threads can share products, the quickest is what bounds a step. */
    static Products quickest(StepsWorkload workload, List<ProductProbes.Schedule> ways, Plan plan) {
      List<Stretch> stretches = ways.stream().map(way -> new Stretch(way::runStep, plan.stretchSeconds())).toList();
      List<List<Double>> seconds = new ArrayList<>();
      ways.forEach(way -> seconds.add(new ArrayList<>()));
      for (int run = 0; run < plan.runs() && ways.size() > 1; run++) {
        for (int i = 0; i < ways.size(); i++) {
          seconds.get(i).add(stretches.get(i).seconds());
        }
      }
      ProductProbes.Schedule quickest = ways.stream()
          .min(Comparator.comparingDouble(way -> ways.size() == 1 ? 0 : new Figure(seconds.get(ways.indexOf(way))).median()))
          .orElseThrow();
      ways.stream().filter(way -> way != quickest).forEach(ProductProbes.Schedule::close);
      return new Products(workload, quickest);
    }

    @Override
    double lapSeconds() {
      return Stretch.seconds(measured, way::runStep) / measured * stepsOfLap;
    }

    @Override
    public void close() {
      way.close();
    }
  }
}
