package dev.plumb.backend.cuda.fused;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaKernels.Kernel;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Axis;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.model.Precision;
import java.util.Set;

/** The tables of a {@link BlockPlan} in device memory, and the kernels that read them. */
public final class FusedNetwork {
  private static final int MAX_CARVEOUT_PERCENT = 100;

  private final CudaContext context;
  private final BlockPlan plan;
  private final String suffix;
  private final DeviceArena arena;
  private final Buffer words;
  private final Buffer layers;

  /** Allocates and uploads the tables. */
  public FusedNetwork(CudaContext context, Transfers transfers, BlockPlan plan, Precision precision, boolean guards) {
    this.context = context;
    this.plan = plan;
    suffix = precision == Precision.FP64 ? "_f64" : "_f32";
    long[] values = plan.words();
    int[] table = plan.layers().table();
    arena = new DeviceArena(context, "the tables of the fused kernels", guards);
    words = new Buffer(arena.reserve("the plan", (long) values.length * Long.BYTES));
    layers = new Buffer(arena.reserve("the layers", (long) table.length * Integer.BYTES));
    arena.allocate();
    try {
      transfers.upload(values, words.slice().pointer());
      transfers.upload(table, layers.slice().pointer());
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** Returns a kernel for the precision, after opting in to the shared memory of the plan. */
  private Kernel kernel(String name) {
    Kernel kernel = context.kernel(name + suffix);
    context.call(() -> "requesting " + plan.memory().bytes() + " bytes of shared memory for " + kernel.name(), () -> {
      cuFuncSetAttribute(kernel.function(), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, context.limits().sharedOfBlock());
      cuFuncSetAttribute(kernel.function(), CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, MAX_CARVEOUT_PERCENT);
    });
    return kernel;
  }

  /** Returns the training kernel for rows with or without weights. */
  Kernel trainingKernel(boolean weighted) {
    return kernel(plan.trainingKernel() + (weighted ? "_weighted" : ""));
  }

  /** Returns a grid with one block, or one cluster of blocks, along x per replica. */
  Grid grid(long replicas) {
    return grid(replicas * plan.blocks(), 1, Set.of());
  }

  private Grid grid(long blocksX, int blocksY, Set<Axis> looped) {
    return new Grid(blocksX, blocksY, 1, plan.threads(), 1, (int) plan.memory().bytes(), looped);
  }

  /** Returns the launch that computes the outputs of replicas, [replica][rows x outputs], for X [rows x inputs]. */
  public Node outputs(Launches launches, int rows, int firstReplica, int replicas, SessionState state, Buffer x, Buffer z) {
    Grid grid = grid(Launches.ceilDiv(rows, plan.rowsOfTile()), replicas, Set.of(Axis.X, Axis.Y));
    return launches.bind(kernel("fused_outputs"), rows + " rows", grid, words.address(),
        layers.address(), state.address(Slot.PARAMETERS, firstReplica * state.layout().size()), x.address(),
        z.address(), rows, replicas);
  }

  BlockPlan plan() {
    return plan;
  }

  long planAddress() {
    return words.address();
  }

  long layersAddress() {
    return layers.address();
  }

  /** Returns the tables' device memory. */
  public DeviceArena arena() {
    return arena;
  }
}
