package dev.plumb.backend.cuda;

import dev.plumb.backend.Planner;

/**
 * How the CUDA backend does its work. What it computes does not depend on these options, but for roundings: the planners and the two
 * kinds of products add in different orders.
 *
 * @param guards whether device memory is filled with NaN when it is fresh, and slices stand between guard words that are looked at
 *     after every wait; slower, for tests
 * @param planner what makes launches of steps; FUSED refuses what does not fit
 * @param smallProducts whether the layered planner uses Plumb's own kernels for small products; cuBLAS computes all others
 */
public record CudaOptions(Execution execution, boolean guards, Planner planner, boolean smallProducts) {
  /** How the kernels and products of a step reach the device. */
  public enum Execution {
    /** Many steps as one recorded graph: the least work for the host. */
    GRAPH,
    /** Launch by launch. */
    EAGER,
    /** Launch by launch, and after each one it is waited for and the guards are looked at: a failure names its launch. */
    CHECKED
  }

  /** Graphs, and guards where a stand-in on the CPU computes for tests. */
  public static CudaOptions standard() {
    return new CudaOptions(Execution.GRAPH, CudaNatives.onHostDevice(), Planner.AUTO, true);
  }

  /** Returns these options with another planner. */
  public CudaOptions withPlanner(Planner other) {
    return new CudaOptions(execution, guards, other, smallProducts);
  }

  public CudaOptions withExecution(Execution other) {
    return new CudaOptions(other, guards, planner, smallProducts);
  }
}
