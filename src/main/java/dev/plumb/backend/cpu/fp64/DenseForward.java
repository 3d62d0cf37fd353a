package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.ForwardPass;
import dev.plumb.model.Activation;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.ParameterLayout.Kind;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/**
 * Forward passes whose results do not depend on the number of rows. Every pre-activation is one chain of fused multiply-adds,
 *
 * <pre>
 *   z = b;  z = fma(a[i], w[i], z) for i = 0, 1, ..., inputs - 1,
 * </pre>
 *
 * <p>which the JIT compiler vectorizes over the samples where there are many, and over the units where there are few. Both orders
 * of loops give the same bits, on every processor, as no sum is split; a BLAS chooses another order of additions for another
 * size. The sums of layer normalizations are likewise one chain over the units. Batch normalizations must be folded
 * ({@link dev.plumb.model.FoldedNetwork}).
 */
@SuppressWarnings("cast")
public final class DenseForward implements ForwardPass<double[]> {
  /** Rows from which on a vector of samples is full enough to be faster than a vector of units. */
  private static final int MIN_SAMPLES = 8;

  private final LayerSpec[] layers;
  private final ParameterLayout layout;
  private final double[] parameters;
  /** Of each layer Wᵀ [in][out]. */
  private final double[][][] transposed;
  private final int widest;
  /** Scratch memory that no call uses at the moment. */
  private final ConcurrentLinkedQueue<Scratch> idle = new ConcurrentLinkedQueue<>();

  /** The memory of one call. Layers read one of the two buffers and write the other, in turns. */
  private final class Scratch {
    final Activations functions = new Activations();
    /** [units] of one row. */
    final double[] rowA = new double[widest];
    final double[] rowB = new double[widest];
    /** [units][samples]; null until a call has many rows. */
    double[][] samplesA;
    double[][] samplesB;
    /** [samples] of layer normalizations. */
    double[] mean;
    double[] inverse;

    void reserveSamples() {
      if (samplesA == null) {
        samplesA = new double[widest][MAX_ROWS];
        samplesB = new double[widest][MAX_ROWS];
        mean = new double[MAX_ROWS];
        inverse = new double[MAX_ROWS];
      }
    }
  }

  /**
   * @param network without batch normalization
   * @param parameters [ParameterLayout.size()]; copied
   */
  public DenseForward(NetworkSpec network, double[] parameters) {
    layers = IntStream.range(0, network.layerCount()).mapToObj(network::layer).toArray(LayerSpec[]::new);
    layout = ParameterLayout.of(network);
    this.parameters = parameters.clone();
    widest = network.widths().stream().mapToInt(Integer::intValue).max().orElseThrow();
    transposed = new double[layers.length][][];
    for (int l = 0; l < layers.length; l++) {
      int weights = layout.weight(l).offset();
      transposed[l] = new double[layers[l].in()][layers[l].out()];
      for (int unit = 0; unit < layers[l].out(); unit++) {
        for (int input = 0; input < layers[l].in(); input++) {
          transposed[l][input][unit] = parameters[weights + unit * layers[l].in() + input];
        }
      }
    }
  }

  @Override
  public void outputs(double[] x, int rows, double[] out) {
    Scratch scratch = idle.poll();
    if (scratch == null) {
      scratch = new Scratch();
    }
    if (rows < MIN_SAMPLES) {
      for (int row = 0; row < rows; row++) {
        row(x, row, out, scratch);
      }
    } else {
      samples(x, rows, out, scratch);
    }
    idle.add(scratch);
  }

  /** Computes one row, vectorized over the units of a layer. */
  private void row(double[] x, int row, double[] out, Scratch scratch) {
    double[] in = scratch.rowA;
    double[] z = scratch.rowB;
    int inputs = layers[0].in();
    System.arraycopy(x, row * inputs, in, 0, inputs);
    for (int l = 0; l < layers.length; l++) {
      int units = layers[l].out();
      System.arraycopy(parameters, layout.bias(l).offset(), z, 0, units);
      RowProducts.addRow(z, transposed[l], layers[l].in(), in, 0, 1, 0, units);
      if (layers[l].normalization() == Normalization.LAYER) {
        normalizeRow(l, z);
      }
      activate(l, z, units, scratch);
      if (layers[l].residual()) {
        Residuals.add(z, in, z, 0, units);
      }
      double[] read = in;
      in = z;
      z = read;
    }
    int outputs = layers[layers.length - 1].out();
    System.arraycopy(in, 0, out, row * outputs, outputs);
  }

  /** Computes many rows, vectorized over the samples. */
  private void samples(double[] x, int rows, double[] out, Scratch scratch) {
    scratch.reserveSamples();
    double[][] in = scratch.samplesA;
    double[][] z = scratch.samplesB;
    int inputs = layers[0].in();
    for (int input = 0; input < inputs; input++) {
      double[] column = in[input];
      for (int row = 0; row < rows; row++) {
        column[row] = x[row * inputs + input];
      }
    }
    for (int l = 0; l < layers.length; l++) {
      int layerInputs = layers[l].in();
      int weights = layout.weight(l).offset();
      int biases = layout.bias(l).offset();
      for (int unit = 0; unit < layers[l].out(); unit++) {
        RowProducts.row(
            z[unit], in, layerInputs, parameters, weights + unit * layerInputs, 1, parameters[biases + unit], 0, rows);
        if (layers[l].isPlain()) {
          activate(l, z[unit], rows, scratch);
        }
      }
      if (!layers[l].isPlain()) {
        finishSamples(l, in, z, rows, scratch);
      }
      double[][] read = in;
      in = z;
      z = read;
    }
    int outputs = layers[layers.length - 1].out();
    for (int unit = 0; unit < outputs; unit++) {
      for (int row = 0; row < rows; row++) {
        out[row * outputs + unit] = in[unit][row];
      }
    }
  }

  /** Computes the outputs of a layer from Z, with a normalization or a residual connection. */
  private void finishSamples(int l, double[][] in, double[][] z, int rows, Scratch scratch) {
    if (layers[l].normalization() == Normalization.LAYER) {
      normalizeSamples(l, z, rows, scratch);
    }
    for (int unit = 0; unit < layers[l].out(); unit++) {
      activate(l, z[unit], rows, scratch);
      if (layers[l].residual()) {
        Residuals.add(z[unit], in[unit], z[unit], 0, rows);
      }
    }
  }

  /** Normalizes one row [units]. */
  private void normalizeRow(int l, double[] z) {
    int units = layers[l].out();
    double sum = 0;
    for (int unit = 0; unit < units; unit++) {
      sum += z[unit];
    }
    double mean = sum * ((double) 1 / units);
    double squares = 0;
    for (int unit = 0; unit < units; unit++) {
      squares = Math.fma(z[unit] - mean, z[unit] - mean, squares);
    }
    double inverse = LayerNormalizer.inverse(squares, (double) 1 / units);
    int scales = layout.slice(Kind.SCALE, l).offset();
    int shifts = layout.slice(Kind.SHIFT, l).offset();
    for (int unit = 0; unit < units; unit++) {
      z[unit] = Math.fma((z[unit] - mean) * inverse, parameters[scales + unit], parameters[shifts + unit]);
    }
  }

  /** Normalizes rows [units][samples], by the operations of {@link #normalizeRow}. */
  private void normalizeSamples(int l, double[][] z, int rows, Scratch scratch) {
    int units = layers[l].out();
    double[] mean = scratch.mean;
    double[] inverse = scratch.inverse;
    Arrays.fill(mean, 0, rows, 0);
    for (int unit = 0; unit < units; unit++) {
      LayerNormalizer.add(mean, z[unit], rows);
    }
    LayerNormalizer.scale(mean, (double) 1 / units, rows);
    Arrays.fill(inverse, 0, rows, 0);
    for (int unit = 0; unit < units; unit++) {
      LayerNormalizer.addSquares(inverse, z[unit], mean, rows);
    }
    LayerNormalizer.invert(inverse, (double) 1 / units, rows);
    int scales = layout.slice(Kind.SCALE, l).offset();
    int shifts = layout.slice(Kind.SHIFT, l).offset();
    for (int unit = 0; unit < units; unit++) {
      LayerNormalizer.normalize(z[unit], mean, inverse, parameters[scales + unit], parameters[shifts + unit], z[unit], rows);
    }
  }

  private void activate(int layer, double[] z, int count, Scratch scratch) {
    Activation activation = layers[layer].activation();
    if (activation != Activation.LINEAR) {
      scratch.functions.apply(activation, z, 0, z, 0, count);
    }
  }
}
