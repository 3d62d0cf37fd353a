package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.layered.LayerNodes.RowWeights;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Dropout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The launches of one training step over a batch of a fixed number of rows: gather the batch, forward, loss, backward, metrics,
 * update. They are the same in every step. For a small network a launch takes longer than its work, so where products are small
 * ({@link SmallProducts}) each launch computes as much as it can: a layer's whole forward pass, the last one's with the loss, or
 * all weight gradients with the sums of their squares. The first layer then reads the batch's rows directly from the data.
 */
public final class StepPlan {
  /** GATHERED of the kernels: features of a row that a warp copies. */
  private static final int GATHERED = 128;
  private static final int THREADS_OF_WARP = 32;

  private final CudaContext context;
  private final NetworkSpec network;
  private final FactorFormat format;
  private final TrainingSpec training;
  private final SmallProducts smallProducts;
  private final SessionState state;
  private final StepTable table;
  private final RowWeights rowWeights;
  private final int replicas;
  private final Launches launches;
  private final LayerNodes layers;
  private final List<Node> nodes = new ArrayList<>();

  /**
   * @param number the number of this plan among those that use the workspace, from 0
   * @param gathered whether the batch is gathered from the data; otherwise it is all rows in their own order
   */
  StepPlan(CudaContext context, NetworkSpec network, TrainingSpec training, SmallProducts smallProducts, SessionState state,
      StepTable table, Workspace workspace, int number, BoundData data, Transfers transfers, int batch, boolean gathered) {
    this.context = context;
    this.network = network;
    this.training = training;
    format = FactorFormat.of(training.precision());
    this.smallProducts = smallProducts;
    this.state = state;
    this.table = table;
    rowWeights = data.weights().map(weights -> new RowWeights(weights.address(), table.divisorsAddress())).orElse(RowWeights.NONE);
    replicas = state.replicas();
    launches = new Launches(context, 8 + 3 * network.layerCount());
    layers = new LayerNodes(context, launches, network, training, smallProducts, state, 0, replicas);
    try {
      build(workspace, number, data, transfers, batch, gathered);
    } catch (RuntimeException e) {
      launches.close();
      throw e;
    }
  }

  private void build(Workspace workspace, int number, BoundData data, Transfers transfers, int batch, boolean gathered) {
    RowList rows = table.rowList(gathered);
    Matrix x = new Matrix(data.x().slice(), 0, 0);
    if (gathered && !smallProducts.areUsed(batch)) {
      nodes.add(gather(rows, workspace, data, batch));
      x = workspace.x.matrix(batch, format.pitch(network.inputs()));
    }
    int last = network.layerCount() - 1;
    for (int layer = 0; layer <= last; layer++) {
      Matrix in = input(layer, x, workspace, batch);
      RowList rowsOfInput = table.rowList(gathered && layer == 0);
      Optional<Dropout> dropout = dropout(layer);
      if (layer == last && smallProducts.includeLoss(batch)) {
        nodes.add(layers.forwardWithLoss(batch, rows, in, workspace.z(last), data.targets().address(), rowWeights,
            workspace.delta(last), workspace.lossPartials.address()));
      } else if (!network.layer(layer).isPlain()) {
        layers.forward(nodes, layer, batch, rowsOfInput, in, workspace.buffers(layer), workspace.segmentSums, dropout);
      } else if (dropout.isPresent()) {
        layers.forwardDropping(nodes, layer, batch, rowsOfInput, in, workspace.z(layer), workspace.a(layer), workspace.usedBias(layer),
            workspace.kept(layer), dropout.get());
      } else {
        layers.forward(
            nodes, layer, batch, rowsOfInput, in, workspace.z(layer), workspace.a(layer), workspace.usedBias(layer));
      }
    }
    if (!smallProducts.includeLoss(batch)) {
      nodes.add(layers.loss(batch, rows, workspace.z(last).address(), data.targets().address(), rowWeights,
          workspace.incoming(last).address(), workspace.lossPartials.address(), 0));
    }
    if (smallProducts.areUsed(batch)) {
      addSmallBackward(rows, workspace, number, x, batch, transfers);
    } else {
      for (int layer = last; layer >= 0; layer--) {
        addBackward(workspace, layer, x, batch);
      }
    }
    addMetricsAndUpdate(workspace, batch);
  }

  /** Adds the backward pass of a layer with cuBLAS. */
  private void addBackward(Workspace workspace, int layer, Matrix x, int batch) {
    Matrix in = input(layer, x, workspace, batch);
    Buffer below = layer == 0 ? null : workspace.incoming(layer - 1);
    if (network.isPlain() || layer == network.layerCount() - 1) {
      layers.backward(nodes, layer, batch, in, workspace.z(layer), workspace.a(layer), workspace.kept(layer), dropout(layer),
          workspace.incoming(layer), workspace.delta(layer), below, workspace.segmentSums);
    } else {
      layers.backward(nodes, layer, batch, in, workspace.buffers(layer), dropout(layer), workspace.incoming(layer),
          workspace.delta(layer), below, workspace.segmentSums, workspace.rowSums);
    }
  }

  /** Adds the deltas, from the last layer down, then the gradients of all layers in one launch. The last layer is linear. */
  private void addSmallBackward(RowList rows, Workspace workspace, int number, Matrix x, int batch, Transfers transfers) {
    for (int layer = network.layerCount() - 1; layer > 0; layer--) {
      nodes.add(layers.smallInputGradient(layer, batch, workspace.delta(layer), workspace.z(layer - 1), workspace.kept(layer - 1),
          dropout(layer - 1), workspace.delta(layer - 1)));
    }
    ProductTable productTable = new ProductTable(network, training.precision());
    for (int layer = 0; layer < network.layerCount(); layer++) {
      productTable.add(
          workspace.delta(layer).matrix(batch, network.layer(layer).out()), input(layer, x, workspace, batch));
    }
    long at = number * ProductTable.bytes(network);
    transfers.upload(productTable.words(), workspace.productTables.pointer(at));
    nodes.add(layers.smallWeightGradients(batch, rows, workspace.productTables.address() + at, workspace.squares.address(),
        training.clipNorm().isPresent()));
  }

  /** Returns the dropout of a layer; empty for the last one. */
  private Optional<Dropout> dropout(int layer) {
    return layer == network.layerCount() - 1 ? Optional.empty() : training.dropout();
  }

  /** Returns the input of a layer: the batch, or the activations of the layer below. */
  private Matrix input(int layer, Matrix x, Workspace workspace, int batch) {
    return layer == 0 ? x : workspace.a(layer - 1).matrix(batch, format.pitch(network.layer(layer).in()));
  }

  /** In bf16, a single-precision number of the kernel is two features. */
  private Node gather(RowList rows, Workspace workspace, BoundData data, int batch) {
    int columns = (int) (BoundData.bytesOfRow(network.inputs(), training.precision()) / Transfers.bytesOf(training.precision()));
    long threads = batch * Launches.ceilDiv(columns, GATHERED) * THREADS_OF_WARP;
    return layers.bind("gather_rows", batch + " rows", Grid.ofElements(threads, replicas), rows.cursor(), rows.steps(), rows.rows(),
        data.x().address(), workspace.x.address(), batch, columns, replicas);
  }

  private void addMetricsAndUpdate(Workspace workspace, int batch) {
    double clipNorm = training.clipNorm().orElse(0);
    int lossPartials = layers.lossPartials(batch);
    long firstPieces = workspace.firstTiles.address();
    if (!smallProducts.areUsed(batch)) {
      int pieces = state.layout().pieces().length / 2;
      firstPieces = workspace.firstPieces.address();
      nodes.add(layers.bind("gradient_squares", "all tensors", Grid.ofPieces(pieces, replicas), table.cursor().address(),
          table.entries().address(), state.address(Slot.GRADIENTS), workspace.pieces.address(), workspace.squares.address(), pieces,
          state.layout().size(), replicas, clipNorm > 0 ? 1 : 0));
    }
    String suffix = rowWeights.any() ? "_weighted" : "";
    Number divisor = rowWeights.any() ? (Number) rowWeights.divisors() : (Number) layers.terms(batch);
    if (finishesAtOnce(training, replicas)) {
      nodes.add(update());
      nodes.add(layers.bindPlain("finish_loss_and_step" + suffix, "one replica", Grid.of(1, 1), table.cursor().address(),
          table.entries().address(), workspace.lossPartials.address(), lossPartials, divisor, workspace.squares.address(), firstPieces,
          network.layerCount(), state.losses().address(), table.metrics().address(),
          state.notFinite().address(), state.firstNotFinite().address()));
      return;
    }
    nodes.add(layers.bindPlain("finish_loss" + suffix, "all replicas", Grid.ofPieces(replicas, 1), table.cursor().address(),
        table.entries().address(), workspace.lossPartials.address(), lossPartials, divisor, workspace.squares.address(),
        firstPieces, network.layerCount(), clipNorm, state.losses().address(), state.clipScales().address(),
        table.metrics().address(), replicas));
    nodes.add(update());
    nodes.add(layers.bindPlain("finish_step", "all replicas", Grid.of(1, 1), table.cursor().address(), table.entries().address(),
        state.losses().address(), state.notFinite().address(), state.firstNotFinite().address(), replicas));
  }

  /**
   * Returns whether one launch after the update finishes the step. Clipping needs the norms before the update, and one block is
   * too slow for many replicas.
   */
  private static boolean finishesAtOnce(TrainingSpec training, int replicas) {
    return replicas == 1 && training.clipNorm().isEmpty();
  }

  private Node update() {
    OptimizerSpec optimizer = training.optimizer();
    long size = state.layout().size();
    Grid grid = Grid.ofElements(size, replicas);
    long cursor = table.cursor().address();
    long rates = table.learningRates().address();
    long scales = state.clipScales().address();
    long notFinite = state.notFinite().address();
    long p = state.address(Slot.PARAMETERS);
    long g = state.address(Slot.GRADIENTS);
    long m = state.address(Slot.MOMENT1);
    long v = state.address(Slot.MOMENT2);
    return switch (optimizer.kind()) {
      case SGD -> {
        OptimizerSpec.Sgd sgd = (OptimizerSpec.Sgd) optimizer;
        long packs = size * Transfers.bytesOf(training.precision()) / Matrix.PACK_BYTES;
        yield bindUpdate("update_sgd", Grid.ofElements(packs, replicas), cursor, rates, scales, notFinite, p, g, m, size, replicas,
            sgd.momentum(), sgd.nesterov() ? 1 : 0, sgd.weightDecay());
      }
      case ADAM, ADAMW -> {
        OptimizerSpec.Adam adam = (OptimizerSpec.Adam) optimizer;
        yield bindUpdate("update_adam", grid, cursor, table.entries().address(), rates, scales, notFinite, p, g, m, v, size,
            replicas, adam.beta1(), adam.beta2(), adam.epsilon(), adam.weightDecay(), adam.decoupled() ? 1 : 0);
      }
      case RMSPROP -> {
        OptimizerSpec.RmsProp rmsProp = (OptimizerSpec.RmsProp) optimizer;
        yield bindUpdate("update_rmsprop", grid, cursor, rates, scales, notFinite, p, g, v, size, replicas,
            rmsProp.alpha(), rmsProp.epsilon(), rmsProp.weightDecay());
      }
    };
  }

  /** Binds an update; in bf16, one that also stores the rounded copy of the parameters. */
  private Node bindUpdate(String kernel, Grid grid, Number... arguments) {
    String what = training.optimizer().kind().key();
    if (!state.hasFactors()) {
      return layers.bind(kernel, what, grid, arguments);
    }
    Number[] withFactors = Arrays.copyOf(arguments, arguments.length + 1);
    withFactors[arguments.length] = state.factorsAddress();
    return layers.bindPlain(kernel + "_bf16", what, grid, withFactors);
  }

  /**
   * Returns the number of launches of one replica's step over a gathered batch. A product in cuBLAS counts as one launch.
   */
  public static int launches(NetworkSpec network, TrainingSpec training, SmallProducts smallProducts, int batch) {
    int layers = network.layerCount();
    int products = smallProducts.areUsed(batch)
        ? 2 * layers // one forward and one backward per layer; the first layer has no input gradient, but there are the weights'
        : 5 * layers - 1; // two forward, three backward
    int drops = training.dropout().isPresent() && smallProducts.areUsed(batch) ? layers - 1 : 0; // for cuBLAS it is in the bias's launch
    int sums = smallProducts.areUsed(batch) || ActivationNodes.segments(batch) == 1 ? 0 : layers; // of segments
    int others = (smallProducts.areUsed(batch) ? 0 : 2) // for cuBLAS gathering, and squares
        + (smallProducts.includeLoss(batch) ? 0 : 1) // the loss
        + (finishesAtOnce(training, 1) ? 2 : 3); // update, what finishes the step
    return products + drops + sums + others + NormalizationNodes.launches(network, batch);
  }

  List<Node> nodes() {
    return nodes;
  }

  void releaseInto(List<Runnable> releases) {
    launches.releaseInto(releases);
  }
}
