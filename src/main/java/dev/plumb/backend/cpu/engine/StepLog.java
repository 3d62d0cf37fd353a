package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What steps leave behind until the session is asked for it. Replicas may write at once, each its own places. */
public final class StepLog {
  private final int layers;
  private final long[] firstNonFinite;
  private final List<Chunk> chunks = new ArrayList<>();

  /** The recorded steps of one chunk: their places in it, and a loss and norms for each. */
  private record Chunk(long firstStep, int[] steps, double[][] loss, double[][][] norms) {}

  public StepLog(int replicas, int layers) {
    this.layers = layers;
    firstNonFinite = new long[replicas];
    Arrays.fill(firstNonFinite, -1);
  }

  /** Makes room for what a chunk records. */
  public void open(StepChunk chunk, long firstStep) {
    int count = 0;
    for (int step = 0; step < chunk.steps(); step++) {
      count += chunk.records(step) ? 1 : 0;
    }
    int[] steps = new int[count];
    int next = 0;
    for (int step = 0; step < chunk.steps(); step++) {
      if (chunk.records(step)) {
        steps[next++] = step;
      }
    }
    int replicas = firstNonFinite.length;
    double[][][] norms = new double[count][replicas][];
    for (int i = 0; i < count; i++) {
      for (int replica = 0; replica < replicas; replica++) {
        norms[i][replica] = new double[chunk.recordsNorms(steps[i]) ? layers : 0];
      }
    }
    chunks.add(new Chunk(firstStep, steps, new double[count][replicas], norms));
  }

  /** Whether a step of the chunk opened last is recorded. */
  public boolean records(int step) {
    return Arrays.binarySearch(chunks.get(chunks.size() - 1).steps(), step) >= 0;
  }

  /** The loss of a recorded step of the chunk opened last. */
  public void loss(int step, int replica, double loss) {
    Chunk chunk = chunks.get(chunks.size() - 1);
    chunk.loss()[Arrays.binarySearch(chunk.steps(), step)][replica] = loss;
  }

  /** The sum of squares of dW of one layer in a recorded step of the chunk opened last. */
  public void squareSum(int step, int replica, int layer, double squareSum) {
    Chunk chunk = chunks.get(chunks.size() - 1);
    chunk.norms()[Arrays.binarySearch(chunk.steps(), step)][replica][layer] = Math.sqrt(squareSum);
  }

  /** Notes that a loss or gradient was not finite, unless an earlier one was not. */
  public void nonFinite(int replica, long step) {
    if (firstNonFinite[replica] < 0) {
      firstNonFinite[replica] = step;
    }
  }

  public void forgetNonFinite(int replica) {
    firstNonFinite[replica] = -1;
  }

  /** All that was recorded, which is forgotten then. */
  public StepMetrics take() {
    int count = chunks.stream().mapToInt(chunk -> chunk.steps().length).sum();
    long[] steps = new long[count];
    double[][] loss = new double[count][];
    double[][][] norms = new double[count][][];
    int next = 0;
    for (Chunk chunk : chunks) {
      for (int i = 0; i < chunk.steps().length; i++, next++) {
        steps[next] = chunk.firstStep() + chunk.steps()[i];
        loss[next] = chunk.loss()[i];
        norms[next] = chunk.norms()[i];
      }
    }
    chunks.clear();
    return new StepMetrics(steps, loss, norms, firstNonFinite.clone());
  }
}
