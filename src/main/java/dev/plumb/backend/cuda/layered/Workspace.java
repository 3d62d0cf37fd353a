package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Buffers for the intermediate values of a step, for batches of up to a number of rows; in each, the replicas follow one another.
 */
final class Workspace {
  private final int rows;
  private final DeviceArena arena;
  /**
   * Z, A and delta of each layer [rows x units]. The last layer is linear, so its A is its Z. With cuBLAS, a hidden layer's Z
   * does not include b. In bf16, A of hidden layers and delta are factors of products, and rows of a hidden layer's Z have the
   * same pitch.
   */
  private final List<Buffer> z = new ArrayList<>();
  private final List<Buffer> a = new ArrayList<>();
  private final List<Buffer> delta = new ArrayList<>();
  /**
   * dLoss/dA of one layer after the other, in rows like Z: in bf16, in single precision; and in networks that are not plain, of hidden
   * layers. Otherwise null, and delta receives it.
   */
  private final Buffer incoming;
  private final boolean plain;
  /** Dropout masks: a byte per element of each hidden layer, 0 if it was dropped. Empty without dropout. */
  private final List<Buffer> kept = new ArrayList<>();
  /** The statistics of each normalized layer in the last step, as in {@link LayerBuffers}. */
  private final List<Buffer> statistics = new ArrayList<>();
  /** The biases [units], and with a normalization scales and shifts, of each hidden layer before the last step's update. */
  private final List<Buffer> usedBiases = new ArrayList<>();
  /** The gathered batch X [rows x inputs]; null if cuBLAS computes no products. */
  final Buffer x;
  /** Two sums of each row, for layer normalizations; null without. */
  final Buffer rowSums;
  /** The bias gradients of each segment of rows, or with normalizations two sums of each, and the partial sums of the loss, in double. */
  final Buffer segmentSums;
  final Buffer lossPartials;
  /** The {@link ProductTable} of each plan. */
  final Slice productTables;
  /** Sums of squared gradients in double, [pieces] of {@link PaddedLayout} or [tiles] of {@link ProductTable}. */
  final Slice squares;
  /** The pieces, pairs (offset, length), and the first piece or tile of each tensor, [tensors + 1]. */
  final Slice pieces;
  final Slice firstPieces;
  final Slice firstTiles;

  /**
   * @param plans the largest number of plans that use it at the same time
   * @param cublas whether cuBLAS computes the products of some batches
   */
  Workspace(CudaContext context, NetworkSpec network, TrainingSpec training, int replicas, int rows, int plans, Transfers transfers,
      boolean cublas, boolean guards) {
    Loss loss = training.loss();
    this.rows = rows;
    plain = network.isPlain();
    arena = new DeviceArena(context, "activations of " + rows + " rows", guards);
    long row = (long) replicas * rows;
    int bytes = Transfers.bytesOf(training.precision());
    FactorFormat format = FactorFormat.of(training.precision());
    int factorBytes = format.bytes(training.precision());
    boolean normalized = network.normalization() != Normalization.NONE;
    int vectors = normalized ? 3 : 1;
    int widest = 0;
    int widestHidden = 0;
    for (int layer = 0; layer < network.layerCount(); layer++) {
      int units = network.layer(layer).out();
      int pitch = format.pitch(units);
      boolean last = layer == network.layerCount() - 1;
      z.add(buffer("Z of layer " + layer, row * format.resultPitch(network, layer) * bytes));
      a.add(last ? z.get(layer) : buffer("A of layer " + layer, row * pitch * factorBytes));
      delta.add(buffer("delta of layer " + layer, row * pitch * factorBytes));
      if (training.dropout().isPresent() && !last) {
        kept.add(buffer("dropout mask of layer " + layer, row * units));
      }
      if (!last) {
        usedBiases.add(buffer("biases used in layer " + layer, (long) replicas * vectors * pitch * bytes));
      }
      if (normalized && !last) {
        statistics.add(buffer("statistics of layer " + layer,
            2L * replicas * NormalizationNodes.groups(network.layer(layer), rows) * bytes));
      }
      widest = Math.max(widest, pitch);
      widestHidden = last ? widestHidden : Math.max(widestHidden, units);
    }
    incoming = format.isRounded() || !plain
        ? buffer("dLoss/dA", row * (format.isRounded() ? widest : widestHidden) * bytes) : null;
    rowSums = network.normalization() == Normalization.LAYER ? buffer("sums of rows", 2 * row * bytes) : null;
    x = cublas ? buffer("X of the batch", row * BoundData.bytesOfRow(network.inputs(), training.precision())) : null;
    segmentSums = buffer("bias gradients by segment", (normalized ? 2L : 1L) * replicas * ActivationNodes.segments(rows) * widest * bytes);
    lossPartials = buffer("partial sums of the loss",
        (long) replicas * LayerNodes.maxLossPartials(loss, rows, network.outputs()) * Double.BYTES);
    productTables = arena.reserve("tables of layers", plans * ProductTable.bytes(network));
    PaddedLayout layout = new PaddedLayout(network, training.precision());
    pieces = arena.reserve("pieces", (long) layout.pieces().length * Long.BYTES);
    firstPieces = arena.reserve("first pieces", (long) layout.firstPieces().length * Integer.BYTES);
    firstTiles = arena.reserve("first tiles", (long) layout.firstPieces().length * Integer.BYTES);
    squares = arena.reserve("squares of gradients",
        (long) replicas * Math.max(layout.pieces().length / 2, ProductTable.tiles(network)) * Double.BYTES);
    arena.allocate();
    try {
      if (format.isRounded()) {
        // Kernels read the padding of rows of Z, and cuBLAS that of factors, with any value.
        Stream.of(z, a, delta).flatMap(List::stream).forEach(buffer -> buffer.slice().fill((byte) 0));
      }
      transfers.upload(layout.pieces(), pieces.pointer());
      transfers.upload(layout.firstPieces(), firstPieces.pointer());
      transfers.upload(ProductTable.firstTiles(network), firstTiles.pointer());
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private Buffer buffer(String name, long bytes) {
    return new Buffer(arena.reserve(name, bytes));
  }

  int rows() {
    return rows;
  }

  Buffer z(int layer) {
    return z.get(layer);
  }

  Buffer a(int layer) {
    return a.get(layer);
  }

  Buffer delta(int layer) {
    return delta.get(layer);
  }

  /** Returns the buffer of dLoss/dA of a layer before the layer's backward pass. */
  Buffer incoming(int layer) {
    return incoming == null || !plain && layer == delta.size() - 1 ? delta.get(layer) : incoming;
  }

  /** Returns the statistics; null for layers without normalization. */
  Buffer statistics(int layer) {
    return layer < statistics.size() ? statistics.get(layer) : null;
  }

  /** Returns the buffers of a hidden layer of a network that is not plain. */
  LayerBuffers buffers(int layer) {
    return new LayerBuffers(z(layer), a(layer), statistics(layer), usedBias(layer), kept(layer));
  }

  /** Returns the biases, and with a normalization scales and shifts, before the last update; null for the last layer. */
  Buffer usedBias(int layer) {
    return layer < usedBiases.size() ? usedBiases.get(layer) : null;
  }

  /** Returns the dropout mask; null for layers without dropout. */
  Buffer kept(int layer) {
    return layer < kept.size() ? kept.get(layer) : null;
  }

  DeviceArena arena() {
    return arena;
  }
}
