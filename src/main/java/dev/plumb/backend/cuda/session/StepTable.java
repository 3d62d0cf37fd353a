package dev.plumb.backend.cuda.session;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;

import dev.plumb.backend.StepChunk;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.backend.cuda.device.HostMemory;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;

/**
 * The inputs that vary from step to step, in device memory: learning rates, Adam's bias corrections, the rows of batches, the
 * divisors of mean losses if rows have weights, and where to record metrics; and the recorded metrics.
 *
 * <p>The table has two halves, each with a {@link StagingBuffer}. While the device reads one, the host fills the other, and waits
 * before it fills the first again. A half has room for {@link #capacity} steps, or fewer if their rows fill the row list first.
 */
public final class StepTable {
  /** The largest number of steps in a half: enough to make the upload negligible, and few enough to stay small. */
  private static final int MAX_STEPS = 256;
  private static final int HALVES = 2;
  /** The largest number of rows: positions in a half are ints. */
  private static final int MAX_ROWS = 1 << 28;

  /** struct Step of kernels/common.cuh. */
  public static final int STEP_BYTES = 48;
  private static final int NUMBER = 0;
  private static final int CORRECTION1 = 8;
  private static final int CORRECTION2 = 16;
  private static final int ROWS_AT = 24;
  private static final int ROWS_STRIDE = 32;
  private static final int RECORD_AT = 36;
  private static final int BATCH = 40;
  private static final int NORMS = 44;

  /**
   * A consumer of the metrics of a step: its number, and [replica][1 + layers] of loss and gradient norms, or [replica][1]
   * without norms.
   */
  public interface Recorder {
    /** Takes the metrics of a step. */
    void record(long step, double[][] metrics);
  }

  /**
   * The addresses from which a kernel reads the rows of the running step's batch.
   *
   * @param rows the row list; 0 if the batch is all rows in their own order
   */
  public record RowList(long cursor, long steps, long rows) {
    /** The row list of a batch outside of steps: all rows in their own order. */
    public static final RowList NONE = new RowList(0, 0, 0);
  }

  /** The host memory of one half of the table, and its state. */
  private final class StagingBuffer {
    private final int index;
    private final HostMemory host;
    private final CUevent done = new CUevent();
    private int steps;
    private int rowsUsed;
    private long[] recordedSteps = new long[capacity];
    private boolean[] recordedNorms = new boolean[capacity];
    private int recorded;
    private boolean inFlight;

    StagingBuffer(int index) {
      this.index = index;
      host = new HostMemory(context, "the step table", rowsAt() + (long) rowCapacity * Integer.BYTES);
    }

    /** Returns the offset of the entries. The order in host memory: cursor, entries, learning rates, divisors, metrics, rows. */
    int entriesAt() {
      return Long.BYTES;
    }

    int ratesAt() {
      return entriesAt() + capacity * STEP_BYTES;
    }

    int divisorsAt() {
      return ratesAt() + capacity * replicas * Double.BYTES;
    }

    int metricsAt() {
      return divisorsAt() + capacity * divisorsPerStep * Double.BYTES;
    }

    int rowsAt() {
      return metricsAt() + capacity * metricsPerStep * Double.BYTES;
    }
  }

  private final CudaContext context;
  private final OptimizerSpec optimizer;
  private final int replicas;
  private final int layers;
  private final int capacity;
  private final int rowCapacity;
  private final int metricsPerStep;
  private final int divisorsPerStep;
  private final Optional<LossDivisors> lossDivisors;
  private final Recorder recorder;
  private final DeviceArena arena;
  private final Slice cursor;
  private final Slice entries;
  private final Slice learningRates;
  /** Null for data without weights. */
  private final Slice divisors;
  private final Slice metrics;
  private final Slice rows;
  private final StagingBuffer[] halves = new StagingBuffer[HALVES];
  private StagingBuffer current;
  private int lastEntry;

  /**
   * @param maxBytes the largest size of a half's steps, and of its rows, unless one step needs more
   * @param largestBatch the number of rows of one step in the row list, for all replicas; 0 if all steps use all rows
   * @param lossDivisors the divisors of mean losses; empty for data without weights
   */
  public StepTable(
      CudaContext context, OptimizerSpec optimizer, int replicas, int layers, long maxBytes, long largestBatch,
      Optional<LossDivisors> lossDivisors, Recorder recorder, boolean guards) {
    this.context = context;
    this.optimizer = optimizer;
    this.replicas = replicas;
    this.layers = layers;
    this.recorder = recorder;
    metricsPerStep = Math.multiplyExact(replicas, 1 + layers);
    this.lossDivisors = lossDivisors;
    divisorsPerStep = lossDivisors.isPresent() ? replicas : 0;
    long stepBytes = STEP_BYTES + 8L * (replicas + divisorsPerStep + metricsPerStep);
    capacity = (int) Math.max(1, Math.min(MAX_STEPS, maxBytes / stepBytes));
    rowCapacity = (int) Math.max(largestBatch, Math.min(largestBatch * capacity, maxBytes / Integer.BYTES));
    if (largestBatch > MAX_ROWS) {
      throw new InvalidInputException("batches of " + largestBatch / replicas + " rows for each of " + replicas
          + " replicas are more than the " + MAX_ROWS + " rows that one step can take; use a smaller batch");
    }
    arena = new DeviceArena(context, "the step table", guards);
    cursor = arena.reserve("cursor", 2 * Integer.BYTES);
    entries = arena.reserve("steps", (long) HALVES * capacity * STEP_BYTES);
    learningRates = arena.reserve("learning rates", (long) HALVES * capacity * replicas * Double.BYTES);
    divisors = lossDivisors.isPresent()
        ? arena.reserve("divisors of losses", (long) HALVES * capacity * replicas * Double.BYTES)
        : null;
    metrics = arena.reserve("metrics", (long) HALVES * capacity * metricsPerStep * Double.BYTES);
    rows = arena.reserve("row list", (long) HALVES * rowCapacity * Integer.BYTES);
    arena.allocate();
    try {
      if (!guards) {
        metrics.fill((byte) 0); // norms that a recorded step leaves out are copied back with its loss
      }
      for (int i = 0; i < HALVES; i++) {
        StagingBuffer half = new StagingBuffer(i);
        halves[i] = half;
        context.call("creating an event", () -> cuEventCreate(half.done, CUevent_flags.CU_EVENT_DISABLE_TIMING));
      }
    } catch (RuntimeException e) {
      context.release("releasing the step table", releases().toList());
      throw e;
    }
    current = halves[0];
  }

  /** Returns the table's device memory. */
  public DeviceArena arena() {
    return arena;
  }

  /** Returns the cursor, two ints: the entry of the running step, and the one after the last to be taken. */
  public Slice cursor() {
    return cursor;
  }

  /** Returns the entries, struct Step of kernels/common.cuh. */
  public Slice entries() {
    return entries;
  }

  /** Returns the learning rates, doubles [entries x replicas]. */
  public Slice learningRates() {
    return learningRates;
  }

  /** Returns the address of the divisors of mean losses, doubles [entries x replicas]; 0 for data without weights. */
  public long divisorsAddress() {
    return divisors == null ? 0 : divisors.address();
  }

  /** Returns the recorded metrics, doubles [entries x replicas x (1 + layers)]: the loss and the gradient norm of each layer. */
  public Slice metrics() {
    return metrics;
  }

  /** Returns the row list, ints: the rows of the batches. */
  public Slice rows() {
    return rows;
  }

  /** Returns where kernels find the running step, and with {@code gathered} the rows of its batch. */
  public RowList rowList(boolean gathered) {
    return new RowList(cursor.address(), entries.address(), gathered ? rows.address() : 0);
  }

  /** Returns the largest number of rows of one step in the row list. */
  public int rowCapacity() {
    return rowCapacity;
  }

  /** Returns whether the half that is being filled has room for one more step. */
  public boolean hasRoom(long rowsOfStep) {
    return current.steps < capacity && current.rowsUsed + rowsOfStep <= rowCapacity;
  }

  /** Begins to fill a half, after waiting for the device to finish its steps. */
  public void begin() {
    if (current.inFlight) {
      collect(current);
    }
    current.steps = 0;
    current.rowsUsed = 0;
    current.recorded = 0;
  }

  /**
   * Adds one step.
   *
   * @param number the number of the step since training began, from 0
   */
  public void add(StepChunk chunk, int step, long number) {
    StagingBuffer half = current;
    ByteBuffer host = half.host.bytes();
    int entry = half.entriesAt() + half.steps * STEP_BYTES;
    host.putLong(entry + NUMBER, number);
    putCorrections(host, entry, number + 1);
    putRows(half, entry, chunk, step);
    boolean records = chunk.records(step);
    host.putInt(entry + RECORD_AT, records ? half.index * capacity + half.recorded : -1);
    host.putInt(entry + NORMS, chunk.recordsNorms(step) ? 1 : 0);
    if (records) {
      half.recordedNorms[half.recorded] = chunk.recordsNorms(step);
      half.recordedSteps[half.recorded++] = number;
    }
    int rates = half.ratesAt() + half.steps * replicas * Double.BYTES;
    for (int replica = 0; replica < replicas; replica++) {
      host.putDouble(rates + replica * Double.BYTES, chunk.learningRate(step, replica));
    }
    if (lossDivisors.isPresent()) {
      putDivisors(half, chunk, step);
    }
    half.steps++;
  }

  /** Writes Adam's bias corrections, 1 - beta^t for both moments, t from 1. */
  private void putCorrections(ByteBuffer host, int entry, long t) {
    boolean adam = optimizer instanceof OptimizerSpec.Adam;
    host.putDouble(entry + CORRECTION1, adam ? 1 - Math.pow(((OptimizerSpec.Adam) optimizer).beta1(), t) : 1);
    host.putDouble(entry + CORRECTION2, adam ? 1 - Math.pow(((OptimizerSpec.Adam) optimizer).beta2(), t) : 1);
  }

  private void putDivisors(StagingBuffer half, StepChunk chunk, int step) {
    int at = half.divisorsAt() + half.steps * replicas * Double.BYTES;
    int[] rows = null;
    double divisor = 0;
    for (int replica = 0; replica < replicas; replica++) {
      int[] replicaRows = chunk.batch(step, replica);
      if (replica == 0 || replicaRows != rows) {
        divisor = lossDivisors.get().of(replicaRows);
      }
      rows = replicaRows;
      half.host.bytes().putDouble(at + replica * Double.BYTES, divisor);
    }
  }

  private void putRows(StagingBuffer half, int entry, StepChunk chunk, int step) {
    ByteBuffer host = half.host.bytes();
    int[] first = chunk.batch(step, 0);
    boolean shared = first == null || replicas == 1 || chunk.batch(step, 1) == first;
    host.putLong(entry + ROWS_AT, (long) half.index * rowCapacity + half.rowsUsed);
    host.putInt(entry + ROWS_STRIDE, shared ? 0 : first.length);
    host.putInt(entry + BATCH, first == null ? 0 : first.length);
    if (first == null) {
      return;
    }
    for (int replica = 0; replica < (shared ? 1 : replicas); replica++) {
      int at = half.rowsAt() + half.rowsUsed * Integer.BYTES;
      host.slice(at, first.length * Integer.BYTES).order(host.order()).asIntBuffer().put(chunk.batch(step, replica));
      half.rowsUsed += first.length;
    }
  }

  /** Returns the number of rows of a step in the row list. */
  public static long rowsOf(StepChunk chunk, int step, int replicas) {
    int[] first = chunk.batch(step, 0);
    if (first == null) {
      return 0;
    }
    boolean shared = replicas == 1 || chunk.batch(step, 1) == first;
    return shared ? first.length : (long) replicas * first.length;
  }

  /** Enqueues the upload of the filled half. The launches of its steps follow, then {@link #end}. */
  public void upload() {
    StagingBuffer half = current;
    half.host.bytes().putInt(0, half.index * capacity);
    half.host.bytes().putInt(Integer.BYTES, half.index * capacity + half.steps);
    context.call("uploading the step table", () -> {
      upload(half, 0, cursor.pointer(), 2 * Integer.BYTES);
      upload(half, half.entriesAt(), entries.pointer((long) half.index * capacity * STEP_BYTES),
          (long) half.steps * STEP_BYTES);
      upload(half, half.ratesAt(), learningRates.pointer((long) half.index * capacity * replicas * Double.BYTES),
          (long) half.steps * replicas * Double.BYTES);
      if (divisors != null) {
        upload(half, half.divisorsAt(), divisors.pointer((long) half.index * capacity * replicas * Double.BYTES),
            (long) half.steps * replicas * Double.BYTES);
      }
      if (half.rowsUsed > 0) {
        upload(half, half.rowsAt(), rows.pointer((long) half.index * rowCapacity * Integer.BYTES),
            (long) half.rowsUsed * Integer.BYTES);
      }
    });
  }

  private void upload(StagingBuffer half, int from, CUdeviceptr to, long bytes) {
    cuMemcpyHtoDAsync(to, half.host.pointer(from), bytes, context.stream());
  }

  /** Enqueues the device-to-host copy of the metrics, then switches to the other half. */
  public void end() {
    StagingBuffer half = current;
    context.call("enqueuing the copy of the metrics", () -> {
      if (half.recorded > 0) {
        cuMemcpyDtoHAsync(half.host.pointer(half.metricsAt()),
            metrics.pointer((long) half.index * capacity * metricsPerStep * Double.BYTES),
            (long) half.recorded * metricsPerStep * Double.BYTES, context.stream());
      }
      cuEventRecord(half.done, context.stream());
    });
    half.inFlight = true;
    lastEntry = half.index * capacity + half.steps - 1;
    current = halves[(half.index + 1) % HALVES];
  }

  /** Returns the entry of the last step, which is unchanged, with its rows, until a half is filled again. */
  public int lastEntry() {
    return lastEntry;
  }

  /** Waits for both halves and passes their metrics to the recorder, the older half's first. */
  public void collectAll() {
    for (int i = 0; i < HALVES; i++) {
      StagingBuffer half = halves[(current.index + i) % HALVES];
      if (half.inFlight) {
        collect(half);
      }
    }
  }

  private void collect(StagingBuffer half) {
    context.call("waiting for " + half.steps + " steps", () -> cuEventSynchronize(half.done));
    half.inFlight = false;
    for (int i = 0; i < half.recorded; i++) {
      double[][] stepMetrics = new double[replicas][half.recordedNorms[i] ? 1 + layers : 1];
      for (int replica = 0; replica < replicas; replica++) {
        int at = half.metricsAt() + (i * metricsPerStep + replica * (1 + layers)) * Double.BYTES;
        for (int k = 0; k < stepMetrics[replica].length; k++) {
          stepMetrics[replica][k] = half.host.bytes().getDouble(at + k * Double.BYTES);
        }
      }
      recorder.record(half.recordedSteps[i], stepMetrics);
    }
  }

  /** Returns the releases, in order. */
  public Stream<Runnable> releases() {
    Stream<Runnable> bufferReleases = Stream.of(halves).filter(half -> half != null)
        .flatMap(half -> Stream.of(() -> cuEventDestroy(half.done), half.host.release()));
    return Stream.concat(bufferReleases, List.of(arena.release()).stream());
  }
}
