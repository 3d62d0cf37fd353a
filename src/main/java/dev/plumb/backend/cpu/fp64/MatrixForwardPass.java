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
 * The forward pass of a wide network. The values of each layer are matrices [units x samples], which threads compute in tiles of
 * rows.
 */
final class MatrixForwardPass {
  /** Stored because {@link NetworkSpec#layer} allocates. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final DenseProducts products;
  private final ThreadTeam team;
  private final ThreadScratch[] scratch;
  private final Tiles[] tiles;
  private final ThreadTeam.Work forwardTile = this::forwardTile;
  private final ThreadTeam.Work packInputs = this::packInputs;
  /** The inputs of layer l and of the next layer, alternately, as right operands. */
  private final List<Gemm.RightOperand<double[]>> operands;
  /** Another operand of each layer's inputs; empty for none. */
  private final List<Gemm.RightOperand<double[]>> alsoPacked;
  private final boolean packs;
  private final DropoutMask dropout;
  /** Z; the same array as f(Z) where Z is not needed. */
  private final double[][] pre;
  /** f(Z). */
  private final double[][] activated;
  /** A; the same array as f(Z) without dropout. */
  private final double[][] post;
  /** M; null without dropout. */
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
   * @param dropout masks of the hidden layers; null for none
   * @param alsoPacked another operand of each layer's inputs, which is packed together with them; must be set before each
   *     {@link #forward}; empty for none
   */
  MatrixForwardPass(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] scratch,
      DropoutMask dropout, List<Gemm.RightOperand<double[]>> alsoPacked) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.layout = layout;
    products = new DenseProducts(network, layout);
    operands = List.of(gemm.newRightOperand(), gemm.newRightOperand());
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
   * Allocates memory for a number of samples. Values are lost if it was too small.
   *
   * @throws InvalidInputException when a layer's values do not fit one array
   */
  void reserve(int maxSamples, boolean keepsPreActivations) {
    if (maxSamples <= capacity && (keeps || !keepsPreActivations)) {
      return;
    }
    capacity = Math.max(capacity, maxSamples);
    keeps |= keepsPreActivations;
    for (int l = 0; l < post.length; l++) {
      Activation activation = layers[l].activation();
      int size = matrixSize(layers[l].out(), capacity);
      activated[l] = new double[size];
      boolean separate = activation != Activation.LINEAR && (keeps || !Activations.derivativeFromOutput(activation));
      pre[l] = separate ? new double[size] : activated[l];
      masks[l] = drops(l) ? new double[size] : null;
      post[l] = drops(l) ? new double[size] : activated[l];
    }
  }

  /**
   * Returns the length of an array for a matrix [units x samples].
   *
   * @throws InvalidInputException when it is longer than an array can be
   */
  static int matrixSize(int units, int samples) {
    long size = (long) units * samples;
    if (size > Integer.MAX_VALUE - 8) {
      throw new InvalidInputException("a batch of " + samples + " rows in a layer of " + units
          + " units has more values than fit one array; set a smaller batchSize");
    }
    return (int) size;
  }

  /**
   * Computes Z[l] = W[l]·A[l-1] + b[l] and A[l] = f(Z[l]) ∘ M[l] for all layers. Each tile of A[l] is packed for the products
   * that read it while it is in the cache.
   *
   * @param x contains X [samples x inputs] from index xOffset on
   * @param keepsPreActivations whether Z must not be overwritten by f(Z)
   * @param step number of steps before this one, for the dropout masks
   */
  void forward(double[] parameters, double[] x, int xOffset, int samples, boolean keepsPreActivations, long step) {
    this.parameters = parameters;
    this.x = x;
    this.xOffset = xOffset;
    this.samples = samples;
    keepsCurrent = keepsPreActivations;
    currentStep = step;
    products.setForward(operand(0), 0, samples, x, xOffset);
    if (packs) {
      team.run((samples + Gemm.RightOperand.PACKED_AT_ONCE - 1) / Gemm.RightOperand.PACKED_AT_ONCE, packInputs);
    }
    for (currentLayer = 0; currentLayer < post.length; currentLayer++) {
      if (currentLayer + 1 < post.length) {
        products.setForward(operand(currentLayer + 1), currentLayer + 1, samples, post[currentLayer], 0);
      }
      team.run(tiles[currentLayer].count(), forwardTile);
    }
  }

  private Gemm.RightOperand<double[]> operand(int layer) {
    return operands.get(layer % 2);
  }

  private void packInputs(int task, int member) {
    int from = task * Gemm.RightOperand.PACKED_AT_ONCE;
    pack(0, from, Math.min(samples, from + Gemm.RightOperand.PACKED_AT_ONCE));
  }

  /** Packs rows from..to - 1 of a layer's inputs. */
  private void pack(int layer, int from, int to) {
    operand(layer).pack(from, to);
    if (!alsoPacked.isEmpty()) {
      alsoPacked.get(layer).pack(from, to);
    }
  }

  /** Computes Z and A of some units, and packs them for the next layer. */
  private void forwardTile(int tile, int member) {
    int l = currentLayer;
    int from = tiles[l].from(tile);
    int to = tiles[l].from(tile + 1);
    Activation activation = layers[l].activation();
    double[] z = !keepsCurrent && Activations.derivativeFromOutput(activation) ? activated[l] : pre[l];
    ThreadScratch own = scratch[member];
    products.forward(operand(l), l, from, to, samples, parameters, z);
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

  /** Returns Z [units x samples] of a layer. */
  double[] pre(int layer) {
    return pre[layer];
  }

  /** Returns f(Z) [units x samples] of a layer. */
  double[] activated(int layer) {
    return activated[layer];
  }

  /** Computes delta *= M for units from..to - 1 of a layer. */
  void timesMask(int layer, int from, int to, double[] delta) {
    if (drops(layer)) {
      DropoutMask.multiply(delta, masks[layer], delta, from * samples, to * samples);
    }
  }

  /** Returns A [units x samples] of a layer, the input of the next layer. */
  double[] post(int layer) {
    return post[layer];
  }

  /** Returns the outputs [outputs x samples]. */
  double[] outputs() {
    return post[post.length - 1];
  }

  /** Returns the size of its arrays, in bytes. */
  long bytes() {
    long bytes = operands.get(0).bytes() + operands.get(1).bytes();
    for (int l = 0; l < post.length; l++) {
      int arrays = (pre[l] == activated[l] ? 1 : 2) + (drops(l) ? 2 : 0);
      bytes += post[l] == null ? 0 : (long) Double.BYTES * post[l].length * arrays;
    }
    return bytes;
  }
}
