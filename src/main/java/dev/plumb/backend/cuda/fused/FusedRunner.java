package dev.plumb.backend.cuda.fused;

import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable;
import dev.plumb.backend.cuda.session.Steps;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs steps with the fused kernels: one launch for as many steps as fit the step table, one block per replica. Graphs are not
 * needed.
 *
 * <p>The intermediate values of a step exist only in shared memory. {@link #tap} recomputes the last step, from a copy of the
 * parameters before it.
 */
public final class FusedRunner implements Steps {
  /**
   * The largest size of a half of the step table. Its steps are one launch, which loads and stores the parameters: large enough
   * for many steps, even with thousands of replicas.
   */
  private static final long TABLE_BYTES = 32L << 20;
  /** The values of each layer that the kernel can store: Z, A and delta. */
  private static final long TAPS = 3;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final SessionState state;
  private final BoundData data;
  private final Transfers transfers;
  private final CudaOptions options;
  private final StepTable.Recorder recorder;
  /**
   * The network for the general kernel, which computes taps and trains if no narrow kernel does; then that for the narrow kernel,
   * if any.
   */
  private final List<FusedNetwork> networks = new ArrayList<>();
  private final DeviceArena arena;
  /** The parameters before the last step, [replica][padded size]. */
  private final Buffer before;
  private StepTable table;
  private Launches launches;
  private Node step;
  private TracedStep traced;
  private int lastBatch;

  /** The intermediate values of one replica's last step, [Z, A, delta][layer][batch x units]. */
  private record TracedStep(int replica, DeviceArena arena, Buffer taps, Launches launches) {}

  /**
   * @param plan the plan for the general kernel
   * @param narrowPlan the plan for a kernel of narrow networks, with one block or a cluster; empty if the general kernel trains
   * @param recorder consumer of the metrics
   */
  public FusedRunner(CudaContext context, NetworkSpec network, TrainingSpec training, SessionState state, BoundData data,
      Transfers transfers, FusedPlan plan, Optional<? extends BlockPlan> narrowPlan, CudaOptions options, StepTable.Recorder recorder) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.state = state;
    this.data = data;
    this.transfers = transfers;
    this.options = options;
    this.recorder = recorder;
    arena = new DeviceArena(context, "fused steps", options.guards());
    int number = Transfers.bytesOf(training.precision());
    before = new Buffer(arena.reserve("parameters before the last step", state.replicas() * state.layout().size() * number));
    try {
      networks.add(new FusedNetwork(context, transfers, plan, training.precision(), options.guards()));
      narrowPlan.ifPresent(
          narrow -> networks.add(new FusedNetwork(context, transfers, narrow, training.precision(), options.guards())));
      arena.allocate();
    } catch (RuntimeException e) {
      networks.forEach(tables -> tables.arena().close());
      throw e;
    }
  }

  @Override
  public Planner planner() {
    return Planner.FUSED;
  }

  @Override
  public void run(StepChunk chunk, long firstNumber) {
    reserve(chunk);
    discardTrace();
    int next = 0;
    while (next < chunk.steps()) {
      table.begin();
      do {
        table.add(chunk, next, firstNumber + next);
        next++;
      } while (next < chunk.steps() && table.hasRoom(StepTable.rowsOf(chunk, next, state.replicas())));
      table.upload();
      enqueue(step);
      table.end();
    }
    int[] rows = chunk.batch(chunk.steps() - 1, 0);
    lastBatch = rows == null ? data.data().rows() : rows.length;
  }

  private void enqueue(Node node) {
    context.call(node::name, node::enqueue);
    if (options.execution() == Execution.CHECKED) {
      context.synchronize(node.name());
      requireAllGuards("a launch");
    }
  }

  /** Replaces a step table that is too small for a chunk, which is rare. */
  private void reserve(StepChunk chunk) {
    long maxRows = 0;
    for (int i = 0; i < chunk.steps(); i++) {
      maxRows = Math.max(maxRows, StepTable.rowsOf(chunk, i, state.replicas()));
    }
    if (table != null && table.rowCapacity() >= maxRows) {
      return;
    }
    waitForSteps();
    context.release("releasing a step table that is too small", releasesOfTable());
    table = new StepTable(
        context, training.optimizer(), state.replicas(), network.layerCount(), TABLE_BYTES, maxRows, data.divisors(), recorder,
        options.guards());
    launches = new Launches(context, 1);
    step = bindTraining(launches);
  }

  private FusedNetwork generalNetwork() {
    return networks.get(0);
  }

  private Node bindTraining(Launches in) {
    return networks.size() == 1
        ? bindGeneral(in, state.replicas(), 0, 0)
        : bind(in, networks.get(1), state.replicas());
  }

  /**
   * Binds the general kernel.
   *
   * @param replicas the number of replicas to train or to tap
   * @param tapsAddress the destination of one replica's intermediate values; 0 for training
   * @param tapped the tapped replica
   */
  private Node bindGeneral(Launches in, int replicas, long tapsAddress, int tapped) {
    return bind(in, generalNetwork(), replicas, tapsAddress, tapped);
  }

  private Node bind(Launches in, FusedNetwork tables, int replicas, Number... more) {
    boolean classes = data.data().hasClasses();
    List<Number> arguments = new ArrayList<>(List.of(
        table.cursor().address(), table.entries().address(), table.learningRates().address(), table.rows().address(), data.x().address(),
        classes ? 0L : data.targets().address(), classes ? data.targets().address() : 0L, tables.planAddress(), tables.layersAddress(),
        state.address(Slot.PARAMETERS), state.address(Slot.GRADIENTS), state.address(Slot.MOMENT1), state.address(Slot.MOMENT2),
        before.address(), table.metrics().address(), state.firstNotFinite().address()));
    data.weights().ifPresent(weights -> arguments.addAll(List.of(weights.address(), table.divisorsAddress())));
    arguments.addAll(List.of(more));
    return in.bind(tables.trainingKernel(data.data().hasWeights()), network.shape(), tables.grid(replicas),
        arguments.toArray(new Number[0]));
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
    if (traced == null || traced.replica() != replica) {
      discardTrace();
      trace(replica);
    }
    long element = (long) where.ordinal() * generalNetwork().plan().layers().units() * lastBatch;
    for (int l = 0; l < layer; l++) {
      element += (long) network.layer(l).out() * lastBatch;
    }
    transfers.download(traced.taps().slice().pointer(element * Transfers.bytesOf(training.precision())), out);
  }

  private void trace(int replica) {
    DeviceArena own = new DeviceArena(context, "intermediate values of a step", options.guards());
    Buffer taps = new Buffer(own.reserve("Z, A and delta", TAPS * generalNetwork().plan().layers().units() * lastBatch
        * Transfers.bytesOf(training.precision())));
    own.allocate();
    traced = new TracedStep(replica, own, taps, new Launches(context, 1));
    Node recomputation = bindGeneral(traced.launches(), 1, taps.address(), replica);
    transfers.upload(new int[] {table.lastEntry(), table.lastEntry() + 1}, table.cursor().pointer());
    enqueue(recomputation);
    context.synchronize(recomputation.name());
    own.requireGuards(recomputation.name());
  }

  private void discardTrace() {
    if (traced != null) {
      List<Runnable> releases = new ArrayList<>();
      releaseTraceInto(releases);
      context.release("releasing intermediate values of a step", releases);
    }
  }

  private void releaseTraceInto(List<Runnable> releases) {
    if (traced != null) {
      traced.launches().releaseInto(releases);
      releases.add(traced.arena().release());
      traced = null;
    }
  }

  private void requireAllGuards(String after) {
    state.arena().requireGuards(after);
    data.arena().requireGuards(after);
    arena.requireGuards(after);
    networks.forEach(tables -> tables.arena().requireGuards(after));
    table.arena().requireGuards(after);
  }

  private List<Runnable> releasesOfTable() {
    List<Runnable> releases = new ArrayList<>();
    if (launches != null) {
      launches.releaseInto(releases);
      launches = null;
    }
    if (table != null) {
      table.releases().forEach(releases::add);
      table = null;
    }
    return releases;
  }

  @Override
  public List<Runnable> releases() {
    List<Runnable> releases = new ArrayList<>();
    releaseTraceInto(releases);
    releases.addAll(releasesOfTable());
    releases.add(arena.release());
    networks.forEach(tables -> releases.add(tables.arena().release()));
    lastBatch = 0;
    return releases;
  }

  @Override
  public long bytes() {
    return arena.bytes() + networks.stream().mapToLong(tables -> tables.arena().bytes()).sum()
        + (table == null ? 0 : table.arena().bytes()) + (traced == null ? 0 : traced.arena().bytes());
  }
}
