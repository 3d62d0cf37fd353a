package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.List;

/** Forward passes over any number of rows, piece by piece in room of its own, without dropout: what a step left behind stays. */
sealed interface Inference {
  /** Rows that go forward at once. */
  int MAX_ROWS = 512;

  /**
   * The outputs [outputs][count] for rows first..first + count - 1, to be read before the next call.
   *
   * @param count at most MAX_ROWS
   */
  double[][] outputs(double[] parameters, Samples data, int first, int count);

  long bytes();

  /** In one thread, unit by unit. */
  final class OfRows implements Inference {
    private final RowForwardPass activity;
    private final ThreadScratch scratch;
    private final double[][] x;

    OfRows(NetworkSpec network, ParameterLayout layout, ThreadScratch scratch) {
      activity = new RowForwardPass(network, layout, null);
      this.scratch = scratch;
      x = new double[network.inputs()][MAX_ROWS];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      activity.reserve(MAX_ROWS, false);
      data.features(null, first, count, x);
      return activity.forward(parameters, x, count, false, 0, scratch);
    }

    @Override
    public long bytes() {
      return activity.bytes() + (long) Double.BYTES * MAX_ROWS * x.length;
    }
  }

  /** By a GEMM, shared by the threads of a team. */
  final class OfMatrices implements Inference {
    private final MatrixForwardPass activity;
    private final int inputs;
    private final double[][] outputs;

    OfMatrices(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] scratch) {
      activity = new MatrixForwardPass(network, layout, gemm, team, scratch, null, List.of());
      inputs = network.inputs();
      outputs = new double[network.outputs()][MAX_ROWS];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      activity.reserve(MAX_ROWS, false);
      activity.forward(parameters, data.x(), first * inputs, count, false, 0);
      double[] z = activity.last();
      for (int unit = 0; unit < outputs.length; unit++) {
        System.arraycopy(z, unit * count, outputs[unit], 0, count);
      }
      return outputs;
    }

    @Override
    public long bytes() {
      return activity.bytes() + (long) Double.BYTES * MAX_ROWS * outputs.length;
    }
  }
}
