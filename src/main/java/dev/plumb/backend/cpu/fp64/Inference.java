package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.List;

/** Forward passes over any number of rows, piece by piece in room of its own, without dropout: what a step left behind stays. */
sealed interface Inference {
  /** Rows that go forward at once. */
  int PIECE = 512;

  /**
   * The outputs [outputs][count] for rows first..first + count - 1, to be read before the next call.
   *
   * @param count at most PIECE
   */
  double[][] outputs(double[] parameters, Samples data, int first, int count);

  long bytes();

  /** In one thread, unit by unit. */
  final class OfRows implements Inference {
    private final RowActivity activity;
    private final ThreadScratch tools;
    private final double[][] x;

    OfRows(NetworkSpec network, ParameterLayout layout, ThreadScratch tools) {
      activity = new RowActivity(network, layout, null);
      this.tools = tools;
      x = new double[network.inputs()][PIECE];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      activity.reserve(PIECE, false);
      data.features(null, first, count, x);
      return activity.forward(parameters, x, count, false, 0, tools);
    }

    @Override
    public long bytes() {
      return activity.bytes() + (long) Double.BYTES * PIECE * x.length;
    }
  }

  /** By a GEMM, shared by the threads of a team. */
  final class OfMatrices implements Inference {
    private final MatrixActivity activity;
    private final int inputs;
    private final double[][] outputs;

    OfMatrices(NetworkSpec network, ParameterLayout layout, Gemm<double[]> gemm, ThreadTeam team, ThreadScratch[] tools) {
      activity = new MatrixActivity(network, layout, gemm, team, tools, null, List.of());
      inputs = network.inputs();
      outputs = new double[network.outputs()][PIECE];
    }

    @Override
    public double[][] outputs(double[] parameters, Samples data, int first, int count) {
      activity.reserve(PIECE, false);
      activity.forward(parameters, data.x(), first * inputs, count, false, 0);
      double[] z = activity.last();
      for (int unit = 0; unit < outputs.length; unit++) {
        System.arraycopy(z, unit * count, outputs[unit], 0, count);
      }
      return outputs;
    }

    @Override
    public long bytes() {
      return activity.bytes() + (long) Double.BYTES * PIECE * outputs.length;
    }
  }
}
