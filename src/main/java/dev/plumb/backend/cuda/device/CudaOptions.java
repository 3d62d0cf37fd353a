package dev.plumb.backend.cuda.device;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.natives.CudaNatives;

/**
 * How the CUDA backend does its work. What it computes does not depend on these options, but for roundings: the planners and the two
 * kinds of products add in different orders.
 *
 * @param guards whether device memory is filled with NaN when it is fresh, and slices stand between guard words that are looked at
 *     after every wait; slower, for tests
 * @param planner what makes launches of steps; FUSED refuses what does not fit
 * @param smallProducts whether the layered planner uses Plumb's own kernels for small products; cuBLAS computes all others
 * @param maxBlocks largest number of blocks of a launch, and of replicas side by side in it, where threads loop over the rest; tests
 *     lower it to run these loops
 * @param clusters where the fused planner trains one network by a cluster of blocks instead of by one block; results are the same
 */
public record CudaOptions(
    Execution execution, boolean guards, Planner planner, boolean smallProducts, int maxBlocks, Clusters clusters) {
  static final int DEFAULT_MAX_BLOCKS = 1 << 16;

  /** {@code on} trains few narrow networks by thread block clusters, on devices that have them; {@code off} is the default. */
  public static final String CLUSTERS = "plumb.cuda.clusters";

  public CudaOptions(Execution execution, boolean guards, Planner planner, boolean smallProducts) {
    this(execution, guards, planner, smallProducts, DEFAULT_MAX_BLOCKS, Clusters.OFF);
  }

  /** How the kernels and products of a step reach the device. */
  public enum Execution {
    /** Many steps as one recorded graph: the least work for the host. */
    GRAPH,
    /** Launch by launch. */
    EAGER,
    /** Launch by launch, and after each one it is waited for and the guards are looked at: a failure names its launch. */
    CHECKED
  }

  /** The use of thread block clusters, which have not been measured on a GPU yet: off unless they are asked for. */
  public enum Clusters {
    OFF,
    /** Where the device has them and they are estimated to be faster. */
    WHERE_FASTER,
    /** Wherever the device has them; for tests. */
    WHERE_POSSIBLE;

    /** Returns what {@link #CLUSTERS} asks for. */
    private static Clusters requested() {
      String value = System.getProperty(CLUSTERS, "off");
      return switch (value) {
        case "off" -> OFF;
        case "on" -> WHERE_FASTER;
        default -> throw new DeviceUnavailableException(
            "system property " + CLUSTERS + ": \"" + value + "\" is neither on nor off");
      };
    }
  }

  /**
   * Graphs, and guards where a stand-in on the CPU computes for tests.
   *
   * @throws DeviceUnavailableException when {@link #CLUSTERS} has another value than those there are
   */
  public static CudaOptions standard() {
    return new CudaOptions(
        Execution.GRAPH, CudaNatives.onHostDevice(), Planner.AUTO, true, DEFAULT_MAX_BLOCKS, Clusters.requested());
  }

  /** Returns these options with another planner. */
  public CudaOptions withPlanner(Planner other) {
    return new CudaOptions(execution, guards, other, smallProducts, maxBlocks, clusters);
  }

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
