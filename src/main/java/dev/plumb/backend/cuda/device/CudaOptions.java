package dev.plumb.backend.cuda.device;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.natives.CudaNatives;

/**
 * Options of the CUDA backend. Results differ between them only in rounding: the planners, and the two implementations of
 * products, add in different orders.
 *
 * @param guards whether new device memory is filled with NaN, and slices are separated by guard words that are checked after
 *     every wait; slower, for tests
 * @param planner the planner of training steps; FUSED refuses networks that do not fit
 * @param smallProducts whether the layered planner uses Plumb's own kernels for small products; cuBLAS computes all others
 * @param maxBlocks the largest number of blocks, and of parallel replicas, in a launch whose threads loop over the rest; tests
 *     lower it to run these loops
 * @param clusters the use of thread block clusters by the fused planner; results are the same as with one block
 */
public record CudaOptions(
    Execution execution, boolean guards, Planner planner, boolean smallProducts, int maxBlocks, Clusters clusters) {
  static final int DEFAULT_MAX_BLOCKS = 1 << 16;

  /**
   * System property: {@code off} trains every network with one block; {@code on}, the default, trains small numbers of narrow
   * networks with thread block clusters, on devices that have them.
   */
  public static final String CLUSTERS = "plumb.cuda.clusters";

  /** Options with the default number of blocks, without clusters; for tests. */
  public CudaOptions(Execution execution, boolean guards, Planner planner, boolean smallProducts) {
    this(execution, guards, planner, smallProducts, DEFAULT_MAX_BLOCKS, Clusters.OFF);
  }

  /** The way in which the kernels and products of a step are launched. */
  public enum Execution {
    /** Many steps in one recorded CUDA graph: the least work for the host. */
    GRAPH,
    /** One launch at a time. */
    EAGER,
    /** One launch at a time, each followed by a wait and a check of the guards, so that a failure names its launch. */
    CHECKED
  }

  /** The use of thread block clusters. */
  public enum Clusters {
    OFF,
    /** Use clusters where the device has them and they are estimated to be faster. */
    WHERE_FASTER,
    /** Use clusters wherever the device has them; for tests. */
    WHERE_POSSIBLE;

    /** Returns the value of {@link #CLUSTERS}. */
    private static Clusters requested() {
      String value = System.getProperty(CLUSTERS, "on");
      return switch (value) {
        case "off" -> OFF;
        case "on" -> WHERE_FASTER;
        default -> throw new DeviceUnavailableException(
            "system property " + CLUSTERS + ": \"" + value + "\" is neither on nor off");
      };
    }
  }

  /**
   * Returns the default options: graphs, and guards on the host device of the tests.
   *
   * @throws DeviceUnavailableException when {@link #CLUSTERS} is neither on nor off
   */
  public static CudaOptions standard() {
    return new CudaOptions(
        Execution.GRAPH, CudaNatives.onHostDevice(), Planner.AUTO, true, DEFAULT_MAX_BLOCKS, Clusters.requested());
  }

  /** Returns these options with another planner. */
  public CudaOptions withPlanner(Planner other) {
    return new CudaOptions(execution, guards, other, smallProducts, maxBlocks, clusters);
  }

  /** Returns these options with another execution. */
  public CudaOptions withExecution(Execution other) {
    return new CudaOptions(other, guards, planner, smallProducts, maxBlocks, clusters);
  }

  /** Returns these options with another largest number of blocks. */
  public CudaOptions withMaxBlocks(int other) {
    return new CudaOptions(execution, guards, planner, smallProducts, other, clusters);
  }

  /** Returns these options with another use of clusters. */
  public CudaOptions withClusters(Clusters other) {
    return new CudaOptions(execution, guards, planner, smallProducts, maxBlocks, other);
  }
}
