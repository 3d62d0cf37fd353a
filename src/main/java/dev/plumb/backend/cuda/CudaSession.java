package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Planner;
import dev.plumb.backend.SessionChecks;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.Steps;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A training session on one GPU: parameters, activations and data stay in its memory, and steps are enqueued without waiting for
 * them. A {@link StepPlanner} chooses the implementation of the steps.
 */
final class CudaSession implements TrainingSession, Tapped, MemoryFootprint, PlannedSession {
  /**
   * The largest number of elements, with padding, of a vector that is written in one copy; a larger one is written in a copy per
   * tensor.
   */
  private static final int MAX_ELEMENTS_PER_COPY = 1 << 15;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final int replicas;
  private final CudaOptions options;
  private final StepPlanner planner;
  private final ParameterLayout layout;
  private final Transfers transfers;
  private final SessionState state;

  private final List<Long> recordedSteps = new ArrayList<>();
  private final List<double[][]> recorded = new ArrayList<>();
  private BoundData data;
  private Steps steps;
  private Inference inference;
  private long stepsTaken;
  /** Whether enqueuing steps failed, so that the number of completed steps is unknown. */
  private boolean broken;
  private boolean closed;

  CudaSession(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, CudaOptions options,
      Consumer<String> onNote) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.options = options;
    planner = new StepPlanner(context, network, training, replicas, options, onNote);
    layout = ParameterLayout.of(network);
    transfers = new Transfers(context, training.precision());
    SessionState created = null;
    try {
      created = new SessionState(
          context, network, training.optimizer(), training.precision(), replicas, options.guards());
      created.initialize(transfers);
    } catch (RuntimeException e) {
      context.release("opening a session", created == null
          ? List.of(transfers.release())
          : List.of(created.arena().release(), transfers.release()));
      throw e;
    }
    state = created;
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
    if (data != null) {
      steps.waitForSteps();
      release(releasesOfData());
    }
    data = new BoundData(context, transfers, rows, training.precision(), options.guards());
    try {
      steps = planner.steps(state, data, transfers, this::record);
    } catch (RuntimeException e) {
      release(releasesOfData());
      throw e;
    }
  }

  @Override
  public void run(StepChunk chunk) {
    requireOpen();
    SessionChecks.requireBound(data == null ? null : data.data());
    chunk.requireFits(data.data().rows(), replicas);
    SessionChecks.requireStatistics(network, chunk, data.data().rows());
    try {
      steps.run(chunk, stepsTaken);
    } catch (RuntimeException e) {
      broken = true;
      throw e;
    }
    stepsTaken += chunk.steps();
  }

  private void record(long step, double[][] metrics) {
    recordedSteps.add(step);
    recorded.add(metrics);
  }

  @Override
  public StepMetrics sync() {
    requireOpen();
    if (steps != null) {
      steps.waitForSteps();
    }
    long[] firstNonFinite = new long[replicas];
    transfers.download(state.firstNotFinite().pointer(), firstNonFinite);
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

  @Override
  public Evaluation evaluate(Dataset rows) {
    requireOpen();
    rows.requireFits(network, training.loss());
    return inference(rows.rows()).evaluate(rows);
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    requireOpen();
    SessionChecks.requireReplica(replica, replicas);
    SessionChecks.requireInputs(network, rows);
    SessionChecks.requireLength(out, (long) rows.rows() * network.outputs(), "rows x outputs");
    inference(rows.rows()).predict(replica, rows, out);
  }

  private Inference inference(int rows) {
    if (inference == null || !inference.serves(rows)) {
      if (inference != null) {
        // No work is pending in its buffers: each evaluation waits for its results.
        List<Runnable> releases = inference.releases();
        inference = null;
        release(releases);
      }
      inference = new Inference(
          context, network, training, state, transfers, rows, planner.outputs(Math.min(rows, Inference.MAX_ROWS)), options);
    }
    return inference;
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    requireVector(slot, replica, out);
    for (int i = 0; i < state.layout().tensors(); i++) {
      double[] values = new double[state.layout().paddedSize(i)];
      transfers.download(state.pointer(slot, replica, state.layout().offset(i)), values);
      state.layout().unpad(i, values, out);
    }
    double[] statistics = new double[state.layout().statistics()];
    if (slot == Slot.PARAMETERS && statistics.length > 0) {
      transfers.download(state.statisticsPointer(replica), statistics);
    }
    System.arraycopy(statistics, 0, out, layout.trainedSize(), statistics.length);
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    requireVector(slot, replica, in);
    PaddedLayout padded = state.layout();
    if (padded.size() <= MAX_ELEMENTS_PER_COPY) {
      double[] values = new double[(int) padded.size()];
      for (int i = 0; i < padded.tensors(); i++) {
        padded.pad(i, in, values, (int) padded.offset(i));
      }
      upload(slot, replica, 0, values, 0, values.length);
    } else {
      for (int i = 0; i < padded.tensors(); i++) {
        ParameterLayout.Slice slice = layout.slices().get(i);
        if (padded.isPadded(i)) {
          double[] values = new double[padded.paddedSize(i)];
          padded.pad(i, in, values, 0);
          upload(slot, replica, padded.offset(i), values, 0, values.length);
        } else {
          upload(slot, replica, padded.offset(i), in, slice.offset(), slice.size());
        }
      }
    }
    if (slot == Slot.PARAMETERS && padded.statistics() > 0) {
      transfers.upload(in, layout.trainedSize(), padded.statistics(), state.statisticsPointer(replica));
    }
    if (slot == Slot.PARAMETERS) {
      transfers.upload(new long[] {-1}, state.firstNotFinite().pointer((long) replica * Long.BYTES));
    }
  }

  /** Copies values to a vector, from an element on; parameters also to their rounded copy, if products read that. */
  private void upload(Slot slot, int replica, long element, double[] values, int from, int length) {
    transfers.upload(values, from, length, state.pointer(slot, replica, element));
    if (slot == Slot.PARAMETERS && state.hasFactors()) {
      transfers.uploadFactors(values, from, length, state.factorsPointer(replica, element));
    }
  }

  private void requireVector(Slot slot, int replica, double[] vector) {
    requireOpen();
    SessionChecks.requireLength(vector, layout.size(), "parameters");
    SessionChecks.requireReplica(replica, replicas);
    SessionChecks.requireKept(state.keeps(slot), training.optimizer(), slot);
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    requireOpen();
    SessionChecks.requireReplica(replica, replicas);
    SessionChecks.requireStep(steps == null ? 0 : steps.lastBatch());
    SessionChecks.requireTapped(network, where, layer);
    SessionChecks.requireLength(out, (long) steps.lastBatch() * network.layer(layer).out(), "batch x units");
    steps.tap(where, layer, replica, out);
  }

  @Override
  public long stepsTaken() {
    requireOpen();
    return stepsTaken;
  }

  @Override
  public void stepsTaken(long steps) {
    requireOpen();
    SessionChecks.requireStepsTaken(steps);
    stepsTaken = steps;
  }

  @Override
  public Optional<Planner> planner() {
    requireOpen();
    return steps == null ? Optional.empty() : Optional.of(steps.planner());
  }

  @Override
  public long bytes() {
    requireOpen();
    return state.arena().bytes()
        + (data == null ? 0 : data.arena().bytes() + steps.bytes())
        + (inference == null ? 0 : inference.bytes());
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    context.requireUsable();
    closed = true;
    List<Runnable> releases = new ArrayList<>();
    releases.add(context::makeCurrent);
    releases.add(() -> cuStreamSynchronize(context.stream()));
    releases.addAll(releasesOfData());
    if (inference != null) {
      releases.addAll(inference.releases());
    }
    releases.add(state.arena().release());
    releases.add(transfers.release());
    release(releases);
  }

  /** Discards the data and the steps over them, and returns their releases, in order. */
  private List<Runnable> releasesOfData() {
    List<Runnable> releases = new ArrayList<>();
    if (steps != null) {
      releases.addAll(steps.releases());
      steps = null;
    }
    if (data != null) {
      releases.add(data.arena().release());
      data = null;
    }
    return releases;
  }

  private void release(List<Runnable> releases) {
    context.release("releasing a session's memory", releases);
  }

  private void requireOpen() {
    SessionChecks.requireOpen(closed);
    if (broken) {
      throw new IllegalStateException("a step of this session failed; open a new session");
    }
    context.enter();
  }
}
