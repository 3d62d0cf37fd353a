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
  private final ThreadTeam.Work finishTile = this::finishTile;
  private final ThreadTeam.Work packInputs = this::packInputs;
  /** The inputs of layer l and of the next layer, alternately, as right operands. */
  private final List<Gemm.RightOperand<double[]>> operands;
  /** Another operand of each layer's inputs; empty for none. */
  private final List<Gemm.RightOperand<double[]>> alsoPacked;
  private final boolean packs;
  private final DropoutMask dropout;
  /** Null in layers without normalization. */
  private final Normalizer[] normalizers;
  /** Z; without normalization the same array as H. */
  private final double[][] pre;
  /** H; the same array as f(H) where H is not needed. */
  private final double[][] normalized;
  /** f(H). */
  private final double[][] activated;
  /** A; the same array as f(H) without dropout and residual connection. */
  private final double[][] post;
  /** M; null without dropout. */
  private final double[][] masks;
  /** The arrays of normalized layers. */
  private final UnitRows[] preRows;
  private final UnitRows[] normalizedRows;
  private final UnitRows[] activatedRows;
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
   * @param training whether batches are normalized with their own statistics, otherwise with the running statistics
   */
  MatrixForwardPass(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] scratch,
      DropoutMask dropout, List<Gemm.RightOperand<double[]>> alsoPacked, boolean training) {
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
    normalized = new double[network.layerCount()][];
    preRows = new UnitRows[network.layerCount()];
    normalizedRows = new UnitRows[network.layerCount()];
    activatedRows = new UnitRows[network.layerCount()];
    tiles = new Tiles[network.layerCount()];
    Arrays.setAll(tiles, l -> Tiles.of(layers[l].out(), gemm.packsOnce()));
    normalizers = new Normalizer[network.layerCount()];
    Arrays.setAll(normalizers, l -> Normalizer.of(layers[l], layout, l, training,
        IntStream.rangeClosed(0, tiles[l].count()).map(tiles[l]::from).toArray(),
        Tiles.ofTransposed(layers[l].out(), gemm.packsOnce()).count()));
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
      normalized[l] = separate ? new double[size] : activated[l];
      pre[l] = normalizers[l] == null ? normalized[l] : new double[size];
      masks[l] = drops(l) ? new double[size] : null;
      post[l] = drops(l) || layers[l].residual() ? new double[size] : activated[l];
      if (normalizers[l] != null) {
        normalizers[l].reserve(capacity);
        preRows[l] = UnitRows.of(pre[l]);
        normalizedRows[l] = UnitRows.of(normalized[l]);
        activatedRows[l] = UnitRows.of(activated[l]);
      }
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
   * Computes Z[l] = W[l]·A[l-1] + b[l], H[l] = norm(Z[l]) and A[l] = f(H[l]) ∘ M[l] + R[l]·A[l-1] for all layers. Each tile of
   * A[l] is packed for the products that read it while it is in the cache.
   *
   * @param parameters of which a training step updates the running statistics
   * @param x contains X [samples x inputs] from index xOffset on
   * @param keepsPreActivations whether H must not be overwritten by f(H)
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
      Normalizer normalizer = normalizers[currentLayer];
      if (normalizer != null && normalizer.spansUnits()) {
        normalizer.combine(samples);
        team.run(tiles[currentLayer].count(), finishTile);
      }
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

  /** Computes Z of some units, and A unless that needs Z of all units first. */
  private void forwardTile(int tile, int member) {
    int l = currentLayer;
    int from = tiles[l].from(tile);
    int to = tiles[l].from(tile + 1);
    Normalizer normalizer = normalizers[l];
    double[] z = normalizer == null && overwrites(l) ? activated[l] : pre[l];
    products.forward(operand(l), l, from, to, samples, parameters, z);
    int biases = layout.bias(l).offset();
    for (int unit = from; unit < to; unit++) {
      addBias(z, parameters[biases + unit], unit * samples, (unit + 1) * samples);
    }
    if (normalizer != null) {
      normalizer.measure(parameters, preRows[l], tile, from, to, samples, scratch[member]);
    }
    if (normalizer == null || !normalizer.spansUnits()) {
      finishTile(tile, member);
    }
  }

  /** Returns whether f(H) overwrites H. */
  private boolean overwrites(int layer) {
    return !keepsCurrent && Activations.derivativeFromOutput(layers[layer].activation());
  }

  /** Computes H and A of some units, and packs them for the next layer. */
  private void finishTile(int tile, int member) {
    int l = currentLayer;
    int from = tiles[l].from(tile);
    int to = tiles[l].from(tile + 1);
    Activation activation = layers[l].activation();
    ThreadScratch own = scratch[member];
    boolean overwrites = overwrites(l);
    double[] h = overwrites ? activated[l] : normalized[l];
    if (normalizers[l] != null) {
      normalizers[l].normalize(parameters, preRows[l], overwrites ? activatedRows[l] : normalizedRows[l], from, to, samples, own);
    }
    if (activation != Activation.LINEAR) {
      own.functions.apply(activation, h, from * samples, activated[l], from * samples, (to - from) * samples);
    }
    if (drops(l)) {
      dropout.make(currentStep, l, layers[l].out(), samples, from, to, masks[l], own.words);
      DropoutMask.multiply(activated[l], masks[l], post[l], from * samples, to * samples);
    }
    if (layers[l].residual()) {
      addInputs(l, from, to);
    }
    if (l + 1 < post.length) {
      pack(l + 1, from, to);
    }
  }

  /** Adds the layer's inputs to A. */
  private void addInputs(int l, int from, int to) {
    double[] a = drops(l) ? post[l] : activated[l];
    if (l > 0) {
      Residuals.add(a, post[l - 1], post[l], from * samples, to * samples);
      return;
    }
    if (a != post[l]) {
      System.arraycopy(a, from * samples, post[l], from * samples, (to - from) * samples);
    }
    Residuals.addTransposed(x, xOffset, layers[l].in(), samples, from, to, post[l]);
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

  /** Returns H [units x samples] of a layer; Z without normalization. */
  double[] normalized(int layer) {
    return normalized[layer];
  }

  /** Returns f(H) [units x samples] of a layer. */
  double[] activated(int layer) {
    return activated[layer];
  }

  /** Returns whether the gradients with respect to a layer's H of all units are needed before one is passed on. */
  boolean spansUnits(int layer) {
    return normalizers[layer] != null && normalizers[layer].spansUnits();
  }

  /**
   * Passes gradients with respect to H of a tile through the normalization, or, if it {@link #spansUnits}, only measures them.
   *
   * @param gradients receives the gradients of scale and shift
   */
  void normalizationGradients(int layer, int tile, int from, int to, UnitRows delta, double[] gradients, ThreadScratch own) {
    Normalizer normalizer = normalizers[layer];
    if (normalizer != null) {
      normalizer.measureGradients(parameters, gradients, preRows[layer], delta, tile, from, to, samples, own);
      if (!normalizer.spansUnits()) {
        normalizer.toDelta(parameters, preRows[layer], delta, from, to, samples, own);
      }
    }
  }

  /** Combines the measured gradients of a normalization that {@link #spansUnits}. */
  void combineGradients(int layer) {
    normalizers[layer].combineGradients(samples);
  }

  /** Passes measured gradients with respect to H of units from..to - 1 through the normalization. */
  void toDelta(int layer, int from, int to, UnitRows delta, ThreadScratch own) {
    normalizers[layer].toDelta(parameters, preRows[layer], delta, from, to, samples, own);
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
      int arrays = 1 + (normalized[l] == activated[l] ? 0 : 1) + (pre[l] == normalized[l] ? 0 : 1)
          + (post[l] == activated[l] ? 0 : 1) + (drops(l) ? 1 : 0);
      bytes += post[l] == null ? 0 : (long) Double.BYTES * post[l].length * arrays;
      bytes += normalizers[l] == null ? 0 : normalizers[l].bytes();
    }
    return bytes;
  }
}
