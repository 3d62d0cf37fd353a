package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;

import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;

/**
 * A second stream, for work that the main stream needs only later: small products leave most of a GPU idle, and side by side they
 * take no longer than one of them. A recorded graph keeps the two branches.
 */
final class SideStream {
  private final CUstream main;
  private final CUstream stream = new CUstream();
  private final CUevent forked = new CUevent();
  private final CUevent joined = new CUevent();

  /** @param undo gets what releases the stream, in the order to release in, also of what was created before a failure */
  SideStream(CUstream main, List<Runnable> undo) {
    this.main = main;
    cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
    undo.add(0, () -> cuStreamDestroy(stream));
    cuEventCreate(forked, CUevent_flags.CU_EVENT_DISABLE_TIMING);
    undo.add(0, () -> cuEventDestroy(forked));
    cuEventCreate(joined, CUevent_flags.CU_EVENT_DISABLE_TIMING);
    undo.add(0, () -> cuEventDestroy(joined));
  }

  CUstream stream() {
    return stream;
  }

  /** What is enqueued here from now on waits for what the main stream has so far. */
  Node fork() {
    return node("forking the side stream", () -> {
      cuEventRecord(forked, main);
      cuStreamWaitEvent(stream, forked, 0);
    });
  }

  /** What is enqueued in the main stream from now on waits for what is here so far. */
  Node join() {
    return node("joining the side stream", () -> {
      cuEventRecord(joined, stream);
      cuStreamWaitEvent(main, joined, 0);
    });
  }

  private static Node node(String name, Runnable calls) {
    return new Node() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void enqueue() {
        calls.run();
      }
    };
  }
}
