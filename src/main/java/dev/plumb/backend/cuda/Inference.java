package dev.plumb.backend.cuda;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.fused.FusedNetwork;
import dev.plumb.backend.cuda.fused.FusedPlan;
import dev.plumb.backend.cuda.layered.LayerBuffers;
import dev.plumb.backend.cuda.layered.LayerNodes;
import dev.plumb.backend.cuda.layered.LayerNodes.RowWeights;
import dev.plumb.backend.cuda.layered.SmallProducts;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.LossDivisors;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.data.Dataset;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Forward passes over any number of rows, in blocks of rows and in buffers of its own, so that the intermediate values of the
 * last step are kept.
 */
final class Inference {
  /**
   * The number of rows of a block, independent of the number of replicas, so that a replica's sums are those of a single network.
   */
  static final int MAX_ROWS = 1024;

  /** The largest number of kinds of blocks with launches; a training's evaluations have one or two. */
  private static final int MAX_PASSES = 64;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final SmallProducts small;
  private final SessionState state;
  private final Transfers transfers;
  private final FactorFormat format;
  private final int rows;
  /** The network that computes all layers in one launch; null if they are computed one by one. */
  private final FusedNetwork fused;
  private final DeviceArena arena;
  private final Buffer x;
  private final Buffer targets;
  private final Buffer weights;
  /**
   * Two buffers for the layers' outputs: a layer reads one, also for its residual connection, and writes the other. In bf16
   * one is for Z of all layers, the other for A of hidden layers.
   */
  private final Buffer layerOutputs;
  private final Buffer otherLayerOutputs;
  /** The statistics of rows of one layer after the other; null without layer normalization. */
  private final Buffer statistics;
  private final Buffer partials;
  private final Buffer hits;
  private final Map<Key, Pass> passes = new HashMap<>();

  /** The properties of a block that determine its launches. */
  private record Key(int rows, int firstReplica, int replicas, boolean loss, boolean weighted) {}

  /**
   * The launches of one kind of block.
   *
   * @param terms the number of terms of its loss over rows without weights
   */
  private record Pass(List<Node> nodes, Launches launches, double terms) {}

  /**
   * @param rows the number of rows of the largest data
   * @param plan the plan for all layers in one launch; empty to compute layer by layer
   */
  Inference(CudaContext context, NetworkSpec network, TrainingSpec training, SessionState state, Transfers transfers, int rows,
      Optional<FusedPlan> plan, CudaOptions options) {
    this.context = context;
    this.network = network;
    this.training = training;
    this.state = state;
    this.transfers = transfers;
    small = new SmallProducts(network, training.precision(), options.smallProducts());
    boolean guards = options.guards();
    this.rows = Math.min(rows, MAX_ROWS);
    int valueBytes = Transfers.bytesOf(training.precision());
    format = FactorFormat.of(training.precision());
    long row = (long) state.replicas() * this.rows;
    long widest = network.widths().stream().skip(1).map(format::pitch).max(Integer::compare).orElseThrow();
    long widestHidden = plan.isPresent() ? 0 : widest;
    arena = new DeviceArena(context, "evaluation in blocks of " + this.rows + " rows", guards);
    x = buffer("X of the block", this.rows * BoundData.bytesOfRow(network.inputs(), training.precision()));
    targets = buffer("targets of the block", (long) this.rows
        * (training.loss() == Loss.CROSS_ENTROPY ? Integer.BYTES : network.outputs() * valueBytes));
    weights = buffer("weights of the block", (long) this.rows * valueBytes);
    layerOutputs = buffer("outputs of layers, 1", row * Math.max(network.outputs(), widestHidden) * valueBytes);
    otherLayerOutputs = buffer("outputs of layers, 2", row * Math.max(network.outputs(), widestHidden) * valueBytes);
    statistics = network.normalization() == Normalization.LAYER ? buffer("statistics of rows", 2 * row * valueBytes) : null;
    long blocks = (long) state.replicas() * LayerNodes.lossBlocks(training.loss(), this.rows, network.outputs());
    partials = buffer("losses by block", blocks * Double.BYTES);
    hits = buffer("correct predictions by block", blocks * Long.BYTES);
    arena.allocate();
    try {
      if (format.isRounded()) {
        // Kernels read the padding of rows of Z, and cuBLAS that of A, with any value.
        layerOutputs.slice().fill((byte) 0);
        otherLayerOutputs.slice().fill((byte) 0);
      }
      fused = plan.map(fusedPlan -> new FusedNetwork(context, transfers, fusedPlan, training.precision(), guards)).orElse(null);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private Buffer buffer(String name, long bytes) {
    return new Buffer(arena.reserve(name, bytes));
  }

  /** Returns whether the blocks are large enough for data of that many rows. */
  boolean serves(int rowsOfData) {
    return rows >= Math.min(rowsOfData, MAX_ROWS);
  }

  /** Returns the loss over all rows, weighted if they have weights, and the number of correct predictions of a classification. */
  Evaluation evaluate(Dataset data) {
    int replicas = state.replicas();
    boolean classification = training.loss().isClassification();
    double[] losses = new double[replicas];
    long[] correct = new long[classification ? replicas : 0];
    double terms = 0;
    for (int first = 0; first < data.rows(); first += MAX_ROWS) {
      int count = Math.min(MAX_ROWS, data.rows() - first);
      BoundData.upload(transfers, data, first, first + count, x, targets, training.precision());
      if (data.hasWeights()) {
        BoundData.uploadWeights(transfers, data, first, first + count, weights, Transfers.bytesOf(training.precision()));
      }
      terms += run(new Key(count, 0, replicas, true, data.hasWeights())).terms();
      int blocks = LayerNodes.lossBlocks(training.loss(), count, network.outputs());
      double[] sums = new double[replicas * blocks];
      transfers.downloadDoubles(partials.slice().pointer(), sums);
      for (int i = 0; i < sums.length; i++) {
        losses[i / blocks] += sums[i];
      }
      if (classification) {
        long[] counts = new long[replicas * blocks];
        transfers.download(hits.slice().pointer(), counts);
        for (int i = 0; i < counts.length; i++) {
          correct[i / blocks] += counts[i];
        }
      }
    }
    if (data.hasWeights()) {
      terms = new LossDivisors(data, training.precision()).of(null);
    }
    arena.requireGuards("an evaluation");
    for (int replica = 0; replica < replicas; replica++) {
      losses[replica] /= terms;
    }
    return new Evaluation(losses, correct);
  }

  /**
   * Computes the outputs of one replica.
   *
   * @param out receives the outputs [rows x outputs]
   */
  void predict(int replica, Dataset data, double[] out) {
    int outputs = network.outputs();
    for (int first = 0; first < data.rows(); first += MAX_ROWS) {
      int count = Math.min(MAX_ROWS, data.rows() - first);
      BoundData.upload(transfers, data, first, first + count, x, null, training.precision());
      run(new Key(count, replica, 1, false, false));
      double[] block = new double[count * outputs];
      transfers.download(output(network.layerCount() - 1).slice().pointer(), block);
      System.arraycopy(block, 0, out, first * outputs, block.length);
    }
    arena.requireGuards("a prediction");
  }

  private Pass run(Key key) {
    if (fused == null) {
      context.use(training.precision());
    }
    if (!passes.containsKey(key) && passes.size() == MAX_PASSES) {
      // None of them is pending: every block waits for its results.
      context.release("releasing launches", releasesOfPasses());
    }
    Pass pass = passes.computeIfAbsent(key, this::build);
    for (Node node : pass.nodes()) {
      context.call(node::name, node::enqueue);
    }
    return pass;
  }

  private Pass build(Key key) {
    Launches launches = new Launches(context, 1 + network.layerCount());
    LayerNodes layers = new LayerNodes(context, launches, network, training, small, state,
        key.firstReplica(), key.replicas());
    List<Node> nodes = new ArrayList<>();
    try {
      int last = network.layerCount() - 1;
      if (fused != null) {
        nodes.add(fused.outputs(launches, key.rows(), key.firstReplica(), key.replicas(), state, x, output(last)));
      }
      for (int layer = 0; layer <= last && fused == null; layer++) {
        Matrix in = layer == 0
            ? new Matrix(x.slice(), 0, 0)
            : activated(layer - 1).matrix(key.rows(), format.pitch(network.layer(layer).in()));
        if (network.layer(layer).isPlain()) {
          layers.forward(nodes, layer, key.rows(), RowList.NONE, in, output(layer), activated(layer), null);
        } else {
          LayerBuffers buffers = new LayerBuffers(output(layer), activated(layer), statistics, null, null);
          layers.forward(nodes, layer, key.rows(), RowList.NONE, in, buffers, null, Optional.empty());
        }
      }
      if (key.loss()) {
        nodes.add(layers.loss(
            key.rows(), RowList.NONE, output(last).address(), targets.address(),
            key.weighted() ? new RowWeights(weights.address(), 0) : RowWeights.NONE, 0, partials.address(), hits.address()));
      }
    } catch (RuntimeException e) {
      launches.close();
      throw e;
    }
    return new Pass(nodes, launches, layers.terms(key.rows()));
  }

  /** Returns the buffer of Z. */
  private Buffer output(int layer) {
    return format.isRounded() || layer % 2 == 0 ? layerOutputs : otherLayerOutputs;
  }

  /** Returns the buffer of A: that of Z, except in hidden layers in bf16. */
  private Buffer activated(int layer) {
    return format.isRounded() && layer < network.layerCount() - 1 ? otherLayerOutputs : output(layer);
  }

  /** Returns the bytes of device memory. */
  long bytes() {
    return arena.bytes() + (fused == null ? 0 : fused.arena().bytes());
  }

  /** Returns the releases, in order. */
  List<Runnable> releases() {
    List<Runnable> releases = releasesOfPasses();
    releases.add(arena.release());
    if (fused != null) {
      releases.add(fused.arena().release());
    }
    return releases;
  }

  private List<Runnable> releasesOfPasses() {
    List<Runnable> releases = new ArrayList<>();
    passes.values().forEach(pass -> pass.launches().releaseInto(releases));
    passes.clear();
    return releases;
  }
}
