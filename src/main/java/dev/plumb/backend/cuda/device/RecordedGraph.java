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

/** A list of launches as one graph. */
public final class RecordedGraph {
  private final CudaContext context;
  private final String what;
  private final CUgraphExec executable;
  private boolean released;

  /**
   * Enqueues the launches once, because cuBLAS loads its kernels at the first call of a shape and must not do so during a recording;
   * then records them.
   *
   * @param what it is, in messages
   */
  public RecordedGraph(CudaContext context, String what, List<Node> nodes) {
    this.context = context;
    this.what = what;
    nodes.forEach(node -> context.call(node::name, node::enqueue));
    context.synchronize(what);
    executable = record(context, what, () -> nodes.forEach(Node::enqueue));
  }

  /**
   * Records what {@code enqueue} enqueues as a graph, to be destroyed by the caller.
   *
   * @param what it is, in messages
   */
  public static CUgraphExec record(CudaContext context, String what, Runnable enqueue) {
    CUgraphExec executable = new CUgraphExec();
    context.call(() -> "recording " + what, () -> {
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

  /** Destroys what is left; the caller reports the first failure. */
  private static void destroyAfterFailure(CUgraph graph, CUgraphExec executable, boolean instantiated) {
    try {
      if (instantiated) {
        cuGraphExecDestroy(executable);
      } else {
        cuGraphDestroy(graph);
      }
    } catch (CudaException e) {
      // After a lost device every call fails, and the driver has released what it was asked to.
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

  /** The stream must not stay in a capture; the driver may refuse to return what it captured. */
  private static void endBrokenCapture(CudaContext context, CUgraph graph) {
    try {
      cuStreamEndCapture(context.stream(), graph);
      cuGraphDestroy(graph);
    } catch (CudaException e) {
      // The caller reports what broke the recording.
    }
  }

  public void launch() {
    context.call(() -> "launching " + what, () -> cuGraphLaunch(executable, context.stream()));
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
