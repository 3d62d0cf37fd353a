package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.data.FeatureMatrix;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.List;

/**
 * Forward passes without dropout over any number of rows, block by block, in memory of their own: values of the last step stay.
 */
sealed interface Inference {
  /** Maximum number of rows per call: all are in one block of the features if the first is a multiple of it. */
  int MAX_ROWS = FeatureMatrix.BLOCK_ROWS;

  /**
   * Returns the outputs [outputs][count] for rows first..first + count - 1, which the next call overwrites.
   *
   * @param first a multiple of {@link #MAX_ROWS}
   * @param count at most {@link #MAX_ROWS}
   */
  double[][] outputs(double[] parameters, Samples data, int first, int count);

  /** Returns the size of its arrays, in bytes. */
  long bytes();

  /** Inference of a small network, unit by unit in one thread. */
  final class ByRows implements Inference {
    private final RowForwardPass forwardPass;
    private final ThreadScratch scratch;
    private final double[][] x;

    ByRows(NetworkSpec network, ParameterLayout layout, ThreadScratch scratch) {
      forwardPass = new RowForwardPass(network, layout, null, false);
      this.scratch = scratch;
      x = new double[network.inputs()][MAX_ROWS];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      forwardPass.reserve(MAX_ROWS, false);
      data.features(null, first, count, x);
      return forwardPass.forward(parameters, x, count, false, 0, scratch);
    }

    @Override
    public long bytes() {
      return forwardPass.bytes() + (long) Double.BYTES * MAX_ROWS * x.length;
    }
  }

  /** Inference of a wide network by matrix products that threads share. */
  final class ByProducts implements Inference {
    private final MatrixForwardPass forwardPass;
    private final double[][] outputs;

    ByProducts(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] scratch) {
      forwardPass = new MatrixForwardPass(network, layout, gemm, team, scratch, null, List.of(), false);
      outputs = new double[network.outputs()][MAX_ROWS];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      forwardPass.reserve(MAX_ROWS, false);
      forwardPass.forward(parameters, data.x(first, count), data.offset(first), count, false, 0);
      double[] z = forwardPass.outputs();
      for (int unit = 0; unit < outputs.length; unit++) {
        System.arraycopy(z, unit * count, outputs[unit], 0, count);
      }
      return outputs;
    }

    @Override
    public long bytes() {
      return forwardPass.bytes() + (long) Double.BYTES * MAX_ROWS * outputs.length;
    }
  }
}
