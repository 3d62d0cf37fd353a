package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.Interleaved;
import dev.plumb.backend.cpu.engine.SquareSum;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A wide network, whose time goes into matrix products: these are left to a GEMM, in tiles that the threads of a team share, and
 * whatever else is to be done with a tile is done while it is still in the cache. For layer l, with A[-1] = Xᵀ:
 *
 * <pre>
 *   forward    Z[l] = W[l]·A[l-1] + b[l]             A[l] = f(Z[l]) ∘ M[l]
 *   backward   D[last] = dLoss/dZ[last]              D[l] = (W[l+1]ᵀ·D[l+1]) ∘ M[l] ∘ f'(Z[l])
 *              dW[l] = D[l]·A[l-1]ᵀ                  db[l] = Σ over the samples of D[l]
 * </pre>
 *
 * <p>Z, A, D and the mask M of dropout are [units x samples], X is [samples x inputs], W is [out x in] and b [out] inside the flat
 * vector.
 */
@SuppressWarnings("cast")
final class MatrixNetwork implements Network {
  /** Samples summed in one go: few enough that a sum in single precision stays good. */
  private static final int PIECE = 512;

  private final NetworkSpec network;
  private final TrainingSpec training;
  /** Kept, as the network makes a layer anew for whoever asks. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final DenseProducts products;
  private final ThreadTeam team;
  private final ThreadScratch[] tools;
  private final Vectors vectors;
  private final Optimizer optimizer;
  /** Null where another optimizer or the norm of all wants gradients to be kept, or tiles are too large to pass through a cache. */
  private final Descent descent;
  /** Of each thread, for a tile whose gradients nobody reads but descent. */
  private final double[][] passingGradients;
  private final MatrixActivity activity;
  private final MatrixLoss loss;
  /** What each layer's gradients come from by its deltas. */
  private final List<Gemm.Right<double[]>> rightsOfWeights;
  /** What deltas come from by the weights of the layer above: that of layer l and that of the next below, in turns. */
  private final List<Gemm.Right<double[]>> rightsOfInputs;
  private final ThreadTeam.Work backwardTile = this::backwardTile;
  private final ThreadTeam.Work updateTile = (tile, member) -> updateTile(this.layerNow, tile);
  private final double[][] delta;
  private final Tiles[] tilesOfUnits;
  private final Tiles[] tilesOfInputs;
  /** The number of each layer's first tile of units, counted through all layers. */
  private final int[] firstTile;
  /** Whether the gradients of each tile were. */
  private final boolean[] finite;
  private double[] gathered;
  private int capacity;
  private int samples;

  private StepScalars scalars;
  private double[] x;
  private int xOffset;
  private int layerNow;
  private double scale;

  /** @param dropout null for none */
  MatrixNetwork(
      NetworkSpec network,
      TrainingSpec training,
      ParameterLayout layout,
      Gemm<double[]> gemm,
      ThreadTeam team,
      ThreadScratch[] tools,
      DropoutMask dropout) {
    this.network = network;
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.training = training;
    this.layout = layout;
    this.team = team;
    this.tools = tools;
    vectors = new Vectors(training.optimizer(), layout.size());
    optimizer = new Optimizer(training.optimizer(), vectors);
    products = new DenseProducts(network, layout);
    rightsOfWeights = Stream.generate(gemm::right).limit(network.layerCount()).toList();
    rightsOfInputs = List.of(gemm.right(), gemm.right());
    activity = new MatrixActivity(network, layout, gemm, team, tools, dropout, rightsOfWeights);
    delta = new double[network.layerCount()][];
    tilesOfUnits = new Tiles[network.layerCount()];
    tilesOfInputs = new Tiles[network.layerCount()];
    firstTile = new int[network.layerCount()];
    int tiles = 0;
    for (int l = 0; l < delta.length; l++) {
      tilesOfUnits[l] = Tiles.of(layers[l].out(), gemm.packsOnce());
      tilesOfInputs[l] = Tiles.ofTransposed(layers[l].in(), gemm.packsOnce());
      firstTile[l] = tiles;
      tiles += tilesOfUnits[l].count();
    }
    finite = new boolean[tiles];
    loss = new MatrixLoss(training.loss(), network.outputs(), tilesOfUnits[delta.length - 1], team, tools);
    descent = gemm.packsOnce() && Descent.suits(training) ? Descent.withVectorApi() : null;
    passingGradients = new double[team.size()][descent == null ? 0 : largestTile()];
  }

  /** Weights. */
  private int largestTile() {
    return IntStream.range(0, layers.length).map(l -> tilesOfUnits[l].from(1) * layers[l].in()).max().orElseThrow();
  }

  @Override
  public Vectors vectors() {
    return vectors;
  }

  @Override
  public void reserve(int batch, boolean keepsPreActivations) {
    activity.reserve(batch, keepsPreActivations);
    if (batch <= capacity) {
      return;
    }
    capacity = batch;
    gathered = new double[MatrixActivity.matrixSize(network.inputs(), batch)];
    loss.reserve(batch);
    for (int l = 0; l < delta.length; l++) {
      delta[l] = new double[MatrixActivity.matrixSize(layers[l].out(), batch)];
    }
  }

  @Override
  public void step(Samples data, int[] rows, ThreadScratch own) {
    scalars = own.scalars;
    samples = rows == null ? data.rows() : rows.length;
    takeRows(data, rows);
    for (int l = 0; l < delta.length; l++) {
      products.takeWeights(rightsOfWeights.get(l), l, samples, l == 0 ? x : activity.post(l - 1), l == 0 ? xOffset : 0);
    }
    activity.forward(
        vectors.parameters(), x, xOffset, samples, scalars.keepsPreActivations(), scalars.stepsBefore());
    int last = delta.length - 1;
    takeInputs(last);
    loss.delta(
        data, rows, samples, activity.last(), delta[last], last > 0 ? rightOfInputs(last) : null, own.score);
    scale = 1;
    for (layerNow = delta.length; layerNow > 0; layerNow--) {
      takeInputs(layerNow - 2);
      team.run(gradientTiles() + tilesBelow(), backwardTile);
    }
    if (training.clipNorm().isPresent()) {
      update(scalars);
    }
  }

  /** X as it lies in the data where the rows follow each other there, else gathered. */
  private void takeRows(Samples data, int[] rows) {
    int inputs = network.inputs();
    x = data.x();
    xOffset = rows == null ? 0 : rows[0] * inputs;
    for (int i = 0; rows != null && i < samples; i++) {
      if (rows[i] != rows[0] + i) {
        data.gather(rows, gathered);
        x = gathered;
        xOffset = 0;
        return;
      }
    }
  }

  private Gemm.Right<double[]> rightOfInputs(int layer) {
    return rightsOfInputs.get(layer % 2);
  }

  /** D of a layer; of the first no deltas are made. */
  private void takeInputs(int layer) {
    if (layer > 0) {
      products.takeInputs(rightOfInputs(layer), layer, samples, delta[layer]);
    }
  }

  /**
   * The backward pass goes down in turns. Each takes the gradients of one layer with their update, and, beside them, the deltas
   * of the layer two below: those need the weights of the layer between, which are updated a turn later. The last turn has no
   * deltas to make, but the gradients of the first layer.
   */
  private int gradientTiles() {
    return layerNow == delta.length ? 0 : tilesOfUnits[layerNow].count();
  }

  private int tilesBelow() {
    return layerNow == 1 ? tilesOfUnits[0].count() : tilesOfInputs[layerNow - 1].count();
  }

  private void backwardTile(int task, int member) {
    int gradientTiles = gradientTiles();
    int tilesBelow = tilesBelow();
    int before = Interleaved.firstsBefore(task, gradientTiles, tilesBelow);
    if (Interleaved.isFirst(task, gradientTiles, tilesBelow)) {
      gradients(layerNow, before, member);
    } else if (layerNow == 1) {
      gradients(0, task - before, member);
    } else {
      deltaBelow(layerNow - 1, task - before, tools[member]);
    }
  }

  /** Some rows of D[l-1] = (W[l]ᵀ·D[l]) ∘ M[l-1] ∘ f'(Z[l-1]). */
  private void deltaBelow(int l, int tile, ThreadScratch own) {
    int from = tilesOfInputs[l].from(tile);
    int to = tilesOfInputs[l].from(tile + 1);
    double[] d = delta[l - 1];
    products.inputs(rightOfInputs(l), l, from, to, samples, vectors.parameters(), d);
    activity.timesMask(l - 1, from, to, d);
    int first = from * samples;
    own.functions.timesDerivative(layers[l - 1].activation(),
        activity.pre(l - 1), first, activity.activated(l - 1), first, d, first, (to - from) * samples);
    if (l > 1) {
      rightOfInputs(l - 1).pack(from, to);
    }
  }

  /** Some rows of dW[l] = D[l]·A[l-1]ᵀ and db[l], and their update unless the norm of all is wanted first. */
  private void gradients(int l, int tile, int member) {
    FiniteCheck finiteCheck = tools[member].finiteCheck;
    int from = tilesOfUnits[l].from(tile);
    int to = tilesOfUnits[l].from(tile + 1);
    int count = (to - from) * layers[l].in();
    int weights = layout.weight(l).offset() + from * layers[l].in();
    int biases = layout.bias(l).offset();
    boolean passing = descent != null && !scalars.keepsGradients();
    double[] gradients = passing ? passingGradients[member] : vectors.gradients();
    int at = passing ? 0 : weights;
    products.weights(rightsOfWeights.get(l), l, from, to, samples, delta[l], gradients, at);
    for (int unit = from; unit < to; unit++) {
      vectors.gradients()[biases + unit] = sumOfSamples(delta[l], unit);
    }
    boolean all = finiteCheck.allFinite(vectors.gradients(), biases + from, biases + to);
    if (descent != null) {
      double rate = (double) scalars.learningRate();
      double decay = (double) training.optimizer().weightDecay();
      all &= descent.descend(vectors.parameters(), weights, gradients, at, count, rate, decay);
      optimizer.update(scalars, scale, biases + from, biases + to);
    } else {
      all &= finiteCheck.allFinite(gradients, at, at + count);
      if (training.clipNorm().isEmpty()) {
        updateTile(l, tile);
      }
    }
    finite[firstTile[l] + tile] = all;
  }

  private double sumOfSamples(double[] d, int unit) {
    int end = (unit + 1) * samples;
    double sum = 0;
    for (int n = unit * samples; n < end; n += PIECE) {
      sum += RowProducts.sum(d, n, Math.min(end, n + PIECE));
    }
    return sum;
  }

  private void updateTile(int l, int tile) {
    int inputs = layers[l].in();
    int from = tilesOfUnits[l].from(tile);
    int to = tilesOfUnits[l].from(tile + 1);
    int weights = layout.weight(l).offset();
    int biases = layout.bias(l).offset();
    optimizer.update(scalars, scale, weights + from * inputs, weights + to * inputs);
    optimizer.update(scalars, scale, biases + from, biases + to);
  }

  @Override
  public boolean gradientsAreFinite() {
    for (boolean tile : finite) {
      if (!tile) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void update(StepScalars step) {
    scalars = step;
    scale = 1;
    if (training.clipNorm().isPresent()) {
      double norm = (double) Math.sqrt(SquareSum.of(vectors.gradients(), 0, layout.size()));
      scale = Optimizer.clipScale(norm, (double) training.clipNorm().getAsDouble());
    }
    for (layerNow = 0; layerNow < delta.length; layerNow++) {
      team.run(tilesOfUnits[layerNow].count(), updateTile);
    }
  }

  @Override
  public int lastBatch() {
    return samples;
  }

  @Override
  public void tap(Tap where, int layer, double[] out) {
    double[] values = switch (where) {
      case PRE -> activity.pre(layer);
      case POST -> activity.post(layer);
      case DELTA -> delta[layer];
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
    long values = gathered == null ? 0 : gathered.length;
    for (double[] d : delta) {
      values += d == null ? 0 : d.length;
    }
    long packed = Stream.concat(rightsOfWeights.stream(), rightsOfInputs.stream()).mapToLong(Gemm.Right::bytes).sum();
    values += (long) passingGradients.length * passingGradients[0].length;
    return vectors.bytes() + activity.bytes() + loss.bytes() + packed + values * Double.BYTES;
  }
}
