package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The metrics of steps until the session returns them. Threads may write those of different replicas at the same time. */
public final class StepLog {
  private final int layers;
  private final long[] firstNonFinite;
  private final List<Chunk> chunks = new ArrayList<>();

  /** The recorded steps of one chunk: their indices in it, with losses and gradient norms. */
  private record Chunk(long firstStep, int[] steps, double[][] loss, double[][][] norms) {}

  public StepLog(int replicas, int layers) {
    this.layers = layers;
    firstNonFinite = new long[replicas];
    Arrays.fill(firstNonFinite, -1);
  }

  /** Allocates space for the metrics of a chunk. */
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

  /** Returns whether a step of the current chunk is recorded. */
  public boolean records(int step) {
    return Arrays.binarySearch(chunks.get(chunks.size() - 1).steps(), step) >= 0;
  }

  /** Sets the loss of a recorded step of the current chunk. */
  public void loss(int step, int replica, double loss) {
    Chunk chunk = chunks.get(chunks.size() - 1);
    chunk.loss()[Arrays.binarySearch(chunk.steps(), step)][replica] = loss;
  }

  /** Sets the gradient norm of one layer in a recorded step of the current chunk, from the sum of squares of dW. */
  public void squareSum(int step, int replica, int layer, double squareSum) {
    Chunk chunk = chunks.get(chunks.size() - 1);
    chunk.norms()[Arrays.binarySearch(chunk.steps(), step)][replica][layer] = Math.sqrt(squareSum);
  }

  /** Records a step whose loss or gradient was not finite, unless an earlier one was recorded. */
  public void nonFinite(int replica, long step) {
    if (firstNonFinite[replica] < 0) {
      firstNonFinite[replica] = step;
    }
  }

  public void forgetNonFinite(int replica) {
    firstNonFinite[replica] = -1;
  }

  /** Returns all recorded metrics and removes them, except the first non-finite steps. */
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
