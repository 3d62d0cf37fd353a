package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/**
 * A stand-in for the devices of other processes, and the executor that sends groups to them. It describes the devices, and does not
 * open sessions. The job is checked in these processes; see {@link TrialExecutor#describe}.
 */
public interface ClusterBackend extends Backend, TrialExecutor {
  @Override
  default Backend backend() {
    return this;
  }

  @Override
  default boolean isRemote() {
    return true;
  }

  /** Returns empty: the other processes have checked the job. */
  @Override
  default Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return Optional.empty();
  }

  @Override
  default TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    throw new IllegalStateException("the devices are in other processes");
  }

  @Override
  default int groupsAtOnce(ReplicaGroup group) {
    return deviceCount();
  }

  /** Releases what this process holds; closing twice has no effect. */
  @Override
  void close();
}
