package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.SquareSum;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.WeightSum;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A small network in training. It is trained by one thread, whose cache it fits; the values of each unit are a row over the
 * samples. For layer l, with A[-1] = X:
 *
 * <pre>
 *   forward    Z[l] = W[l]·A[l-1] + b[l]             H[l] = norm(Z[l])            A[l] = f(H[l]) ∘ M[l] + R[l]·A[l-1]
 *   backward   D[last] = dLoss/dZ[last]              G[l] = dLoss/dA[l] = W[l+1]ᵀ·D[l+1] + R[l+1]·G[l+1]
 *              D[l] = dnorm(G[l] ∘ M[l] ∘ f'(H[l]))  dW[l] = D[l]·A[l-1]ᵀ         db[l] = Σ over the samples of D[l]
 * </pre>
 *
 * <p>Z, H, A, D, G and the dropout mask M are [units][samples]; W [out x in] and b [out] are slices of the flat vector of
 * parameters. R is 1 in layers with a residual connection, otherwise 0; norm and dnorm are those of the layer's
 * {@link Normalizer}, or the identity.
 */
@SuppressWarnings("cast")
final class RowNetwork implements Network {
  /** Number of samples that are summed separately: few enough for the accuracy of sums in single precision. */
  private static final int SUM_BLOCK = 512;

  private final NetworkSpec network;
  private final TrainingSpec training;
  /** Stored because {@link NetworkSpec#layer} allocates. */
  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final TrainingState state;
  private final Optimizer optimizer;
  /** The update together with the check of the gradients; null if they are separate. */
  private final GradientDescentKernel descent;
  private final RowForwardPass forwardPass;
  private final WeightGradientKernel weightGradients = VectorizationProvider.get().weightGradients();
  private final UnitRows[] delta;
  /** Of each layer, the layer whose array of deltas it uses in steps whose deltas are not kept. */
  private final int[] sharedDelta;
  private double[][] x;
  private Targets targets;
  private double[] batchWeights;
  private int capacity;
  private int samples;
  private boolean finite;

  /** @param dropout masks; null for none */
  RowNetwork(NetworkSpec network, TrainingSpec training, ParameterLayout layout, DropoutMask dropout) {
    this.network = network;
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    this.training = training;
    this.layout = layout;
    state = new TrainingState(training.optimizer(), layout.size());
    optimizer = new Optimizer(training.optimizer(), state);
    descent = GradientDescentKernel.supports(training) ? VectorizationProvider.get().gradientDescent().orElse(null) : null;
    forwardPass = new RowForwardPass(network, layout, dropout, true);
    delta = new UnitRows[network.layerCount()];
    sharedDelta = IntStream.range(0, layers.length).map(l -> network.isPlain() ? l : sharedDelta(l)).toArray();
  }

  /**
   * Returns the first layer with as many units, an even number of layers away: only the deltas of two adjacent layers are needed at
   * the same time. Networks with normalization have more arrays than plain ones; with fewer deltas more of them fit the cache.
   */
  private int sharedDelta(int layer) {
    return IntStream.iterate(layer % 2, l -> l + 2).filter(l -> layers[l].out() == layers[layer].out()).findFirst().orElseThrow();
  }

  private UnitRows delta(int layer, StepScalars step) {
    return delta[step.keepsPreActivations() ? layer : sharedDelta[layer]];
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
    capacity = RowPadding.padded(batch);
    x = new double[network.inputs()][capacity];
    targets = Targets.of(training.loss(), network.outputs(), batch);
    batchWeights = new double[batch];
    for (int l = 0; l < delta.length; l++) {
      delta[l] = UnitRows.of(new double[layers[l].out()][capacity]);
    }
  }

  @Override
  public void step(Samples data, int[] rows, ThreadScratch scratch) {
    samples = rows == null ? data.rows() : rows.length;
    double[][] features = x;
    Targets batchTargets = targets;
    if (rows == null) {
      features = data.columns();
      batchTargets = data.targets();
    } else {
      data.features(rows, 0, samples, x);
      RowPadding.repeatLast(x, samples);
      data.targets(rows, 0, samples, targets);
    }
    StepScalars step = scratch.scalars;
    double[][] outputs = forwardPass.forward(
        state.parameters(), features, samples, step.keepsPreActivations(), step.stepsBefore(), scratch);
    double[] weights = data.weights(rows, 0, samples, batchWeights);
    double rowTerms = (double) WeightSum.of(weights, samples);
    double terms = training.loss() == Loss.CROSS_ENTROPY ? rowTerms : rowTerms * network.outputs();
    double[][] lastDelta = delta(delta.length - 1, step).rows();
    scratch.losses.delta(outputs, batchTargets, weights, samples, terms, lastDelta, scratch.lossSum);
    RowPadding.clear(lastDelta, samples);
    backward(features, scratch);
    if (descent != null) {
      finite = descent.descend(state.parameters(), 0, state.gradients(), 0, layout.trainedSize(),
          (double) step.learningRate(), (double) training.optimizer().weightDecay());
    } else {
      finite = scratch.finiteCheck.allFinite(state.gradients(), 0, layout.trainedSize());
      update(step);
    }
    if (layout.trainedSize() < layout.size()) {
      finite &= scratch.finiteCheck.allFinite(state.parameters(), layout.trainedSize(), layout.size());
    }
  }

  private void backward(double[][] features, ThreadScratch scratch) {
    double[] gradients = state.gradients();
    Arrays.fill(gradients, 0);
    for (int l = delta.length - 1; l >= 0; l--) {
      int inputs = layers[l].in();
      int outputs = layers[l].out();
      double[][] d = delta(l, scratch.scalars).rows();
      if (l > 0) {
        UnitRows below = delta(l - 1, scratch.scalars);
        forwardPass.backward(l - 1, state.parameters(), gradients, d, below, samples, scratch);
      }
      double[][] in = l == 0 ? features : forwardPass.post(l - 1);
      int padded = RowPadding.padded(samples);
      for (int from = 0; from < padded; from += SUM_BLOCK) {
        int to = Math.min(padded, from + SUM_BLOCK);
        weightGradients.weightGradients(d, outputs, in, inputs, gradients, layout.weight(l).offset(), from, to);
        weightGradients.biasGradients(d, outputs, gradients, layout.bias(l).offset(), from, to);
      }
    }
  }

  @Override
  public boolean gradientsAreFinite() {
    return finite;
  }

  @Override
  public void update(StepScalars step) {
    double scale = 1;
    if (training.clipNorm().isPresent()) {
      double norm = (double) Math.sqrt(SquareSum.of(state.gradients(), 0, layout.trainedSize()));
      scale = Optimizer.clipScale(norm, (double) training.clipNorm().getAsDouble());
    }
    optimizer.update(step, scale, 0, layout.trainedSize());
  }

  @Override
  public int lastBatch() {
    return samples;
  }

  @Override
  public void tap(Tap where, int layer, double[] out) {
    double[][] rows = switch (where) {
      case PRE -> forwardPass.pre(layer);
      case POST -> forwardPass.post(layer);
      case DELTA -> delta[layer].rows();
      case NORMALIZED -> forwardPass.normalized(layer);
    };
    for (int unit = 0; unit < rows.length; unit++) {
      for (int i = 0; i < samples; i++) {
        out[i * rows.length + unit] = rows[unit][i];
      }
    }
  }

  @Override
  public long bytes() {
    long rows = network.inputs() + network.outputs() + 1; // the weights
    for (int l = 0; l < delta.length; l++) {
      rows += layers[l].out();
    }
    return state.bytes() + forwardPass.bytes() + rows * capacity * Double.BYTES;
  }
}
