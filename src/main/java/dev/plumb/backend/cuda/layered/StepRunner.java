package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.Planner;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable;
import dev.plumb.backend.cuda.session.Steps;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUdeviceptr;

/**
 * Runs steps layer by layer: allocates buffers, fills the step table, enqueues the plan for each batch size, and collects the
 * metrics.
 */
public final class StepRunner implements Steps {
  /**
   * The shape of a step: its batch size, and whether the batch is gathered or all rows in order. Steps of one shape share a plan.
   */
  private record Shape(int batch, boolean gathered) {}

  /** The largest number of shapes with plans and graphs; a training has one or two. */
  private static final int MAX_SHAPES = 64;

  private static final long TABLE_BYTES = 4L << 20;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final SessionState state;
  private final BoundData data;
  private final Transfers transfers;
  private final CudaOptions options;
  private final StepTable.Recorder recorder;
  private final int replicas;
  private final SmallProducts small;
  private final Map<Shape, PlanExecutor> executors = new HashMap<>();
  private Workspace workspace;
  private StepTable table;
  private int lastBatch;

  /** @param recorder consumer of the metrics */
  public StepRunner(CudaContext context, NetworkSpec network, TrainingSpec training, SessionState state, BoundData data,
      Transfers transfers, CudaOptions options, StepTable.Recorder recorder) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.state = state;
    this.data = data;
    this.transfers = transfers;
    this.options = options;
    this.recorder = recorder;
    replicas = state.replicas();
    small = new SmallProducts(network, training.precision(), options.smallProducts());
    context.needBlas();
  }

  @Override
  public Planner planner() {
    return Planner.LAYERED;
  }

  @Override
  public void run(StepChunk chunk, long firstNumber) {
    context.use(training.precision());
    reserve(chunk);
    int step = 0;
    while (step < chunk.steps()) {
      int first = step;
      table.begin();
      do {
        table.add(chunk, step, firstNumber + step);
        step++;
      } while (step < chunk.steps() && table.hasRoom(StepTable.rowsOf(chunk, step, replicas)));
      table.upload();
      enqueue(chunk, first, step);
      table.end();
    }
    lastBatch = shape(chunk, chunk.steps() - 1).batch();
  }

  /** Enqueues steps, consecutive steps of the same shape together. */
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

  private PlanExecutor executor(Shape shape) {
    PlanExecutor known = executors.get(shape);
    if (known == null) {
      if (executors.size() == MAX_SHAPES) {
        context.synchronize("waiting before plans are released");
        context.release("releasing plans", releasesOfPlans());
      }
      StepPlan plan = new StepPlan(context, network, training, small, state, table, workspace, executors.size(), data, transfers,
          shape.batch(), shape.gathered());
      known = new PlanExecutor(context, plan, options.execution(), () -> requireAllGuards("a launch"));
      executors.put(shape, known);
    }
    return known;
  }

  /** Replaces buffers that are too small for a chunk, which is rare. */
  private void reserve(StepChunk chunk) {
    int largestBatch = 0;
    long maxRows = 0;
    for (int step = 0; step < chunk.steps(); step++) {
      largestBatch = Math.max(largestBatch, shape(chunk, step).batch());
      maxRows = Math.max(maxRows, StepTable.rowsOf(chunk, step, replicas));
    }
    if (workspace != null && workspace.rows() >= largestBatch && table.rowCapacity() >= maxRows) {
      return;
    }
    if (workspace != null) {
      largestBatch = Math.max(largestBatch, workspace.rows());
      maxRows = Math.max(maxRows, table.rowCapacity());
    }
    waitForSteps();
    context.release("releasing buffers that are too small", releases());
    table = new StepTable(
        context, training.optimizer(), replicas, network.layerCount(), TABLE_BYTES, maxRows, data.divisors(), recorder, options.guards());
    workspace = new Workspace(context, network, training, replicas, largestBatch, MAX_SHAPES, transfers, !small.areUsed(largestBatch),
        options.guards());
  }

  @Override
  public void waitForSteps() {
    if (table != null) {
      table.collectAll();
      requireAllGuards("a step");
    }
  }

  @Override
  public int lastBatch() {
    return lastBatch;
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    int units = network.layer(layer).out();
    boolean last = layer == network.layerCount() - 1;
    FactorFormat format = FactorFormat.of(training.precision());
    int factorPitch = format.pitch(units);
    int pitch = format.resultPitch(network, layer);
    switch (where) {
      case PRE, NORMALIZED -> download(workspace.z(layer), false, replica, pitch, units, out);
      case POST -> download(workspace.a(layer), !last, replica, pitch, units, out);
      case DELTA -> download(workspace.delta(layer), true, replica, factorPitch, units, out);
    }
    if ((where == Tap.PRE || where == Tap.NORMALIZED) && !last && !small.areUsed(lastBatch)) {
      boolean normalized = network.layer(layer).normalization() != Normalization.NONE;
      double[] used = new double[normalized ? 3 * units : units];
      download(workspace.usedBias(layer), false, replica, pitch, units, used);
      addUsedBias(used, units, out);
      if (where == Tap.NORMALIZED) {
        normalize(layer, replica, used, out);
      }
    }
  }

  /** Adds the bias before the step's update to Z, which does not include it, with the rounding of the kernels. */
  private void addUsedBias(double[] bias, int units, double[] z) {
    for (int i = 0; i < z.length; i++) {
      double sum = z[i] + bias[i % units];
      z[i] = training.precision() == Precision.FP64 ? sum : (float) sum;
    }
  }

  /**
   * Replaces Z by H, with the operations of the kernels, which do not store it.
   *
   * @param used bias, scale and shift before the step's update
   */
  private void normalize(int layer, int replica, double[] used, double[] z) {
    int units = network.layer(layer).out();
    int groups = NormalizationNodes.groups(network.layer(layer), lastBatch);
    double[] statistics = new double[2 * groups];
    download(workspace.statistics(layer), false, replica, groups, groups, statistics);
    for (int i = 0; i < z.length; i++) {
      int unit = i % units;
      int group = network.normalization() == Normalization.LAYER ? i / units : unit;
      double mean = statistics[group];
      double inverse = statistics[groups + group];
      double scale = used[units + unit];
      double shift = used[2 * units + unit];
      z[i] = training.precision() == Precision.FP64
          ? Math.fma(scale, (z[i] - mean) * inverse, shift)
          : Math.fma((float) scale, ((float) z[i] - (float) mean) * (float) inverse, (float) shift);
    }
  }

  /** Copies one replica's matrix [out.length / columns x columns] from the device, without the padding of its rows. */
  private void download(Buffer from, boolean factors, int replica, int pitch, int columns, double[] out) {
    double[] padded = new double[out.length / columns * pitch];
    int bytes = factors ? FactorFormat.of(training.precision()).bytes(training.precision()) : Transfers.bytesOf(training.precision());
    CUdeviceptr pointer = from.slice().pointer((long) replica * padded.length * bytes);
    if (factors) {
      transfers.downloadFactors(pointer, padded);
    } else {
      transfers.download(pointer, padded);
    }
    for (int i = 0; i < out.length; i++) {
      out[i] = padded[i / columns * pitch + i % columns];
    }
  }

  private void requireAllGuards(String after) {
    state.arena().requireGuards(after);
    data.arena().requireGuards(after);
    if (workspace != null) {
      workspace.arena().requireGuards(after);
    }
    if (table != null) {
      table.arena().requireGuards(after);
    }
  }

  @Override
  public List<Runnable> releases() {
    List<Runnable> releases = releasesOfPlans();
    if (workspace != null) {
      releases.add(workspace.arena().release());
      workspace = null;
    }
    if (table != null) {
      table.releases().forEach(releases::add);
      table = null;
    }
    lastBatch = 0;
    return releases;
  }

  @Override
  public long bytes() {
    return workspace == null ? 0 : workspace.arena().bytes() + table.arena().bytes();
  }

  private List<Runnable> releasesOfPlans() {
    List<Runnable> releases = new ArrayList<>();
    executors.values().forEach(executor -> releases.addAll(executor.releases()));
    executors.clear();
    return releases;
  }
}
