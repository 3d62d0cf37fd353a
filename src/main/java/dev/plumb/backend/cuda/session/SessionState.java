package dev.plumb.backend.cuda.session;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import jcuda.driver.CUdeviceptr;

/**
 * The device memory of a session that does not depend on its data: for each replica, the vectors of {@link Slot} [padded size],
 * the running statistics of batch normalizations, in bf16 also the parameters rounded to factors of products, and the values that
 * kernels pass to each other.
 */
public final class SessionState {
  private final PaddedLayout layout;
  private final int replicas;
  private final int bytesOfNumber;
  private final DeviceArena arena;
  private final Map<Slot, Slice> vectors = new EnumMap<>(Slot.class);
  /** The parameters rounded to factors of products, bfloat16 [replica][padded size]; null if products read the parameters themselves. */
  private final Slice factors;
  /** The running statistics [replica][statistics], in the order of {@link dev.plumb.model.ParameterLayout}. */
  private final Slice statistics;
  private final Slice losses;
  private final Slice clipScales;
  private final Slice notFinite;
  private final Slice firstNotFinite;

  /** Allocates the device memory. */
  public SessionState(
      CudaContext context, NetworkSpec network, OptimizerSpec optimizer, Precision precision, int replicas, boolean guards) {
    layout = new PaddedLayout(network, precision);
    this.replicas = replicas;
    bytesOfNumber = Transfers.bytesOf(precision);
    arena = new DeviceArena(context, "parameters and optimizer state", guards);
    for (Slot slot : Slot.values()) {
      if (slot == Slot.GRADIENTS || Slot.stateOf(optimizer).contains(slot)) {
        vectors.put(slot, arena.reserve(slot.name(), replicas * layout.size() * bytesOfNumber));
      }
    }
    factors = FactorFormat.of(precision).isRounded()
        ? arena.reserve("rounded parameters", replicas * layout.size() * Bfloat16.BYTES) : null;
    statistics = arena.reserve("running statistics", (long) replicas * layout.statistics() * bytesOfNumber);
    losses = arena.reserve("losses", (long) replicas * Double.BYTES);
    clipScales = arena.reserve("clip scales", (long) replicas * Double.BYTES);
    notFinite = arena.reserve("not finite", (long) replicas * Integer.BYTES);
    firstNotFinite = arena.reserve("first not finite", (long) replicas * Long.BYTES);
    arena.allocate();
  }

  /** Sets the vectors and the running statistics to 0, the clipping factors to 1, and the first step that was not finite to none. */
  public void initialize(Transfers transfers) {
    vectors.values().forEach(vector -> vector.fill((byte) 0));
    if (factors != null) {
      factors.fill((byte) 0);
    }
    if (layout.statistics() > 0) {
      statistics.fill((byte) 0);
    }
    notFinite.fill((byte) 0);
    firstNotFinite.fill((byte) -1);
    long[] ones = new long[replicas];
    Arrays.fill(ones, Double.doubleToRawLongBits(1));
    transfers.upload(ones, clipScales.pointer());
  }

  /** Returns the losses of the last step, doubles [replicas]. */
  public Slice losses() {
    return losses;
  }

  /** Returns the factors by which the gradients are multiplied, doubles [replicas]: 1 without clipping. */
  public Slice clipScales() {
    return clipScales;
  }

  /** Returns whether the running step has a gradient that is not finite, ints [replicas]. */
  public Slice notFinite() {
    return notFinite;
  }

  /** Returns the first step that was not finite, or -1, longs [replicas]. */
  public Slice firstNotFinite() {
    return firstNotFinite;
  }

  /** Returns the layout of the vectors. */
  public PaddedLayout layout() {
    return layout;
  }

  /** Returns whether the optimizer keeps a vector. */
  public boolean keeps(Slot slot) {
    return vectors.containsKey(slot);
  }

  /** Returns the address of a vector of all replicas; 0 for a moment that the optimizer does not keep. */
  public long address(Slot slot) {
    return keeps(slot) ? vectors.get(slot).address() : 0;
  }

  /**
   * Returns a pointer to an element.
   *
   * @param element within the replica's vector
   */
  public CUdeviceptr pointer(Slot slot, int replica, long element) {
    return vectors.get(slot).pointer((replica * layout.size() + element) * bytesOfNumber);
  }

  /** Returns the address of an element of replica 0. */
  public long address(Slot slot, long element) {
    return vectors.get(slot).address() + element * bytesOfNumber;
  }

  /** Returns one tensor of every replica, from {@code firstReplica} on. */
  public Matrix matrix(Slot slot, int firstReplica, long element) {
    return new Matrix(
        vectors.get(slot), (firstReplica * layout.size() + element) * bytesOfNumber, layout.size());
  }

  /** Returns W of a layer of every replica as a factor of products, from {@code firstReplica} on. */
  public Matrix weights(int firstReplica, int layer) {
    return factors == null
        ? matrix(Slot.PARAMETERS, firstReplica, layout.weight(layer))
        : new Matrix(factors, (firstReplica * layout.size() + layout.weight(layer)) * Bfloat16.BYTES, layout.size());
  }

  /** Returns whether products read a rounded copy of the parameters. */
  public boolean hasFactors() {
    return factors != null;
  }

  /** Returns the address of the rounded copy of all replicas' parameters. */
  public long factorsAddress() {
    return factors.address();
  }

  /** Returns a pointer to an element of a replica's rounded copy. */
  public CUdeviceptr factorsPointer(int replica, long element) {
    return factors.pointer((replica * layout.size() + element) * Bfloat16.BYTES);
  }

  /** Returns a pointer to a replica's running statistics, of which there must be some. */
  public CUdeviceptr statisticsPointer(int replica) {
    return statistics.pointer((long) replica * layout.statistics() * bytesOfNumber);
  }

  /** Returns the address of the running means of a layer, which its running variances follow; of a network with batch normalization. */
  public long statisticsAddress(int firstReplica, int layer) {
    return statistics.address() + ((long) firstReplica * layout.statistics() + layout.runningMean(layer)) * bytesOfNumber;
  }

  /** Returns the number of replicas. */
  public int replicas() {
    return replicas;
  }

  /** Returns the device memory. */
  public DeviceArena arena() {
    return arena;
  }
}
