package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;

/** Networks of one shape that are trained as replicas of one session, in one piece on one device. */
public interface ReplicaGroup {
  /** Enough to keep many cores busy, and few enough to lose little if the run is killed. */
  int CPU_REPLICAS = 32;

  /** A GPU needs several blocks for each of its multiprocessors. */
  int CUDA_REPLICAS = 1024;

  int REFERENCE_REPLICAS = 4;

  /** Memory limit of a group; a single network may take more. */
  double MAX_BYTES = 256e6;

  /** Returns the networks' shape. */
  NetworkSpec network();

  /** Returns the specification of the training, without the differences between the networks. */
  TrainingSpec training();

  /** Returns the number of networks. */
  int size();

  /** Returns the maximum number of networks in a group, which is lower for large networks. */
  static int maxSize(Backend backend, double networkBytes) {
    int maxReplicas = switch (backend.device().kind()) {
      case CPU -> CPU_REPLICAS;
      case CUDA -> CUDA_REPLICAS;
      case REFERENCE -> REFERENCE_REPLICAS;
    };
    return (int) Math.max(1, Math.min(maxReplicas, MAX_BYTES / networkBytes));
  }

  /**
   * Returns the approximate memory of one network in training: parameters, gradients, moments, a copy; three values per unit.
   *
   * @param batchRows number of rows of a step
   */
  static double networkBytes(NetworkSpec network, int batchRows) {
    double units = network.widths().stream().mapToDouble(Integer::doubleValue).sum();
    return 8 * (5.0 * ParameterLayout.of(network).size() + 3.0 * batchRows * units) + 3000;
  }
}
