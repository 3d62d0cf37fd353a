package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A training on one card: parameters, activations and data stay in its memory, and steps are enqueued without waiting for them. What
 * varies from step to step goes there in a {@link StepTable}; a step's launches are a {@link StepPlan}, one for each size of batch.
 */
final class CudaSession implements TrainingSession, Tapped {
  /** Steps that are alike: batches of one size, gathered or all rows in order. */
  private record Shape(int batch, boolean gathered) {}

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final int replicas;
  private final CudaOptions options;
  private final ParameterLayout layout;
  private final Transfers transfers;
  private final SessionState state;

  private final List<Long> recordedSteps = new ArrayList<>();
  private final List<double[][]> recorded = new ArrayList<>();
  private final Map<Shape, Executor> executors = new HashMap<>();
  private BoundData data;
  private Workspace workspace;
  private StepTable table;
  private Inference inference;
  private long stepsTaken;
  private int lastBatch;
  private boolean closed;

  CudaSession(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, CudaOptions options) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.options = options;
    layout = ParameterLayout.of(network);
    transfers = new Transfers(context, training.precision());
    SessionState made = null;
    try {
      made = new SessionState(
          context, network, training.optimizer(), training.precision(), replicas, options.guards());
      made.initialize(transfers);
    } catch (RuntimeException e) {
      context.release("opening a session", made == null
          ? List.of(transfers.release())
          : List.of(made.arena().release(), transfers.release()));
      throw e;
    }
    state = made;
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public int replicas() {
    return replicas;
  }

  @Override
  public void bind(Dataset rows) {
    requireOpen();
    rows.requireFits(network, training.loss());
    waitForSteps("before the data are replaced");
    release(releasesOfSteps());
    if (data != null) {
      data.arena().close();
      data = null;
    }
    data = new BoundData(context, transfers, rows, training.precision(), options.guards());
  }

  @Override
  public void run(StepChunk chunk) {
    requireOpen();
    if (data == null) {
      throw new IllegalStateException("bind data before running steps");
    }
    chunk.requireFits(data.data().rows(), replicas);
    context.use(training.precision());
    reserve(chunk);
    int step = 0;
    while (step < chunk.steps()) {
      int first = step;
      table.begin();
      do {
        table.add(chunk, step, stepsTaken + step);
        step++;
      } while (step < chunk.steps() && table.hasRoom(StepTable.rowsOf(chunk, step, replicas)));
      table.upload();
      enqueue(chunk, first, step);
      table.end();
    }
    stepsTaken += chunk.steps();
    lastBatch = shape(chunk, chunk.steps() - 1).batch();
  }

  /** Enqueues steps, those that are alike and follow each other together. */
  private void enqueue(StepChunk chunk, int from, int to) {
    int step = from;
    while (step < to) {
      Shape shape = shape(chunk, step);
      int end = step + 1;
      while (end < to && shape(chunk, end).equals(shape)) {
        end++;
      }
      executor(shape).enqueue(end - step);
      step = end;
    }
  }

  private Shape shape(StepChunk chunk, int step) {
    int[] rows = chunk.batch(step, 0);
    return rows == null ? new Shape(data.data().rows(), false) : new Shape(rows.length, true);
  }

  private Executor executor(Shape shape) {
    Executor known = executors.get(shape);
    if (known == null) {
      StepPlan plan = new StepPlan(
          context, network, training, state, table, workspace, data, shape.batch(), shape.gathered());
      known = new Executor(context, plan, options.execution(), () -> requireGuards("a launch"));
      executors.put(shape, known);
    }
    return known;
  }

  /** Makes sure that buffers are large enough for a chunk; larger ones replace them, which is rare. */
  private void reserve(StepChunk chunk) {
    int largestBatch = 0;
    long mostRows = 0;
    for (int step = 0; step < chunk.steps(); step++) {
      largestBatch = Math.max(largestBatch, shape(chunk, step).batch());
      mostRows = Math.max(mostRows, StepTable.rowsOf(chunk, step, replicas));
    }
    if (workspace != null && workspace.rows() >= largestBatch && table.rowCapacity() >= mostRows) {
      return;
    }
    if (workspace != null) {
      largestBatch = Math.max(largestBatch, workspace.rows());
      mostRows = Math.max(mostRows, table.rowCapacity());
    }
    waitForSteps("before buffers are made larger");
    release(releasesOfSteps());
    table = new StepTable(
        context, training.optimizer(), replicas, network.layerCount(), mostRows, this::record, options.guards());
    workspace = new Workspace(
        context, network, training.loss(), training.precision(), replicas, largestBatch, options.guards());
  }

  private void record(long step, double[][] metrics) {
    recordedSteps.add(step);
    recorded.add(metrics);
  }

  @Override
  public StepMetrics sync() {
    requireOpen();
    waitForSteps("in a step");
    long[] firstNonFinite = new long[replicas];
    transfers.download(state.firstNotFinite.pointer(), firstNonFinite);
    int steps = recorded.size();
    double[][] losses = new double[steps][replicas];
    double[][][] norms = new double[steps][replicas][];
    for (int i = 0; i < steps; i++) {
      for (int replica = 0; replica < replicas; replica++) {
        double[] metrics = recorded.get(i)[replica];
        losses[i][replica] = metrics[0];
        norms[i][replica] = Arrays.copyOfRange(metrics, 1, metrics.length);
      }
    }
    long[] numbers = recordedSteps.stream().mapToLong(Long::longValue).toArray();
    recordedSteps.clear();
    recorded.clear();
    return new StepMetrics(numbers, losses, norms, firstNonFinite);
  }

  private void waitForSteps(String when) {
    context.synchronize("waiting, " + when);
    requireGuards("a step");
    if (table != null) {
      table.collectAll();
    }
  }

  @Override
  public Evaluation evaluate(Dataset rows) {
    requireOpen();
    rows.requireFits(network, training.loss());
    return inference(rows.rows()).evaluate(rows);
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    requireOpen();
    if (rows.features() != network.inputs()) {
      throw new InvalidInputException("the network has " + network.inputs() + " inputs, but the data has "
          + rows.features() + " columns");
    }
    requireLength(out, (long) rows.rows() * network.outputs(), "rows x outputs");
    requireReplica(replica);
    inference(rows.rows()).predict(replica, rows, out);
  }

  private Inference inference(int rows) {
    context.use(training.precision());
    if (inference == null || !inference.serves(rows)) {
      context.synchronize("waiting before an evaluation");
      if (inference != null) {
        List<Runnable> releases = inference.releases();
        inference = null;
        release(releases);
      }
      inference = new Inference(context, network, training, state, transfers, rows, options.guards());
    }
    return inference;
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    requireVector(slot, replica, out);
    for (int i = 0; i < layout.slices().size(); i++) {
      ParameterLayout.Slice slice = layout.slices().get(i);
      double[] values = new double[slice.size()];
      transfers.download(state.pointer(slot, replica, state.layout().offset(i)), values);
      System.arraycopy(values, 0, out, slice.offset(), values.length);
    }
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    requireVector(slot, replica, in);
    for (int i = 0; i < layout.slices().size(); i++) {
      ParameterLayout.Slice slice = layout.slices().get(i);
      double[] values = Arrays.copyOfRange(in, slice.offset(), slice.offset() + slice.size());
      transfers.upload(values, state.pointer(slot, replica, state.layout().offset(i)));
    }
    if (slot == Slot.PARAMETERS) {
      transfers.upload(new long[] {-1}, state.firstNotFinite.pointer((long) replica * Long.BYTES));
    }
  }

  private void requireVector(Slot slot, int replica, double[] vector) {
    requireOpen();
    requireLength(vector, layout.size(), "parameters");
    requireReplica(replica);
    if (!state.keeps(slot)) {
      throw new IllegalArgumentException(training.optimizer().kind().key() + " as it is set here keeps no " + slot);
    }
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    requireOpen();
    if (lastBatch == 0) {
      throw new IllegalStateException("nothing to tap before the first step");
    }
    requireReplica(replica);
    Buffer buffer = switch (where) {
      case PRE -> workspace.z(layer);
      case POST -> workspace.a(layer);
      case DELTA -> workspace.delta(layer);
    };
    long elements = (long) lastBatch * network.layer(layer).out();
    requireLength(out, elements, "batch x units");
    transfers.download(
        buffer.slice().pointer(replica * elements * Transfers.bytesOf(training.precision())), out);
  }

  @Override
  public long stepsTaken() {
    requireOpen();
    return stepsTaken;
  }

  @Override
  public void stepsTaken(long steps) {
    requireOpen();
    if (steps < 0) {
      throw new IllegalArgumentException("steps taken cannot be " + steps);
    }
    stepsTaken = steps;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    context.requireUsable();
    closed = true;
    List<Runnable> releases = new ArrayList<>();
    releases.add(() -> cuStreamSynchronize(context.stream()));
    releases.addAll(releasesOfSteps());
    if (inference != null) {
      releases.addAll(inference.releases());
    }
    if (data != null) {
      releases.add(data.arena().release());
    }
    releases.add(state.arena().release());
    releases.add(transfers.release());
    release(releases);
  }

  /** Forgets plans, workspace and step table, and returns their releases. */
  private List<Runnable> releasesOfSteps() {
    List<Runnable> releases = new ArrayList<>();
    executors.values().forEach(executor -> releases.addAll(executor.releases()));
    executors.clear();
    if (workspace != null) {
      releases.add(workspace.arena().release());
      workspace = null;
      lastBatch = 0;
    }
    if (table != null) {
      table.releases().forEach(releases::add);
      table = null;
    }
    return releases;
  }

  private void release(List<Runnable> releases) {
    context.release("releasing a session's memory", releases);
  }

  private void requireGuards(String after) {
    if (!options.guards()) {
      return;
    }
    state.arena().requireGuards(after);
    if (workspace != null) {
      workspace.arena().requireGuards(after);
      table.arena().requireGuards(after);
    }
    if (inference != null) {
      inference.arena().requireGuards(after);
    }
    if (data != null) {
      data.arena().requireGuards(after);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this session is closed");
    }
    context.requireUsable();
  }

  private void requireReplica(int replica) {
    if (replica < 0 || replica >= replicas) {
      throw new IndexOutOfBoundsException("replica " + replica + " of " + replicas);
    }
  }

  private static void requireLength(double[] array, long length, String what) {
    if (array.length != length) {
      throw new IllegalArgumentException("an array of " + array.length + " where " + length + " are needed (" + what + ")");
    }
  }
}
