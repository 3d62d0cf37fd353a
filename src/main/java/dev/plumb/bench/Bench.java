package dev.plumb.bench;

import dev.plumb.bench.Outcome.Against;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Measures this machine's ceilings, and then how close the backends come to them. Everything is measured by one thread in turn. */
public final class Bench {
  private final List<Entrant> entrants;
  private final List<Workload> workloads;
  private final Plan plan;
  private final BenchListener listener;

  public Bench(List<Entrant> entrants, List<Workload> workloads, Plan plan, BenchListener listener) {
    this.entrants = List.copyOf(entrants);
    this.workloads = List.copyOf(workloads);
    this.plan = plan;
    this.listener = listener;
  }

  /** Measures the processor's ceilings, for each number of threads that an entrant has. */
  public void measureCeilings() {
    CeilingProbes probes = new CeilingProbes(plan, listener);
    probes.measureJava(entrants.stream().map(Entrant::threads).map(threads -> Math.max(1, threads)).distinct().sorted().toList());
    probes.measureSquareProducts(entrants);
    workloads.forEach(workload -> probes.measureProducts(entrants, workload));
  }

  /** Measures every workload on every entrant. */
  public void measureWorkloads() {
    for (Workload workload : workloads) {
      for (Entrant entrant : entrants) {
        listener.onMeasuring(workload.name() + " on " + entrant.backend().device().kind().key()
            + (entrant.threads() == 0 ? "" : ", " + entrant.threads() + (entrant.threads() == 1 ? " thread" : " threads")));
        listener.onOutcome(measure(workload, entrant));
      }
    }
  }

  private Outcome measure(Workload workload, Entrant entrant) {
    Optional<Yardstick> yardstick = Yardstick.of(workload, entrant, plan);
    try (Course course = workload.open(entrant.backend())) {
      warmUp(course, yardstick);
      int laps = plan.wholeRuns() ? workload.laps() : 1;
      double amount = workload.amount() * laps / workload.laps();
      List<Double> achieved = new ArrayList<>();
      List<Double> ceiling = new ArrayList<>();
      List<Double> ratio = new ArrayList<>();
      for (int run = 0; run < plan.runs(); run++) {
        course.restart();
        double seconds = 0;
        double atBound = 0;
        for (int lap = 0; lap < laps; lap++) {
          seconds += lapSeconds(course);
          atBound += yardstick.map(Bench::boundSeconds).orElse(0.0);
        }
        achieved.add(workload.unit().speed(amount, seconds));
        ceiling.add(workload.unit().speed(amount, atBound));
        ratio.add(atBound / seconds);
      }
      return new Outcome(workload, entrant.backend().device(), entrant.threads(), new Figure(achieved),
          yardstick.map(of -> new Against(of.name(), new Figure(ceiling), new Figure(ratio))), course.bytes(), Outcome.Result.NONE);
    } finally {
      yardstick.ifPresent(Yardstick::close);
    }
  }

  private void warmUp(Course course, Optional<Yardstick> yardstick) {
    course.restart();
    double seconds = 0;
    do {
      seconds += lapSeconds(course);
      yardstick.ifPresent(Yardstick::lapSeconds);
    } while (seconds < plan.warmUpSeconds());
  }

  private static double lapSeconds(Course course) {
    Stretch.rest();
    return Stretch.seconds(1, once -> course.lap());
  }

  private static double boundSeconds(Yardstick yardstick) {
    Stretch.rest();
    return yardstick.lapSeconds();
  }
}
