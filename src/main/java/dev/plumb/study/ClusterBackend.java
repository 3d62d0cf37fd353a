package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;

/**
 * A stand-in for the devices of other processes: it describes them, and does not open sessions. The job is checked in these
 * processes; see {@link TrialExecutor#describe}.
 */
public interface ClusterBackend extends Backend {
  /** Returns the executor that sends groups to these processes. */
  TrialExecutor executor();

  @Override
  default TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    throw new IllegalStateException("the devices are in other processes");
  }
}
