package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.Replicas;
import dev.plumb.backend.cpu.engine.SquareSum;
import dev.plumb.backend.cpu.engine.StepLog;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;

/**
 * The networks of one session. Of small networks, each is trained by one thread for all steps of a chunk. Networks so wide that a
 * layer has several tiles are trained one after the other, and the threads share each step.
 */
public final class DenseReplicas implements Replicas<double[]> {
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final ParameterLayout layout;
  private final ThreadTeam team;
  private final boolean byProducts;
  private final boolean shared;
  private final ThreadScratch[] scratch;
  private final Network[] networks;
  private final Inference inference;
  private final ThreadTeam.Work trainReplica = this::trainReplica;
  private final Targets blockTargets;
  private final double[] blockWeights = new double[Inference.MAX_ROWS];
  private final double[][] blockDelta;
  private Dataset bound;
  private Samples data;

  private StepChunk chunk;
  private long firstStep;
  private StepLog log;

  /** @param gemm computes matrix products; null for networks that are computed by rows */
  public DenseReplicas(NetworkSpec network, TrainingSpec training, int replicas, Gemm<double[]> gemm, ThreadTeam team) {
    this.network = network;
    this.training = training;
    this.team = team;
    layout = ParameterLayout.of(network);
    byProducts = gemm != null;
    shared = byProducts && Tiles.isDivided(network);
    scratch = new ThreadScratch[team.size()];
    for (int member = 0; member < scratch.length; member++) {
      scratch[member] = new ThreadScratch(training.loss());
    }
    networks = new Network[replicas];
    for (int replica = 0; replica < replicas; replica++) {
      DropoutMask dropout = DropoutMask.of(training, replica);
      networks[replica] = byProducts
          ? new MatrixNetwork(
              network, training, layout, gemm, shared ? team : new ThreadTeam(1), shared ? scratch : ownScratch(), dropout)
          : new RowNetwork(network, training, layout, dropout);
    }
    inference = byProducts
        ? new Inference.ByProducts(network, layout, gemm, team, scratch)
        : new Inference.ByRows(network, layout, scratch[0]);
    blockTargets = Targets.of(training.loss(), network.outputs(), Inference.MAX_ROWS);
    blockDelta = new double[network.outputs()][Inference.MAX_ROWS];
  }

  private ThreadScratch[] ownScratch() {
    return new ThreadScratch[] {new ThreadScratch(training.loss())};
  }

  @Override
  public void bind(Dataset rows) {
    bound = rows;
    data = new Samples(rows);
  }

  @Override
  public void run(StepChunk chunk, long firstStep, StepLog log) {
    this.chunk = chunk;
    this.firstStep = firstStep;
    this.log = log;
    reserve();
    if (shared) {
      for (int replica = 0; replica < networks.length; replica++) {
        trainReplica(replica, 0);
      }
    } else {
      team.run(networks.length, trainReplica);
    }
  }

  /** Allocates everything that the chunk's steps need, for the largest of its batches. */
  private void reserve() {
    int maxRows = 0;
    for (int step = 0; step < chunk.steps(); step++) {
      int[] rows = chunk.batch(step, 0);
      if (rows == null && !byProducts) {
        data.transpose();
      }
      maxRows = Math.max(maxRows, rows == null ? data.rows() : rows.length);
    }
    for (Network replica : networks) {
      replica.reserve(maxRows, true);
    }
    for (ThreadScratch threadScratch : scratch) {
      threadScratch.losses.reserve(maxRows);
    }
  }

  private void trainReplica(int replica, int member) {
    Network trained = networks[replica];
    ThreadScratch own = scratch[member];
    for (int step = 0; step < chunk.steps(); step++) {
      boolean last = step == chunk.steps() - 1;
      own.scalars.set(chunk.learningRate(step, replica), firstStep + step, last, last || chunk.recordsNorms(step));
      own.lossSum.reset();
      trained.step(data, chunk.batch(step, replica), own);
      if (!own.lossSum.isFinite() || !trained.gradientsAreFinite()) {
        log.nonFinite(replica, firstStep + step);
      }
      if (log.records(step)) {
        log.loss(step, replica, own.lossSum.loss());
      }
      if (chunk.recordsNorms(step)) {
        recordNorms(trained.state().gradients(), step, replica);
      }
    }
  }

  private void recordNorms(double[] gradients, int step, int replica) {
    for (int l = 0; l < network.layerCount(); l++) {
      ParameterLayout.Slice weight = layout.weight(l);
      log.squareSum(step, replica, l, SquareSum.of(gradients, weight.offset(), weight.offset() + weight.size()));
    }
  }

  @Override
  public void evaluate(Dataset rows, LossAccumulator[] replicaLosses) {
    Samples samples = rows == bound ? data : new Samples(rows);
    Losses losses = scratch[0].losses;
    losses.reserve(Inference.MAX_ROWS);
    for (int replica = 0; replica < networks.length; replica++) {
      double[] parameters = networks[replica].state().parameters();
      for (int first = 0; first < samples.rows(); first += Inference.MAX_ROWS) {
        int count = Math.min(Inference.MAX_ROWS, samples.rows() - first);
        double[][] outputs = inference.outputs(parameters, samples, first, count);
        samples.targets(null, first, count, blockTargets);
        double[] weights = samples.weights(null, first, count, blockWeights);
        losses.delta(outputs, blockTargets, weights, count, 1, blockDelta, replicaLosses[replica]);
        if (training.loss().isClassification()) {
          replicaLosses[replica].addCorrect(losses.correct(outputs, blockTargets, count));
        }
      }
    }
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    Samples samples = rows == bound ? data : new Samples(rows);
    int outputs = network.outputs();
    for (int first = 0; first < samples.rows(); first += Inference.MAX_ROWS) {
      int count = Math.min(Inference.MAX_ROWS, samples.rows() - first);
      double[][] values = inference.outputs(networks[replica].state().parameters(), samples, first, count);
      for (int unit = 0; unit < outputs; unit++) {
        for (int i = 0; i < count; i++) {
          out[(first + i) * outputs + unit] = values[unit][i];
        }
      }
    }
  }

  @Override
  public double[] vector(Slot slot, int replica) {
    TrainingState state = networks[replica].state();
    return switch (slot) {
      case PARAMETERS -> state.parameters();
      case GRADIENTS -> state.gradients();
      case MOMENT1 -> state.moment1();
      case MOMENT2 -> state.moment2();
    };
  }

  @Override
  public int lastBatch() {
    return networks[0].lastBatch();
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    networks[replica].tap(where, layer, out);
  }

  @Override
  public void update(int replica, StepScalars step) {
    networks[replica].update(step);
  }

  @Override
  public long bytes() {
    long bytes = (data == null ? 0 : data.bytes()) + inference.bytes();
    for (Network replica : networks) {
      bytes += replica.bytes();
    }
    return bytes;
  }
}
