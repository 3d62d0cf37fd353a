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
 * Takes steps by the fused kernels: one launch for as many steps as the step table holds, a block a replica. There is nothing to
 * record as a graph.
 *
 * <p>What goes on inside a step is nowhere but in shared memory. Who asks for it later has the last step computed once more, from the
 * parameters that it began with and that were kept.
 */
public final class FusedRunner implements Steps {
  /** Steps of a half of the table are those of a launch, at whose ends parameters come and go: many, for thousands of replicas too. */
  private static final long TABLE_BYTES = 32L << 20;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final SessionState state;
  private final BoundData data;
  private final Transfers transfers;
  private final CudaOptions options;
  private final StepTable.Recorder recorder;
  /** For the general kernel, which shows the inside of a step, and trains where no narrow one does; then for the narrow one. */
  private final List<FusedNetwork> networks = new ArrayList<>();
  private final DeviceArena arena;
  /** [replica][padded size]: the parameters that the last step began with. */
  private final Buffer before;
  private StepTable table;
  private Launches launches;
  private Node step;
  private Shown shown;
  private int lastBatch;

  /** One replica's last step, as [Z, A, delta][layer][batch x units]. */
  private record Shown(int replica, DeviceArena arena, Buffer taps, Launches launches) {}

  /**
   * @param plan for the general kernel
   * @param narrowPlan for the kernels of narrow networks, by one block or by a cluster, where they train
   * @param recorder takes what recorded steps report
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
    forgetShown();
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

  /** Makes sure that the table is large enough for a chunk; a larger one replaces it, which is rare. */
  private void reserve(StepChunk chunk) {
    long mostRows = 0;
    for (int i = 0; i < chunk.steps(); i++) {
      mostRows = Math.max(mostRows, StepTable.rowsOf(chunk, i, state.replicas()));
    }
    if (table != null && table.rowCapacity() >= mostRows) {
      return;
    }
    waitForSteps();
    context.release("releasing a step table that is too small", releasesOfTable());
    table = new StepTable(
        context, training.optimizer(), state.replicas(), network.layerCount(), TABLE_BYTES, mostRows, recorder, options.guards());
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
   * @param replicas that are trained or shown
   * @param tapsAddress where the step of one replica is to be shown, instead of training; 0 for training
   * @param tapped that replica
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
    arguments.addAll(List.of(more));
    return in.bind(tables.trainingKernel(), network.shape(), tables.grid(replicas), arguments.toArray(new Number[0]));
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
    if (shown == null || shown.replica() != replica) {
      forgetShown();
      show(replica);
    }
    long element = (long) where.ordinal() * generalNetwork().plan().layers().units() * lastBatch;
    for (int l = 0; l < layer; l++) {
      element += (long) network.layer(l).out() * lastBatch;
    }
    transfers.download(shown.taps().slice().pointer(element * Transfers.bytesOf(training.precision())), out);
  }

  private void show(int replica) {
    DeviceArena own = new DeviceArena(context, "the inside of a step", options.guards());
    Buffer taps = new Buffer(own.reserve("Z, A and delta", (long) Tap.values().length * generalNetwork().plan().layers().units() * lastBatch
        * Transfers.bytesOf(training.precision())));
    own.allocate();
    shown = new Shown(replica, own, taps, new Launches(context, 1));
    Node again = bindGeneral(shown.launches(), 1, taps.address(), replica);
    transfers.upload(new int[] {table.lastEntry(), table.lastEntry() + 1}, table.cursor().pointer());
    enqueue(again);
    context.synchronize(again.name());
    own.requireGuards(again.name());
  }

  private void forgetShown() {
    if (shown != null) {
      List<Runnable> releases = new ArrayList<>();
      releaseShownInto(releases);
      context.release("forgetting the inside of a step", releases);
    }
  }

  private void releaseShownInto(List<Runnable> releases) {
    if (shown != null) {
      shown.launches().releaseInto(releases);
      releases.add(shown.arena().release());
      shown = null;
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
    releaseShownInto(releases);
    releases.addAll(releasesOfTable());
    releases.add(arena.release());
    networks.forEach(tables -> releases.add(tables.arena().release()));
    lastBatch = 0;
    return releases;
  }

  @Override
  public long bytes() {
    return arena.bytes() + networks.stream().mapToLong(tables -> tables.arena().bytes()).sum()
        + (table == null ? 0 : table.arena().bytes()) + (shown == null ? 0 : shown.arena().bytes());
  }
}
