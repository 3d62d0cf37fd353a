package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.fused.FusedPlan;
import dev.plumb.backend.cuda.natives.CudaNatives;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import jcuda.jcublas.JCublas2;

/** The backend for NVIDIA GPUs, through the CUDA driver, cuBLAS and Plumb's own kernels. Belongs to the thread that opened it. */
public final class CudaBackend implements Backend, GpuProbes {
  /** The largest number of losses and gradient norms of one step; their positions are ints. */
  private static final long MAX_METRICS = 1L << 26;

  private final CudaContext context;
  private final CudaOptions options;
  private final Consumer<String> onNote;
  private final boolean ownsContext;
  private final Set<String> notes = new HashSet<>();

  /** Opens a device; its notes are discarded. */
  public CudaBackend(int ordinal, CudaOptions options) {
    this(ordinal, options, note -> {});
  }

  /**
   * Opens a device.
   *
   * @param ordinal the number of the device, from 0, as in {@code plumb devices}
   * @param onNote receives each note on slower training once, as one line
   * @throws DeviceUnavailableException when CUDA or the device cannot be used
   */
  public CudaBackend(int ordinal, CudaOptions options, Consumer<String> onNote) {
    context = new CudaContext(ordinal, options.maxBlocks());
    this.options = options;
    this.onNote = onNote;
    ownsContext = true;
    if (options.planner() == Planner.LAYERED) {
      try {
        context.needBlas();
      } catch (RuntimeException e) {
        context.close();
        throw e;
      }
    }
  }

  /** A backend with other options on the same device, which {@code owner} closes. */
  private CudaBackend(CudaBackend owner, CudaOptions options) {
    context = owner.context;
    this.options = options;
    onNote = owner::noteOnce;
    ownsContext = false;
  }

  /**
   * Returns the number of devices, usable or not.
   *
   * @throws DeviceUnavailableException when CUDA cannot be used, or there is no device
   */
  public static int deviceCount() {
    CudaNatives.load();
    return CudaNatives.deviceCount();
  }

  /**
   * Opens the first usable device.
   *
   * @param onNote receives each note on slower training once, as one line
   * @throws DeviceUnavailableException when no device can be used; with the reason for the first device
   */
  public static CudaBackend openFirst(CudaOptions options, Consumer<String> onNote) {
    CudaNatives.load();
    DeviceUnavailableException first = null;
    int ordinal = 0;
    do {
      try {
        return new CudaBackend(ordinal, options, onNote);
      } catch (DeviceUnavailableException e) {
        first = first == null ? e : first;
      }
      ordinal++;
    } while (ordinal < CudaNatives.deviceCount());
    throw first;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CUDA, context.name());
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    if (replicas < 1) {
      return Refusal.ofReplicas(replicas);
    }
    long metrics = (long) replicas * (2 + network.layerCount());
    if (metrics > MAX_METRICS) {
      return Optional.of(new Refusal("replicas " + replicas + " of " + network.layerCount() + " layers", "ask for fewer"));
    }
    if (training.precision().roundsFactors() && !context.hasTensorCores()) {
      return Optional.of(new Refusal("precision bf16 needs a GPU of compute capability 8.0 or newer, but " + context.name()
          + " has " + context.capability() / 10 + "." + context.capability() % 10, "use fp32"));
    }
    if (training.precision().roundsFactors() && !network.isPlain()) {
      return Optional.of(new Refusal("precision bf16 does not support normalization and residual connections", "use fp32 or tf32"));
    }
    return options.planner() == Planner.FUSED
        ? FusedPlan.unsupported(network, training, context.limits()).map(reason -> new Refusal(
            "the fused planner cannot take " + network.shape() + ": " + reason, "choose the planner auto or layered"))
        : Optional.empty();
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    context.enter();
    refusal(network, training, replicas).ifPresent(refusal -> {
      throw refusal.toException();
    });
    return new CudaSession(context, network, training, replicas, options, this::noteOnce);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    context.enter();
    Planner planner = StepPlanner.choice(context, network, training, rows, options);
    Numerics numerics = Numerics.of(DeviceInfo.Kind.CUDA, training.precision())
        .with("GPU", context.name() + ", " + context.limits().multiprocessors() + " multiprocessors")
        .with("driver", CudaNatives.driver())
        .with("planner", planner.key());
    return planner == Planner.LAYERED ? numerics.with("cuBLAS", library()) : numerics;
  }

  private void noteOnce(String note) {
    if (notes.add(note)) {
      onNote.accept(note);
    }
  }

  @Override
  public String library() {
    context.enter();
    context.needBlas();
    int[] version = new int[1];
    context.call("querying the version of cuBLAS", () -> JCublas2.cublasGetVersion(context.blas(), version));
    return "cuBLAS " + version[0] / 10_000 + "." + version[0] / 100 % 100 + "." + version[0] % 100;
  }

  @Override
  public boolean isStandIn() {
    return CudaNatives.onHostDevice();
  }

  @Override
  public Backend withPlanner(Planner planner) {
    return new CudaBackend(this, options.withPlanner(planner));
  }

  @Override
  public Probe copies(long bytes) {
    return probes().copies(bytes);
  }

  @Override
  public Probe emptyKernels(int kernels) {
    return probes().emptyKernels(kernels);
  }

  @Override
  public Probe products(NetworkSpec network, Precision precision, int batch, Set<GpuProbes.Products> of) {
    return probes().products(network, precision, batch, of);
  }

  private CudaProbes probes() {
    context.enter();
    return new CudaProbes(context, options.guards());
  }

  @Override
  public void close() {
    if (ownsContext) {
      context.close();
    }
  }
}
