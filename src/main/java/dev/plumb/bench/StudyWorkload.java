package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.NotebookData;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudySpec;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** A whole study, from its random numbers to its last evaluation, as {@code plumb study} runs it; counted in seconds. */
public record StudyWorkload(String name, String what, StudySpec spec) implements Workload {
  @Override
  public Unit unit() {
    return Unit.SECONDS;
  }

  @Override
  public Precision precision() {
    return spec.training().precision();
  }

  @Override
  public int replicas() {
    return 1;
  }

  @Override
  public double amount() {
    return 1;
  }

  @Override
  public int laps() {
    return 1;
  }

  /** 6 operations a weight and sample: a multiplication and an addition each for forward, dW and dX. */
  double operations() {
    double weights = spec.networks().stream().map(StudyNetwork::network).mapToDouble(StudyWorkload::weights).sum();
    return 6 * weights * spec.samples() * spec.training().epochs();
  }

  /** Biases left out. */
  static double weights(NetworkSpec network) {
    double weights = 0;
    for (int l = 0; l < network.layerCount(); l++) {
      weights += (double) network.layer(l).in() * network.layer(l).out();
    }
    return weights;
  }

  @Override
  public Course open(Backend backend) {
    return new Course() {
      @Override
      public void restart() {
        // A study begins at the beginning.
      }

      @Override
      public void lap() {
        StudyResult result = new StudyRunner(backend, spec, 1).run(done -> {});
        if (!result.diverged().isEmpty()) {
          throw new DivergedException(name + " diverged: its times mean nothing");
        }
      }

      /** Of all networks; a study's own sessions are gone when it returns. */
      @Override
      public Optional<String> planner() {
        Set<String> planners = new TreeSet<>();
        for (StudyNetwork network : spec.networks()) {
          try (TrainingSession session = backend.open(network.network(), spec.training(), 1)) {
            session.bind(NotebookData.draw(spec.samples(), new NumpyRandom(spec.seed())));
            if (session instanceof PlannedSession planned) {
              planned.planner().map(Planner::key).ifPresent(planners::add);
            }
          }
        }
        return planners.isEmpty() ? Optional.empty() : Optional.of(String.join("+", planners));
      }

      @Override
      public OptionalLong bytes() {
        return OptionalLong.empty();
      }

      @Override
      public void close() {
        // Nothing is kept.
      }
    };
  }
}
