package dev.plumb.backend.cuda;

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
final class RecordedGraph {
  private final CudaContext context;
  private final String what;
  private final CUgraphExec executable = new CUgraphExec();
  private boolean released;

  /**
   * Enqueues the launches once, because cuBLAS loads its kernels at the first call of a shape and must not do so during a recording;
   * then records them.
   *
   * @param what it is, in messages
   */
  RecordedGraph(CudaContext context, String what, List<Node> nodes) {
    this.context = context;
    this.what = what;
    nodes.forEach(node -> context.call(node::name, node::enqueue));
    context.synchronize(what);
    context.call(() -> "recording " + what, () -> {
      CUgraph graph = record(nodes);
      try {
        cuGraphInstantiate(executable, graph, 0);
      } finally {
        cuGraphDestroy(graph);
      }
    });
  }

  private CUgraph record(List<Node> nodes) {
    CUgraph graph = new CUgraph();
    cuStreamBeginCapture(context.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    try {
      nodes.forEach(Node::enqueue);
    } catch (RuntimeException e) {
      endBrokenRecording(graph);
      throw e;
    }
    cuStreamEndCapture(context.stream(), graph);
    return graph;
  }

  /** The stream must not stay in recording; the driver may refuse to hand out what it recorded. */
  private void endBrokenRecording(CUgraph graph) {
    try {
      cuStreamEndCapture(context.stream(), graph);
      cuGraphDestroy(graph);
    } catch (CudaException e) {
      // The caller reports what broke the recording.
    }
  }

  void launch() {
    context.call(() -> "launching " + what, () -> cuGraphLaunch(executable, context.stream()));
  }

  /** Returns the release of the graph, for a list of releases that continues after failures. */
  Runnable release() {
    return () -> {
      if (!released) {
        released = true;
        cuGraphExecDestroy(executable);
      }
    };
  }
}
