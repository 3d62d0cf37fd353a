package dev.plumb.backend.cuda;

/**
 * How the CUDA backend does its work; what it computes is the same under all of them.
 *
 * @param guards whether device memory is filled with NaN when it is fresh, and slices stand between guard words that are looked at
 *     after every wait; slower, for tests
 * @param planner what makes launches of steps
 */
public record CudaOptions(Execution execution, boolean guards, Planner planner) {
  /** How the kernels and products of a step reach the device. */
  public enum Execution {
    /** Many steps as one recorded graph: the least work for the host. */
    GRAPH,
    /** Launch by launch. */
    EAGER,
    /** Launch by launch, and after each one it is waited for and the guards are looked at: a failure names its launch. */
    CHECKED
  }

  /** What a step becomes. Results agree within rounding. */
  public enum Planner {
    /** Fused where a network fits a block's shared memory and is quicker there, as far as that can be told beforehand; else layered. */
    AUTO,
    /** Products, activations and updates of every layer, each a launch of its own for all replicas. */
    LAYERED,
    /** Many steps of a network as one launch, a block a replica; layered where it does not fit. The execution makes no difference. */
    FUSED
  }

  /** Graphs, and guards where a stand-in on the CPU computes for tests. */
  public static CudaOptions standard() {
    return new CudaOptions(Execution.GRAPH, CudaNatives.onHostDevice(), Planner.AUTO);
  }

  /** Returns these options with another planner. */
  public CudaOptions withPlanner(Planner other) {
    return new CudaOptions(execution, guards, other);
  }

  public CudaOptions withExecution(Execution other) {
    return new CudaOptions(other, guards, planner);
  }
}
