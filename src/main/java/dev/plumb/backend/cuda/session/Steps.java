package dev.plumb.backend.cuda.session;

import dev.plumb.backend.Planner;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import java.util.List;

/** Takes the steps of a session over data that are bound: what a planner is to its session. */
public interface Steps {
  /** The planner that these steps are of. */
  Planner planner();

  /** Enqueues the steps of a chunk that fits the data; the first is number {@code firstNumber} since training began. */
  void run(StepChunk chunk, long firstNumber);

  /** Waits for all steps, and hands what they recorded to the recorder. */
  void waitForSteps();

  /** Rows of the last step's batch; 0 before the first step. */
  int lastBatch();

  /** Reads one replica's values of the last step, [last batch x units of the layer]. */
  void tap(Tap where, int layer, int replica, double[] out);

  /** On the device, for steps alone. */
  long bytes();

  /** Forgets everything that was made for steps, and returns what must be released, in this order. */
  List<Runnable> releases();
}
