package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;

import java.util.List;
import jcuda.CudaException;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;

/** A list of launches as one CUDA graph. */
public final class RecordedGraph {
  private final CudaContext context;
  private final String name;
  private final CUgraphExec executable;
  private boolean released;

  /**
   * Enqueues the launches once, then records them: cuBLAS loads its kernels at the first call with a shape, which is not allowed
   * during a recording.
   *
   * @param name for messages
   */
  public RecordedGraph(CudaContext context, String name, List<Node> nodes) {
    this.context = context;
    this.name = name;
    nodes.forEach(node -> context.call(node::name, node::enqueue));
    context.synchronize(name);
    executable = record(context, name, () -> nodes.forEach(Node::enqueue));
  }

  /**
   * Records the launches that {@code enqueue} makes as a graph. The caller destroys it.
   *
   * @param name for messages
   */
  public static CUgraphExec record(CudaContext context, String name, Runnable enqueue) {
    CUgraphExec executable = new CUgraphExec();
    context.call(() -> "recording " + name, () -> {
      CUgraph graph = capture(context, enqueue);
      boolean instantiated = false;
      try {
        cuGraphInstantiate(executable, graph, 0);
        instantiated = true;
        cuGraphDestroy(graph);
      } catch (CudaException e) {
        destroyAfterFailure(graph, executable, instantiated);
        throw e;
      }
    });
    return executable;
  }

  /** Destroys the remaining object; the caller reports the first failure. */
  private static void destroyAfterFailure(CUgraph graph, CUgraphExec executable, boolean instantiated) {
    try {
      if (instantiated) {
        cuGraphExecDestroy(executable);
      } else {
        cuGraphDestroy(graph);
      }
    } catch (CudaException e) {
      // After a lost device every call fails, but the driver has released the object.
    }
  }

  private static CUgraph capture(CudaContext context, Runnable enqueue) {
    CUgraph graph = new CUgraph();
    cuStreamBeginCapture(context.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    try {
      enqueue.run();
    } catch (RuntimeException e) {
      endBrokenCapture(context, graph);
      throw e;
    }
    cuStreamEndCapture(context.stream(), graph);
    return graph;
  }

  /** Ends the capture of the stream after a failure; the driver may not return a graph. */
  private static void endBrokenCapture(CudaContext context, CUgraph graph) {
    try {
      cuStreamEndCapture(context.stream(), graph);
      cuGraphDestroy(graph);
    } catch (CudaException e) {
      // The caller reports the failure that ended the recording.
    }
  }

  /** Enqueues the graph. */
  public void launch() {
    context.call(() -> "launching " + name, () -> cuGraphLaunch(executable, context.stream()));
  }

  /** Returns the release of the graph, for a list of releases that continues after failures. */
  public Runnable release() {
    return () -> {
      if (!released) {
        released = true;
        cuGraphExecDestroy(executable);
      }
    };
  }
}
