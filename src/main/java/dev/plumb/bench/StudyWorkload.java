package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.StudySpec;
import java.util.OptionalLong;

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
          throw new IllegalStateException(name + " diverged: its times mean nothing");
        }
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
