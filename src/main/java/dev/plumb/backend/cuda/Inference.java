package dev.plumb.backend.cuda;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.fused.FusedNetwork;
import dev.plumb.backend.cuda.fused.FusedPlan;
import dev.plumb.backend.cuda.layered.LayerNodes;
import dev.plumb.backend.cuda.layered.SmallProducts;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.data.Dataset;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Forward passes over any number of rows, block by block, in buffers of its own: what the last step left in the workspace stays as
 * it is.
 */
final class Inference {
  /** Rows of a block, whatever the number of replicas, so that a replica's sums are the same as alone. */
  static final int MAX_ROWS = 1024;

  /** Launches are kept for this many kinds of blocks; a training's evaluations have one or two. */
  private static final int MAX_PASSES = 64;

  private final CudaContext context;
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final SmallProducts small;
  private final SessionState state;
  private final Transfers transfers;
  private final int bytesOfNumber;
  private final int rows;
  /** Computes all layers at once; null where they are computed one by one. */
  private final FusedNetwork fused;
  private final DeviceArena arena;
  private final Buffer x;
  private final Buffer targets;
  /** Layers read one and write the other, in turns. */
  private final Buffer even;
  private final Buffer odd;
  private final Buffer partials;
  private final Buffer hits;
  private final Map<Key, Pass> passes = new HashMap<>();

  /** Which launches serve a block. */
  private record Key(int rows, int firstReplica, int replicas, boolean loss) {}

  /**
   * The launches of one kind of block.
   *
   * @param terms that its loss is summed from
   */
  private record Pass(List<Node> nodes, Launches launches, double terms) {}

  /**
   * @param rows of the largest data; smaller than a block's most where the data are
   * @param plan for all layers at once
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
    bytesOfNumber = Transfers.bytesOf(training.precision());
    long row = (long) state.replicas() * this.rows;
    long widest = network.widths().stream().skip(1).max(Integer::compare).orElseThrow();
    long onTheWay = plan.isPresent() ? 0 : widest;
    arena = new DeviceArena(context, "evaluation in blocks of " + this.rows + " rows", guards);
    x = buffer("X of the block", (long) this.rows * network.inputs() * bytesOfNumber);
    targets = buffer("targets of the block", (long) this.rows
        * (training.loss() == Loss.CROSS_ENTROPY ? Integer.BYTES : network.outputs() * bytesOfNumber));
    even = buffer("outputs of even layers", row * Math.max(network.outputs(), onTheWay) * bytesOfNumber);
    odd = buffer("outputs of odd layers", row * Math.max(network.outputs(), onTheWay) * bytesOfNumber);
    long blocks = (long) state.replicas() * LayerNodes.lossBlocks(training.loss(), this.rows, network.outputs());
    partials = buffer("losses by block", blocks * Double.BYTES);
    hits = buffer("hits by block", blocks * Long.BYTES);
    arena.allocate();
    try {
      fused = plan.map(all -> new FusedNetwork(context, transfers, all, training.precision(), guards)).orElse(null);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private Buffer buffer(String name, long bytes) {
    return new Buffer(arena.reserve(name, bytes));
  }

  /** Whether this one's blocks are as large as they would be made for that many rows. */
  boolean serves(int rowsOfData) {
    return rows >= Math.min(rowsOfData, MAX_ROWS);
  }

  /** The loss, and the hits of a classification, over all rows. */
  Evaluation evaluate(Dataset data) {
    int replicas = state.replicas();
    boolean classification = training.loss().isClassification();
    double[] losses = new double[replicas];
    long[] hitsOfReplica = new long[classification ? replicas : 0];
    double terms = 0;
    for (int first = 0; first < data.rows(); first += MAX_ROWS) {
      int count = Math.min(MAX_ROWS, data.rows() - first);
      BoundData.upload(transfers, data, first, first + count, x, targets, bytesOfNumber);
      terms += run(new Key(count, 0, replicas, true)).terms();
      int blocks = LayerNodes.lossBlocks(training.loss(), count, network.outputs());
      double[] sums = new double[replicas * blocks];
      transfers.downloadDoubles(partials.slice().pointer(), sums);
      for (int i = 0; i < sums.length; i++) {
        losses[i / blocks] += sums[i];
      }
      if (classification) {
        long[] right = new long[replicas * blocks];
        transfers.download(hits.slice().pointer(), right);
        for (int i = 0; i < right.length; i++) {
          hitsOfReplica[i / blocks] += right[i];
        }
      }
    }
    arena.requireGuards("an evaluation");
    for (int replica = 0; replica < replicas; replica++) {
      losses[replica] /= terms;
    }
    return new Evaluation(losses, hitsOfReplica);
  }

  /** @param out [rows x outputs] */
  void predict(int replica, Dataset data, double[] out) {
    int outputs = network.outputs();
    for (int first = 0; first < data.rows(); first += MAX_ROWS) {
      int count = Math.min(MAX_ROWS, data.rows() - first);
      BoundData.upload(transfers, data, first, first + count, x, null, bytesOfNumber);
      run(new Key(count, replica, 1, false));
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
      // Nothing of them is under way: results are waited for block by block.
      context.release("giving up launches", releasesOfPasses());
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
            : output(layer - 1).matrix(key.rows(), network.layer(layer).in());
        layers.forward(nodes, layer, key.rows(), RowList.NONE, in, output(layer), output(layer), null);
      }
      if (key.loss()) {
        nodes.add(layers.loss(
            key.rows(), RowList.NONE, output(last).address(), targets.address(), 0, partials.address(), hits.address()));
      }
    } catch (RuntimeException e) {
      launches.close();
      throw e;
    }
    return new Pass(nodes, launches, layers.terms(key.rows()));
  }

  private Buffer output(int layer) {
    return layer % 2 == 0 ? even : odd;
  }

  /** On the device. */
  long bytes() {
    return arena.bytes() + (fused == null ? 0 : fused.arena().bytes());
  }

  /** What must be released, in this order. */
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
