package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Dropout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.Optional;

/**
 * Launches for normalization, activation, dropout and residual connection of hidden layers around cuBLAS's products: the kernels of
 * {@code kernels/normalization.cu}, in single and double precision.
 */
final class NormalizationNodes {
  /** BY_RUNNING_STATISTICS of the kernels, after the ordinals of {@link Normalization}. */
  private static final int BY_RUNNING_STATISTICS = 3;
  /** ROWS_OF_BLOCK of the kernels. */
  private static final int ROWS_OF_BLOCK = 8;

  private final CudaContext context;
  private final Launches launches;
  private final NetworkSpec network;
  private final SessionState state;
  private final ActivationNodes activations;
  private final String suffix;
  private final int bytesOfNumber;
  private final int firstReplica;
  private final int replicas;

  /** Creates launches with the parameters of {@link LayerNodes}. */
  NormalizationNodes(CudaContext context, Launches launches, NetworkSpec network, TrainingSpec training, SessionState state,
      ActivationNodes activations, int firstReplica, int replicas) {
    this.context = context;
    this.launches = launches;
    this.network = network;
    this.state = state;
    this.activations = activations;
    this.firstReplica = firstReplica;
    this.replicas = replicas;
    suffix = training.precision() == Precision.FP64 ? "_f64" : "_f32";
    bytesOfNumber = Transfers.bytesOf(training.precision());
  }

  private Node bind(String kernel, int layer, Grid grid, Number... arguments) {
    return launches.bind(context.kernel(kernel + suffix), activations.of(layer), grid, arguments);
  }

  /**
   * Adds the launches after the product Z of a layer: the statistics, and A = f(H) ∘ M + I.
   *
   * @param in I, the layer's input
   * @param segments memory of the statistics of segments; null outside of steps
   * @param dropout empty for M = 1
   */
  void forward(List<Node> nodes, int layer, int n, RowList rows, Matrix in, LayerBuffers buffers, Buffer segments,
      Optional<Dropout> dropout) {
    LayerSpec spec = network.layer(layer);
    int units = spec.out();
    boolean normalized = spec.normalization() != Normalization.NONE;
    boolean running = spec.normalization() == Normalization.BATCH && buffers.used() == null;
    if (spec.normalization() == Normalization.LAYER) {
      nodes.add(bind("normalization_layer_statistics", layer, rowGrid(n), buffers.z().address(), activations.biasAddress(layer),
          buffers.statistics().address(), (long) n, units, state.layout().size(), replicas));
    } else if (normalized && !running) {
      addBatchStatistics(nodes, layer, n, buffers, segments);
    }
    long statistics = running ? state.statisticsAddress(firstReplica, layer) : normalized ? buffers.statistics().address() : 0L;
    long statisticsStride = running ? state.layout().statistics() : 2L * groups(spec, n);
    nodes.add(bind("normalization_activation", layer, Grid.ofElements(Launches.ceilDiv((long) n * units, 4), replicas), rows.cursor(),
        rows.steps(), buffers.z().address(), buffers.a().address(), dropout.isPresent() ? buffers.kept().address() : 0L,
        activations.biasAddress(layer), normalized ? parameter(Kind.SCALE, layer) : 0L, normalized ? parameter(Kind.SHIFT, layer) : 0L,
        buffers.used() == null ? 0L : buffers.used().address(), statistics, spec.residual() ? in.address() : 0L, n, units,
        state.layout().size(), statisticsStride, in.stride(), running ? BY_RUNNING_STATISTICS : spec.normalization().ordinal(),
        replicas, spec.activation().ordinal(), layer, dropout.map(of -> of.seed() + firstReplica).orElse(0L),
        dropout.map(ActivationNodes::threshold).orElse(0L), dropout.map(ActivationNodes::scale).orElse(1.0)));
  }

  /** Adds the statistics of a batch, with the update of the running statistics. */
  private void addBatchStatistics(List<Node> nodes, int layer, int n, LayerBuffers buffers, Buffer segmentStatistics) {
    int units = network.layer(layer).out();
    int segments = ActivationNodes.segments(n);
    long rowsOfSegment = Launches.ceilDiv(n, segments);
    long running = state.statisticsAddress(firstReplica, layer);
    nodes.add(bind("normalization_batch_statistics", layer, activations.tiles(units, segments), buffers.z().address(),
        activations.biasAddress(layer), segmentStatistics.address(), buffers.statistics().address(), running, (long) n, units,
        rowsOfSegment, state.layout().size(), (long) state.layout().statistics(), replicas));
    if (segments > 1) {
      nodes.add(bind("normalization_merge_statistics", layer, Grid.ofElements(units, replicas), segmentStatistics.address(),
          buffers.statistics().address(), running, (long) n, units, segments, rowsOfSegment, (long) state.layout().statistics(), replicas));
    }
  }

  /**
   * Adds the launches from G = dLoss/dA [n x out] of a layer to dLoss/dZ and the gradients of b, scale and shift.
   *
   * @param g is not changed
   * @param delta receives dLoss/dZ
   * @param segmentSums memory of two sums per segment of rows and unit
   * @param rowSums memory of two sums per row; null unless the layer has a layer normalization
   */
  void backward(List<Node> nodes, int layer, int n, LayerBuffers buffers, Optional<Dropout> dropout, Buffer g, Buffer delta,
      Buffer segmentSums, Buffer rowSums) {
    LayerSpec spec = network.layer(layer);
    int units = spec.out();
    int segments = ActivationNodes.segments(n);
    long rowsOfSegment = Launches.ceilDiv(n, segments);
    boolean normalized = spec.normalization() != Normalization.NONE;
    long bias = activations.biasAddress(layer);
    long scale = normalized ? parameter(Kind.SCALE, layer) : 0L;
    long statistics = normalized ? buffers.statistics().address() : 0L;
    long shiftGradient = gradient(normalized ? Kind.SHIFT : Kind.BIAS, layer);
    long scaleGradient = normalized ? gradient(Kind.SCALE, layer) : 0L;
    long stride = state.layout().size();
    long scaledSegmentSums = segmentSums.address() + (long) replicas * segments * units * bytesOfNumber;
    long sumsStride = segments == 1 ? stride : (long) segments * units;
    nodes.add(bind("normalization_output_gradient", layer, activations.tiles(units, segments), g.address(), delta.address(),
        buffers.z().address(), bias, scale, normalized ? parameter(Kind.SHIFT, layer) : 0L,
        dropout.isPresent() ? buffers.kept().address() : 0L, statistics, segments == 1 ? shiftGradient : segmentSums.address(),
        segments == 1 ? scaleGradient : scaledSegmentSums, (long) n, units, rowsOfSegment, stride, sumsStride,
        spec.normalization().ordinal(), replicas, spec.activation().ordinal(), dropout.map(ActivationNodes::scale).orElse(1.0)));
    activations.addSegments(nodes, layer, segmentSums.address(), shiftGradient, segments);
    if (!normalized) {
      return;
    }
    activations.addSegments(nodes, layer, scaledSegmentSums, scaleGradient, segments);
    boolean byRow = spec.normalization() == Normalization.LAYER;
    if (byRow) {
      nodes.add(bind("normalization_layer_sums", layer, rowGrid(n), delta.address(), buffers.z().address(), bias, scale, statistics,
          rowSums.address(), (long) n, units, stride, replicas));
    }
    long biasGradient = gradient(Kind.BIAS, layer);
    nodes.add(bind("normalization_delta", layer, activations.tiles(units, segments), delta.address(), buffers.z().address(), bias, scale,
        statistics, byRow ? rowSums.address() : shiftGradient, byRow ? rowSums.address() + (long) n * bytesOfNumber : scaleGradient,
        segments == 1 ? biasGradient : segmentSums.address(), (long) n, units, rowsOfSegment, stride, byRow ? 2L * n : stride, sumsStride,
        spec.normalization().ordinal(), replicas));
    activations.addSegments(nodes, layer, segmentSums.address(), biasGradient, segments);
  }

  /** Returns the number of launches of all normalizations in addition to those of a network without them, which also activate. */
  static int launches(NetworkSpec network, int batch) {
    int segmented = ActivationNodes.segments(batch) == 1 ? 0 : 1;
    int ofLayer = switch (network.normalization()) {
      case NONE -> 0;
      case BATCH -> 2 + 3 * segmented; // statistics, delta; for segments, their merge and the sums of two more gradients
      case LAYER -> 3 + 2 * segmented; // statistics, sums of rows, delta
    };
    return (network.layerCount() - 1) * ofLayer;
  }

  /** Returns the number of means of a layer's statistics. */
  static int groups(LayerSpec layer, int n) {
    return layer.normalization() == Normalization.LAYER ? n : layer.out();
  }

  private Grid rowGrid(int n) {
    return Grid.ofPieces(Launches.ceilDiv(n, ROWS_OF_BLOCK), replicas);
  }

  private long parameter(Kind kind, int layer) {
    return state.address(Slot.PARAMETERS, firstReplica * state.layout().size() + state.layout().offset(kind, layer));
  }

  private long gradient(Kind kind, int layer) {
    return state.address(Slot.GRADIENTS, state.layout().offset(kind, layer));
  }
}
