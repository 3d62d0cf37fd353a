package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.ParameterLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Trains groups on one device: large ones one after the other in the calling thread, then small ones at once in threads of their
 * own, those of the largest networks first, so that none of them runs last.
 */
final class LocalExecutor implements TrialExecutor {
  private final Backend backend;

  LocalExecutor(Backend backend) {
    this.backend = backend;
  }

  @Override
  public Backend backend() {
    return backend;
  }

  @Override
  public DeviceInfo device() {
    return backend.device();
  }

  @Override
  public int deviceCount() {
    return 1;
  }

  @Override
  public int groupsAtOnce(ReplicaGroup group) {
    return Math.max(1, backend.sessionsAtOnce(group.network(), group.training(), group.size()));
  }

  @Override
  public <G extends ReplicaGroup> void train(List<G> groups, GroupTrainer<G> trainer) {
    List<G> large = new ArrayList<>();
    List<G> small = new ArrayList<>();
    for (G group : groups) {
      (groupsAtOnce(group) == 1 ? large : small).add(group);
    }
    small.sort(Comparator.comparingInt(group -> -ParameterLayout.of(group.network()).size()));
    for (G group : large) {
      trainer.train(group, backend, () -> false);
    }
    trainAtOnce(small, trainer);
  }

  private <G extends ReplicaGroup> void trainAtOnce(List<G> groups, GroupTrainer<G> trainer) {
    if (groups.isEmpty()) {
      return;
    }
    int sessions = Math.min(groups.size(), groups.stream().mapToInt(this::groupsAtOnce).min().orElseThrow());
    Backend shared = backend.sharedBy(sessions);
    AtomicBoolean failed = new AtomicBoolean();
    List<Supplier<Boolean>> trainings = new ArrayList<>();
    for (G group : groups) {
      trainings.add(() -> {
        trainer.train(group, shared, failed::get);
        return true;
      });
    }
    ExecutorService pool = Executors.newFixedThreadPool(sessions);
    ParallelTrainings.run(pool, trainings, () -> failed.set(true), ParallelTrainings.OF_A_STUDY);
  }
}
