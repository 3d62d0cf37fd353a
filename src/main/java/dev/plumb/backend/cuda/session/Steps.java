package dev.plumb.backend.cuda.session;

import dev.plumb.backend.Planner;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import java.util.List;

/** Runs the training steps of a session over bound data, in the way of one planner. */
public interface Steps {
  /** Returns the planner of these steps. */
  Planner planner();

  /** Enqueues the steps of a chunk that fits the data; the first is number {@code firstNumber} since training began. */
  void run(StepChunk chunk, long firstNumber);

  /** Waits for all steps, and passes their metrics to the recorder. */
  void waitForSteps();

  /** Returns the number of rows of the last step's batch; 0 before the first step. */
  int lastBatch();

  /** Reads one replica's intermediate values of the last step, [rows of the last batch x units of the layer]. */
  void tap(Tap where, int layer, int replica, double[] out);

  /** Returns the bytes of device memory that only the steps use. */
  long bytes();

  /** Discards plans and buffers, and returns their releases, in order. */
  List<Runnable> releases();
}
