package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The values of a wide network's units while a batch goes forward: each layer a matrix [units x samples], made in tiles of whole
 * rows by the threads of a team.
 */
final class MatrixForwardPass {
  /** Kept, as the network makes a layer anew for whoever asks. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final DenseProducts products;
  private final ThreadTeam team;
  private final ThreadScratch[] scratch;
  private final Tiles[] tiles;
  private final ThreadTeam.Work forwardTile = this::forwardTile;
  private final ThreadTeam.Work packInputs = this::packInputs;
  /** What layers come from by their weights: that of layer l and that of the next, in turns. */
  private final List<Gemm.RightOperand<double[]>> rights;
  /** What else is made of each layer's inputs; empty for nothing. */
  private final List<Gemm.RightOperand<double[]>> alsoPacked;
  private final boolean packs;
  private final DropoutMask dropout;
  /** Z; the same array as f(Z) where Z need not be kept. */
  private final double[][] pre;
  private final double[][] activated;
  /** A; the same array as f(Z) where nothing is dropped. */
  private final double[][] post;
  /** M; null where nothing is dropped. */
  private final double[][] masks;
  private int capacity;
  private boolean keeps;

  private double[] parameters;
  private double[] x;
  private int xOffset;
  private int samples;
  private boolean keepsCurrent;
  private long currentStep;
  private int currentLayer;

  /**
   * @param dropout of the hidden layers; null for none
   * @param alsoPacked for each layer what else is made of its inputs, to be packed with them, and taken before they go forward;
   *     empty for nothing
   */
  MatrixForwardPass(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] scratch,
      DropoutMask dropout, List<Gemm.RightOperand<double[]>> alsoPacked) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    products = new DenseProducts(network, layout);
    rights = List.of(gemm.newRightOperand(), gemm.newRightOperand());
    packs = gemm.packsOnce();
    this.alsoPacked = alsoPacked;
    this.team = team;
    this.scratch = scratch;
    this.dropout = dropout;
    pre = new double[network.layerCount()][];
    activated = new double[network.layerCount()][];
    post = new double[network.layerCount()][];
    masks = new double[network.layerCount()][];
    tiles = new Tiles[network.layerCount()];
    Arrays.setAll(tiles, l -> Tiles.of(layers[l].out(), gemm.packsOnce()));
  }

  /**
   * Makes room for so many samples; what was there is lost when it was too small.
   *
   * @throws InvalidInputException when a layer's values do not fit one array
   */
  void reserve(int most, boolean keepsPreActivations) {
    if (most <= capacity && (keeps || !keepsPreActivations)) {
      return;
    }
    capacity = Math.max(capacity, most);
    keeps |= keepsPreActivations;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      int size = matrixSize(layers[l].out(), capacity);
      activated[l] = new double[size];
      boolean apart = activation != Activation.LINEAR && (keeps || !Activations.derivativeFromOutput(activation));
      pre[l] = apart ? new double[size] : activated[l];
      masks[l] = drops(l) ? new double[size] : null;
      post[l] = drops(l) ? new double[size] : activated[l];
    }
  }

  /** @throws InvalidInputException when a matrix of so many units and samples does not fit one array */
  static int matrixSize(int units, int samples) {
    long size = (long) units * samples;
    if (size > Integer.MAX_VALUE - 8) {
      throw new InvalidInputException("a batch of " + samples + " rows through a layer of " + units
          + " units makes more values than one array holds; set a smaller batchSize");
    }
    return (int) size;
  }

  /**
   * Z[l] = W[l]·A[l-1] + b[l], A[l] = f(Z[l]) ∘ M[l], for all layers. What is packed of A[l] is packed tile by tile, as long as it
   * is in the cache.
   *
   * @param x holds X [samples x inputs] from xOffset on
   * @param keepsPreActivations whether Z may not be overwritten by f(Z)
   * @param step steps taken before this one, which say what is dropped
   */
  void forward(double[] parameters, double[] x, int xOffset, int samples, boolean keepsPreActivations, long step) {
    this.parameters = parameters;
    this.x = x;
    this.xOffset = xOffset;
    this.samples = samples;
    keepsCurrent = keepsPreActivations;
    currentStep = step;
    products.setForward(right(0), 0, samples, x, xOffset);
    if (packs) {
      team.run((samples + Gemm.RightOperand.PACKED_AT_ONCE - 1) / Gemm.RightOperand.PACKED_AT_ONCE, packInputs);
    }
    for (currentLayer = 0; currentLayer < post.length; currentLayer++) {
      if (currentLayer + 1 < post.length) {
        products.setForward(right(currentLayer + 1), currentLayer + 1, samples, post[currentLayer], 0);
      }
      team.run(tiles[currentLayer].count(), forwardTile);
    }
  }

  private Gemm.RightOperand<double[]> right(int layer) {
    return rights.get(layer % 2);
  }

  private void packInputs(int piece, int member) {
    int from = piece * Gemm.RightOperand.PACKED_AT_ONCE;
    pack(0, from, Math.min(samples, from + Gemm.RightOperand.PACKED_AT_ONCE));
  }

  /** Rows from..to - 1 of a layer's inputs. */
  private void pack(int layer, int from, int to) {
    right(layer).pack(from, to);
    if (!alsoPacked.isEmpty()) {
      alsoPacked.get(layer).pack(from, to);
    }
  }

  private void forwardTile(int tile, int member) {
    int l = currentLayer;
    int from = tiles[l].from(tile);
    int to = tiles[l].from(tile + 1);
    Activation activation = layers[l].activation();
    double[] z = !keepsCurrent && Activations.derivativeFromOutput(activation) ? activated[l] : pre[l];
    ThreadScratch own = scratch[member];
    products.forward(right(l), l, from, to, samples, parameters, z);
    int biases = layout.bias(l).offset();
    for (int unit = from; unit < to; unit++) {
      addBias(z, parameters[biases + unit], unit * samples, (unit + 1) * samples);
    }
    if (activation != Activation.LINEAR) {
      own.functions.apply(activation, z, from * samples, activated[l], from * samples, (to - from) * samples);
    }
    if (drops(l)) {
      dropout.make(currentStep, l, layers[l].out(), samples, from, to, masks[l], own.words);
      DropoutMask.multiply(activated[l], masks[l], post[l], from * samples, to * samples);
    }
    if (l + 1 < post.length) {
      pack(l + 1, from, to);
    }
  }

  private static void addBias(double[] z, double bias, int from, int to) {
    for (int i = from; i < to; i++) {
      z[i] += bias;
    }
  }

  private boolean drops(int layer) {
    return dropout != null && layer < layers.length - 1;
  }

  /** Z [units x samples] of a layer. */
  double[] pre(int layer) {
    return pre[layer];
  }

  /** f(Z) [units x samples] of a layer. */
  double[] activated(int layer) {
    return activated[layer];
  }

  /** delta *= M for units from..to - 1 of a layer. */
  void timesMask(int layer, int from, int to, double[] delta) {
    if (drops(layer)) {
      DropoutMask.multiply(delta, masks[layer], delta, from * samples, to * samples);
    }
  }

  /** A [units x samples] of a layer, which is what the layer above reads. */
  double[] post(int layer) {
    return post[layer];
  }

  /** The outputs [outputs x samples]. */
  double[] last() {
    return post[post.length - 1];
  }

  long bytes() {
    long bytes = rights.get(0).bytes() + rights.get(1).bytes();
    for (int l = 0; l < post.length; l++) {
      int arrays = (pre[l] == activated[l] ? 1 : 2) + (drops(l) ? 2 : 0);
      bytes += post[l] == null ? 0 : (long) Double.BYTES * post[l].length * arrays;
    }
    return bytes;
  }
}
