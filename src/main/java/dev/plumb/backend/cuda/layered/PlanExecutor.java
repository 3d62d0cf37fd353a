package dev.plumb.backend.cuda.layered;

import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;

import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.RecordedGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jcuda.CudaException;
import jcuda.driver.CUgraphExec;

/** Runs a plan any number of times: one launch at a time, or as recorded graphs of several steps. */
final class PlanExecutor {
  /** The numbers of steps in recorded graphs, in descending order; every number of steps is a sum of them. */
  private static final int[] GRAPH_STEPS = {32, 4, 1};

  private final CudaContext context;
  private final StepPlan plan;
  private final Execution execution;
  private final Runnable requireGuards;
  private final Map<Integer, CUgraphExec> graphs = new TreeMap<>();
  private boolean warm;

  /** @param requireGuards checks the guards of all arenas; called with an idle device */
  PlanExecutor(CudaContext context, StepPlan plan, Execution execution, Runnable requireGuards) {
    this.context = context;
    this.plan = plan;
    this.execution = execution;
    this.requireGuards = requireGuards;
  }

  /** Enqueues steps. */
  void enqueue(int steps) {
    int remaining = steps;
    if (execution != Execution.GRAPH) {
      for (; remaining > 0; remaining--) {
        enqueueNodes();
      }
      return;
    }
    if (!warm) {
      // cuBLAS chooses and loads its kernels at the first call with a shape, which is not allowed during a recording.
      enqueueNodes();
      warm = true;
      remaining--;
    }
    for (int size : GRAPH_STEPS) {
      for (; remaining >= size; remaining -= size) {
        CUgraphExec graph = graph(size);
        context.call(() -> "launching a graph of " + size + " steps", () -> cuGraphLaunch(graph, context.stream()));
      }
    }
  }

  private void enqueueNodes() {
    for (Node node : plan.nodes()) {
      try {
        node.enqueue();
      } catch (CudaException e) {
        throw context.failure(e, node.name());
      }
      if (execution == Execution.CHECKED) {
        context.synchronize(node.name());
        requireGuards.run();
      }
    }
  }

  private CUgraphExec graph(int steps) {
    CUgraphExec known = graphs.get(steps);
    if (known != null) {
      return known;
    }
    CUgraphExec executable = RecordedGraph.record(context, "a graph of " + steps + " steps", () -> {
      for (int step = 0; step < steps; step++) {
        enqueueNodes();
      }
    });
    graphs.put(steps, executable);
    return executable;
  }

  /** Returns the releases, in order. */
  List<Runnable> releases() {
    List<Runnable> releases = new ArrayList<>();
    graphs.values().forEach(graph -> releases.add(() -> cuGraphExecDestroy(graph)));
    plan.releaseInto(releases);
    return releases;
  }
}
