package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Axis;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Dropout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Launches for bias, activation, dropout and the bias gradient of single layers, before and after cuBLAS's products: the kernels
 * of {@code kernels/activation_kernels.cuh}. In bf16 they round A of hidden layers and delta of all layers to factors of products.
 */
final class ActivationNodes {
  /** The number of rows that one block sums for the bias gradient. */
  private static final long ROWS_OF_SEGMENT = 256;
  private static final int MAX_SEGMENTS = 65535;
  private static final int UNITS_OF_TILE = 32;
  private static final int ROWS_OF_TILE = 16;

  private final CudaContext context;
  private final Launches launches;
  private final NetworkSpec network;
  private final SessionState state;
  private final Precision precision;
  private final FactorFormat format;
  private final String suffix;
  private final int firstReplica;
  private final int replicas;

  /** Creates launches with the parameters of {@link LayerNodes}. */
  ActivationNodes(CudaContext context, Launches launches, NetworkSpec network, TrainingSpec training, SessionState state,
      int firstReplica, int replicas) {
    this.context = context;
    this.launches = launches;
    this.network = network;
    this.state = state;
    this.firstReplica = firstReplica;
    this.replicas = replicas;
    precision = training.precision();
    format = FactorFormat.of(precision);
    suffix = precision == Precision.FP64 ? "_f64" : "_f32";
  }

  private Node bind(String kernel, int layer, Grid grid, Number... arguments) {
    return launches.bind(context.kernel(kernel), of(layer), grid, arguments);
  }

  private int pitch(int layer) {
    return format.resultPitch(network, layer);
  }

  /** Returns the launch of A = f(Z + b); z and a may be the same buffer. Copies b to {@code usedBias} unless that is null. */
  Node forward(int layer, int n, Buffer z, Buffer a, Buffer usedBias) {
    LayerSpec spec = network.layer(layer);
    int pitch = pitch(layer);
    long used = usedBias == null ? 0L : usedBias.address();
    boolean packed = z.matrix(n, pitch).isPacked(pitch, precision);
    long packs = (long) n * pitch / (packed ? Matrix.PACK_BYTES / Transfers.bytesOf(precision) : 1);
    Grid grid = Grid.ofElements(packs, replicas);
    if (format.isRounded() && layer < network.layerCount() - 1) {
      return bind("bias_activation_bf16", layer, grid, z.address(), a.address(), biasAddress(layer), used, n, pitch,
          state.layout().size(), replicas, spec.activation().ordinal());
    }
    return bind("bias_activation" + suffix, layer, grid, z.address(), a.address(), biasAddress(layer), used, n, spec.out(),
        state.layout().size(), replicas, spec.activation().ordinal(), packed ? 1 : 0);
  }

  /**
   * Returns the launch of A = f(Z + b) ∘ M.
   *
   * @param activated whether a already contains f(Z + b)
   */
  Node dropping(int layer, int n, RowList rows, Buffer z, Buffer a, Buffer usedBias, Buffer kept, Dropout dropout, boolean activated) {
    LayerSpec spec = network.layer(layer);
    Grid grid = Grid.ofElements(Launches.ceilDiv((long) n * spec.out(), 4), replicas);
    long seed = dropout.seed() + firstReplica;
    long threshold = threshold(dropout);
    if (format.isRounded()) {
      return bind("bias_activation_dropout_bf16", layer, grid, rows.cursor(), rows.steps(), z.address(), a.address(), kept.address(),
          biasAddress(layer), usedBias.address(), n, spec.out(), pitch(layer), state.layout().size(), replicas,
          spec.activation().ordinal(), layer, seed, threshold, scale(dropout));
    }
    return bind("bias_activation_dropout" + suffix, layer, grid, rows.cursor(), rows.steps(), z.address(), a.address(),
        kept.address(), activated ? 0L : biasAddress(layer), usedBias.address(), n, spec.out(), state.layout().size(), replicas,
        spec.activation().ordinal(), layer, seed, threshold, scale(dropout));
  }

  /** Returns the smallest word of Philox that keeps an element. */
  static long threshold(Dropout dropout) {
    return Math.round(dropout.probability() * (1L << 32));
  }

  /** Returns the factor by which dropout multiplies what it keeps. */
  static double scale(Dropout dropout) {
    return 1 / (1 - dropout.probability());
  }

  /** Adds the launches from dLoss/dA to dLoss/dZ and the bias gradient; {@code incoming} and {@code delta} as in {@link LayerNodes}. */
  void backward(List<Node> nodes, int layer, int n, Buffer z, Buffer a, Buffer kept, Optional<Dropout> dropout, Buffer incoming,
      Buffer delta, Buffer segmentSums) {
    int units = network.layer(layer).out();
    long biasGradient = state.address(Slot.GRADIENTS, state.layout().bias(layer));
    int segments = segments(n);
    long rowsOfSegment = Launches.ceilDiv(n, segments);
    long sums = segments == 1 ? biasGradient : segmentSums.address();
    long sumsStride = segments == 1 ? state.layout().size() : (long) segments * units;
    long mask = dropout.isPresent() ? kept.address() : 0L;
    double scale = dropout.map(ActivationNodes::scale).orElse(1.0);
    int activation = network.layer(layer).activation().ordinal();
    Grid grid = tiles(units, segments);
    if (format.isRounded()) {
      nodes.add(bind("activation_backward_bf16", layer, grid, incoming.address(), delta.address(), z.address(), a.address(),
          biasAddress(layer), mask, sums, (long) n, units, pitch(layer), format.pitch(units), rowsOfSegment, state.layout().size(),
          sumsStride, replicas, activation, scale));
    } else {
      nodes.add(bind("activation_backward" + suffix, layer, grid, delta.address(), z.address(), biasAddress(layer), mask, sums,
          (long) n, units, rowsOfSegment, state.layout().size(), sumsStride, replicas, activation, scale));
    }
    addSegments(nodes, layer, sums, biasGradient, segments);
  }

  /** Returns a grid with a block per tile of units and segment of rows. */
  Grid tiles(int units, int segments) {
    return new Grid(
        Launches.ceilDiv(units, UNITS_OF_TILE), segments, replicas, UNITS_OF_TILE, ROWS_OF_TILE, 0, Set.of(Axis.Z));
  }

  /** Adds the launch of a gradient [units] as the sum of its segments, if there are several. */
  void addSegments(List<Node> nodes, int layer, long sums, long gradient, int segments) {
    int units = network.layer(layer).out();
    if (segments > 1) {
      nodes.add(bind("sum_segments" + suffix, layer, Grid.ofElements(units, replicas), sums, gradient, units, segments,
          state.layout().size(), replicas));
    }
  }

  /** Returns the number of segments of a batch for the bias gradient; it depends only on n, so that sums have the same order. */
  static int segments(int n) {
    return (int) Math.min(Launches.ceilDiv(n, ROWS_OF_SEGMENT), MAX_SEGMENTS);
  }

  /** Returns the address of b of a layer of the first replica. */
  long biasAddress(int layer) {
    return state.address(Slot.PARAMETERS, firstReplica * state.layout().size() + state.layout().bias(layer));
  }

  /** Returns the description of a layer for messages. */
  String of(int layer) {
    return "layer " + layer + ", " + network.layer(layer).activation().key();
  }
}
