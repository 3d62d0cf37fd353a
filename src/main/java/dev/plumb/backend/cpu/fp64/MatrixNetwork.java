package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.SquareSum;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.TaskInterleaving;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A wide network in training. Threads share its matrix products in tiles, computed by a GEMM, and process each tile further while
 * it is in the cache. For layer l, with A[-1] = Xᵀ:
 *
 * <pre>
 *   forward    Z[l] = W[l]·A[l-1] + b[l]             H[l] = norm(Z[l])            A[l] = f(H[l]) ∘ M[l] + R[l]·A[l-1]
 *   backward   D[last] = dLoss/dZ[last]              G[l] = dLoss/dA[l] = W[l+1]ᵀ·D[l+1] + R[l+1]·G[l+1]
 *              D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H[l]))  dW[l] = D[l]·A[l-1]ᵀ         db[l] = Σ over the samples of D[l]
 * </pre>
 *
 * <p>Z, H, A, D, G and the dropout mask M are [units x samples], X is [samples x inputs]; W [out x in] and b [out] are slices of
 * the flat vector of parameters. R is 1 in layers with a residual connection, otherwise 0; norm and dnorm are those of the
 * layer's {@link Normalizer}, or the identity.
 */
@SuppressWarnings("cast")
final class MatrixNetwork implements Network {
  /** Number of samples that are summed separately: few enough for the accuracy of sums in single precision. */
  private static final int SUM_BLOCK = 512;

  private final NetworkSpec network;
  private final TrainingSpec training;
  /** Stored because {@link NetworkSpec#layer} allocates. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final DenseProducts products;
  private final ThreadTeam team;
  private final ThreadScratch[] scratch;
  private final TrainingState state;
  private final Optimizer optimizer;
  /** Null where the optimizer or clipping needs all gradients, or where tiles are too large for the cache. */
  private final GradientDescentKernel descent;
  /** For each thread, the gradients of a tile that only {@link #descent} reads. */
  private final double[][] tileGradients;
  private final MatrixForwardPass forwardPass;
  private final MatrixLoss loss;
  /** Inputs of each layer, as right operands of its weight gradients. */
  private final List<Gemm.RightOperand<double[]>> weightGradientOperands;
  /** Deltas of layer l and of the layer below, alternately, as right operands of the input gradients. */
  private final List<Gemm.RightOperand<double[]>> inputGradientOperands;
  private final ThreadTeam.Work backwardTile = this::backwardTile;
  private final ThreadTeam.Work normalizationTile = this::normalizationTile;
  private final ThreadTeam.Work updateTile = (tile, member) -> updateTile(this.currentLayer, tile);
  private final double[][] delta;
  private final UnitRows[] deltaRows;
  /** G of the residual layer whose deltas were computed last; empty if it is not needed. */
  private double[] outputGradient = {};
  private final Tiles[] unitTiles;
  private final Tiles[] inputTiles;
  /** Index of each layer's first tile of units, counted over all layers. */
  private final int[] firstTile;
  /** For each tile of units, whether its gradients in the last step were finite. */
  private final boolean[] finite;
  private boolean runningStatisticsAreFinite;
  private double[] gatheredRows;
  private int capacity;
  private int samples;

  private StepScalars scalars;
  private double[] x;
  private int xOffset;
  private int currentLayer;
  private double scale;

  /** @param dropout masks; null for none */
  MatrixNetwork(
      NetworkSpec network,
      TrainingSpec training,
      ParameterLayout layout,
      Gemm<double[]> gemm,
      ThreadTeam team,
      ThreadScratch[] scratch,
      DropoutMask dropout) {
    this.network = network;
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.training = training;
    this.layout = layout;
    this.team = team;
    this.scratch = scratch;
    state = new TrainingState(training.optimizer(), layout.size());
    optimizer = new Optimizer(training.optimizer(), state);
    products = new DenseProducts(network, layout);
    weightGradientOperands = Stream.generate(gemm::newRightOperand).limit(network.layerCount()).toList();
    inputGradientOperands = List.of(gemm.newRightOperand(), gemm.newRightOperand());
    forwardPass = new MatrixForwardPass(network, layout, gemm, team, scratch, dropout, weightGradientOperands, true);
    delta = new double[network.layerCount()][];
    deltaRows = new UnitRows[network.layerCount()];
    unitTiles = new Tiles[network.layerCount()];
    inputTiles = new Tiles[network.layerCount()];
    firstTile = new int[network.layerCount()];
    int tiles = 0;
    for (int l = 0; l < delta.length; l++) {
      unitTiles[l] = Tiles.of(layers[l].out(), gemm.packsOnce());
      inputTiles[l] = Tiles.ofTransposed(layers[l].in(), gemm.packsOnce());
      firstTile[l] = tiles;
      tiles += unitTiles[l].count();
    }
    finite = new boolean[tiles];
    loss = new MatrixLoss(training.loss(), network.outputs(), unitTiles[delta.length - 1], team, scratch);
    descent = gemm.packsOnce() && GradientDescentKernel.supports(training)
        ? VectorizationProvider.get().gradientDescent().orElse(null)
        : null;
    tileGradients = new double[team.size()][descent == null ? 0 : largestTile()];
  }

  /** Returns the number of weights of the largest tile. */
  private int largestTile() {
    return IntStream.range(0, layers.length).map(l -> unitTiles[l].from(1) * layers[l].in()).max().orElseThrow();
  }

  @Override
  public TrainingState state() {
    return state;
  }

  @Override
  public void reserve(int batch, boolean keepsPreActivations) {
    forwardPass.reserve(batch, keepsPreActivations);
    if (batch <= capacity) {
      return;
    }
    capacity = batch;
    gatheredRows = new double[MatrixForwardPass.matrixSize(network.inputs(), batch)];
    loss.reserve(batch);
    for (int l = 0; l < delta.length; l++) {
      delta[l] = new double[MatrixForwardPass.matrixSize(layers[l].out(), batch)];
      deltaRows[l] = UnitRows.of(delta[l]);
    }
    int widest = IntStream.range(1, layers.length).filter(l -> layers[l].residual()).map(l -> layers[l].out()).max().orElse(0);
    outputGradient = new double[widest * batch];
  }

  @Override
  public void step(Samples data, int[] rows, ThreadScratch own) {
    scalars = own.scalars;
    samples = rows == null ? data.rows() : rows.length;
    setRows(data, rows);
    for (int l = 0; l < delta.length; l++) {
      products.setWeightGradients(
          weightGradientOperands.get(l), l, samples, l == 0 ? x : forwardPass.post(l - 1), l == 0 ? xOffset : 0);
    }
    forwardPass.forward(
        state.parameters(), x, xOffset, samples, scalars.keepsPreActivations(), scalars.stepsBefore());
    int last = delta.length - 1;
    setInputGradients(last);
    loss.delta(
        data, rows, samples, forwardPass.outputs(), delta[last], last > 0 ? inputGradientOperand(last) : null, own.lossSum);
    scale = 1;
    for (currentLayer = delta.length; currentLayer > 0; currentLayer--) {
      setInputGradients(currentLayer - 2);
      team.run(gradientTiles() + tilesBelow(), backwardTile);
      if (currentLayer > 1 && forwardPass.spansUnits(currentLayer - 2)) {
        forwardPass.combineGradients(currentLayer - 2);
        team.run(tilesBelow(), normalizationTile);
      }
    }
    if (training.clipNorm().isPresent()) {
      update(scalars);
    }
    runningStatisticsAreFinite = layout.trainedSize() == layout.size()
        || own.finiteCheck.allFinite(state.parameters(), layout.trainedSize(), layout.size());
  }

  /** Sets X: a part of the data if the rows are consecutive in one array, otherwise a copy of them. */
  private void setRows(Samples data, int[] rows) {
    if (rows == null) {
      x = data.all();
      xOffset = 0;
      return;
    }
    boolean consecutive = true;
    for (int i = 0; i < samples && consecutive; i++) {
      consecutive = rows[i] == rows[0] + i;
    }
    x = consecutive ? data.x(rows[0], samples) : null;
    xOffset = data.offset(rows[0]);
    if (x == null) {
      data.gather(rows, gatheredRows);
      x = gatheredRows;
      xOffset = 0;
    }
  }

  private Gemm.RightOperand<double[]> inputGradientOperand(int layer) {
    return inputGradientOperands.get(layer % 2);
  }

  /** Sets D of a layer as right operand; the first layer has no input gradients. */
  private void setInputGradients(int layer) {
    if (layer > 0) {
      products.setInputGradients(inputGradientOperand(layer), layer, samples, delta[layer]);
    }
  }

  /**
   * Returns the number of tiles of weight gradients in the current phase of the backward pass. A phase computes the gradients of
   * layer l and updates it, and at the same time the deltas of layer l - 2, which need the weights of layer l - 1 before their
   * update in the next phase. The last phase computes the gradients of the first layer instead of deltas.
   */
  private int gradientTiles() {
    return currentLayer == delta.length ? 0 : unitTiles[currentLayer].count();
  }

  /** Returns the number of other tiles in the current phase: of deltas, or of the first layer's gradients. */
  private int tilesBelow() {
    return currentLayer == 1 ? unitTiles[0].count() : inputTiles[currentLayer - 1].count();
  }

  private void backwardTile(int task, int member) {
    int gradientTiles = gradientTiles();
    int tilesBelow = tilesBelow();
    int before = TaskInterleaving.firstKindBefore(task, gradientTiles, tilesBelow);
    if (TaskInterleaving.isOfFirstKind(task, gradientTiles, tilesBelow)) {
      gradients(currentLayer, before, member);
    } else if (currentLayer == 1) {
      gradients(0, task - before, member);
    } else {
      deltaBelow(currentLayer - 1, task - before, scratch[member]);
    }
  }

  /**
   * Computes a tile of G[l-1] = W[l]ᵀ·D[l] + R[l]·G[l] and of D[l-1] = dnorm(G[l-1] ∘ M[l-1] ∘ f'(H[l-1])); without dnorm if
   * that needs all tiles first.
   */
  private void deltaBelow(int l, int tile, ThreadScratch own) {
    int from = inputTiles[l].from(tile);
    int to = inputTiles[l].from(tile + 1);
    double[] d = delta[l - 1];
    products.inputGradients(inputGradientOperand(l), l, from, to, samples, state.parameters(), d);
    int first = from * samples;
    if (layers[l].residual()) {
      Residuals.add(d, outputGradient, d, first, to * samples);
    }
    if (l > 1 && layers[l - 1].residual()) {
      System.arraycopy(d, first, outputGradient, first, (to - from) * samples);
    }
    forwardPass.timesMask(l - 1, from, to, d);
    own.functions.timesDerivative(layers[l - 1].activation(),
        forwardPass.normalized(l - 1), first, forwardPass.activated(l - 1), first, d, first, (to - from) * samples);
    forwardPass.normalizationGradients(l - 1, tile, from, to, deltaRows[l - 1], state.gradients(), own);
    if (l > 1 && !forwardPass.spansUnits(l - 1)) {
      inputGradientOperand(l - 1).pack(from, to);
    }
  }

  /** Computes a tile of D[l-1] of the current phase, whose normalization needed all tiles first. */
  private void normalizationTile(int tile, int member) {
    int l = currentLayer - 1;
    int from = inputTiles[l].from(tile);
    int to = inputTiles[l].from(tile + 1);
    forwardPass.toDelta(l - 1, from, to, deltaRows[l - 1], scratch[member]);
    if (l > 1) {
      inputGradientOperand(l - 1).pack(from, to);
    }
  }

  /** Computes a tile of dW[l] = D[l]·A[l-1]ᵀ and db[l], and updates its parameters unless clipping needs all gradients first. */
  private void gradients(int l, int tile, int member) {
    FiniteCheck finiteCheck = scratch[member].finiteCheck;
    int from = unitTiles[l].from(tile);
    int to = unitTiles[l].from(tile + 1);
    int count = (to - from) * layers[l].in();
    int weights = layout.weight(l).offset() + from * layers[l].in();
    int biases = layout.bias(l).offset();
    boolean fused = descent != null && !scalars.keepsGradients();
    double[] gradients = fused ? tileGradients[member] : state.gradients();
    int at = fused ? 0 : weights;
    products.weightGradients(weightGradientOperands.get(l), l, from, to, samples, delta[l], gradients, at);
    for (int unit = from; unit < to; unit++) {
      state.gradients()[biases + unit] = sumOfSamples(delta[l], unit);
    }
    boolean allFinite = finiteCheck.allFinite(state.gradients(), biases + from, biases + to);
    if (descent != null) {
      double rate = (double) scalars.learningRate();
      double decay = (double) training.optimizer().weightDecay();
      allFinite &= descent.descend(state.parameters(), weights, gradients, at, count, rate, decay);
      optimizer.update(scalars, scale, biases + from, biases + to);
    } else {
      allFinite &= finiteCheck.allFinite(gradients, at, at + count);
      if (training.clipNorm().isEmpty()) {
        updateTile(l, tile);
      }
    }
    if (layers[l].normalization() != Normalization.NONE) {
      int scales = layout.slice(Kind.SCALE, l).offset();
      int shifts = layout.slice(Kind.SHIFT, l).offset();
      allFinite &= finiteCheck.allFinite(state.gradients(), scales + from, scales + to)
          & finiteCheck.allFinite(state.gradients(), shifts + from, shifts + to);
      if (training.clipNorm().isEmpty()) {
        updateNormalization(l, from, to);
      }
    }
    finite[firstTile[l] + tile] = allFinite;
  }

  /** Returns the sum of one unit's deltas. */
  private double sumOfSamples(double[] d, int unit) {
    int end = (unit + 1) * samples;
    double sum = 0;
    for (int n = unit * samples; n < end; n += SUM_BLOCK) {
      sum += RowProducts.sum(d, n, Math.min(end, n + SUM_BLOCK));
    }
    return sum;
  }

  private void updateTile(int l, int tile) {
    int inputs = layers[l].in();
    int from = unitTiles[l].from(tile);
    int to = unitTiles[l].from(tile + 1);
    int weights = layout.weight(l).offset();
    int biases = layout.bias(l).offset();
    optimizer.update(scalars, scale, weights + from * inputs, weights + to * inputs);
    optimizer.update(scalars, scale, biases + from, biases + to);
  }

  /** Updates scales and shifts of units from..to - 1. */
  private void updateNormalization(int l, int from, int to) {
    int scales = layout.slice(Kind.SCALE, l).offset();
    int shifts = layout.slice(Kind.SHIFT, l).offset();
    optimizer.update(scalars, scale, scales + from, scales + to);
    optimizer.update(scalars, scale, shifts + from, shifts + to);
  }

  @Override
  public boolean gradientsAreFinite() {
    for (boolean tile : finite) {
      if (!tile) {
        return false;
      }
    }
    return runningStatisticsAreFinite;
  }

  @Override
  public void update(StepScalars step) {
    scalars = step;
    scale = 1;
    if (training.clipNorm().isPresent()) {
      double norm = (double) Math.sqrt(SquareSum.of(state.gradients(), 0, layout.trainedSize()));
      scale = Optimizer.clipScale(norm, (double) training.clipNorm().getAsDouble());
    }
    for (currentLayer = 0; currentLayer < delta.length; currentLayer++) {
      team.run(unitTiles[currentLayer].count(), updateTile);
      if (layers[currentLayer].normalization() != Normalization.NONE) {
        updateNormalization(currentLayer, 0, layers[currentLayer].out());
      }
    }
  }

  @Override
  public int lastBatch() {
    return samples;
  }

  @Override
  public void tap(Tap where, int layer, double[] out) {
    double[] values = switch (where) {
      case PRE -> forwardPass.pre(layer);
      case POST -> forwardPass.post(layer);
      case DELTA -> delta[layer];
      case NORMALIZED -> forwardPass.normalized(layer);
    };
    int units = layers[layer].out();
    for (int unit = 0; unit < units; unit++) {
      for (int i = 0; i < samples; i++) {
        out[i * units + unit] = values[unit * samples + i];
      }
    }
  }

  @Override
  public long bytes() {
    long values = (gatheredRows == null ? 0 : gatheredRows.length) + outputGradient.length;
    for (double[] d : delta) {
      values += d == null ? 0 : d.length;
    }
    long packed = Stream.concat(weightGradientOperands.stream(), inputGradientOperands.stream())
        .mapToLong(Gemm.RightOperand::bytes)
        .sum();
    values += (long) tileGradients.length * tileGradients[0].length;
    return state.bytes() + forwardPass.bytes() + loss.bytes() + packed + values * Double.BYTES;
  }
}
