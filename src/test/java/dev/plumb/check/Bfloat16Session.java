package dev.plumb.check;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A session of a {@link Bfloat16Backend}. It trains and is tapped; a check evaluates and predicts nothing. */
final class Bfloat16Session implements TrainingSession, Tapped {
  private final ParameterLayout layout;
  private final Bfloat16Network[] networks;
  private final FloatOptimizer[] optimizers;
  private final List<Long> steps = new ArrayList<>();
  private final List<double[]> losses = new ArrayList<>();
  private final long[] firstNonFinite;
  private Dataset data;
  private long stepsTaken;

  Bfloat16Session(NetworkSpec network, TrainingSpec training, int replicas, Bfloat16Fault fault) {
    layout = ParameterLayout.of(network);
    networks = new Bfloat16Network[replicas];
    Arrays.setAll(networks, replica -> new Bfloat16Network(network, training, replica, fault));
    optimizers = new FloatOptimizer[replicas];
    Arrays.setAll(optimizers, replica -> new FloatOptimizer(training, layout.size()));
    firstNonFinite = new long[replicas];
    Arrays.fill(firstNonFinite, -1);
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public int replicas() {
    return networks.length;
  }

  @Override
  public void bind(Dataset rows) {
    data = rows;
  }

  @Override
  public void run(StepChunk chunk) {
    for (int step = 0; step < chunk.steps(); step++) {
      double[] stepLosses = new double[networks.length];
      for (int replica = 0; replica < networks.length; replica++) {
        Bfloat16Network network = networks[replica];
        stepLosses[replica] = network.step(new Bfloat16Network.Rows(data, chunk.batch(step, replica)), stepsTaken);
        if (!Double.isFinite(stepLosses[replica]) && firstNonFinite[replica] < 0) {
          firstNonFinite[replica] = stepsTaken;
        }
        optimizers[replica].update(
            network.parameters, network.gradients, (float) chunk.learningRate(step, replica), stepsTaken + 1);
      }
      if (chunk.records(step)) {
        steps.add(stepsTaken);
        losses.add(stepLosses);
      }
      stepsTaken++;
    }
  }

  @Override
  public StepMetrics sync() {
    StepMetrics metrics = new StepMetrics(steps.stream().mapToLong(Long::longValue).toArray(),
        losses.toArray(double[][]::new), new double[steps.size()][networks.length][0], firstNonFinite.clone());
    steps.clear();
    losses.clear();
    return metrics;
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    Bfloat16Network network = networks[replica];
    float[][] values = switch (where) {
      case PRE -> network.z;
      case POST -> network.a;
      case DELTA -> network.delta16;
      case NORMALIZED -> throw new IllegalArgumentException("no layer is normalized");
    };
    Arrays.setAll(out, at -> values[layer][at]);
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    float[] vector = vector(slot, replica);
    Arrays.setAll(out, at -> vector[at]);
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    float[] vector = vector(slot, replica);
    for (int at = 0; at < vector.length; at++) {
      vector[at] = (float) in[at];
    }
  }

  private float[] vector(Slot slot, int replica) {
    return switch (slot) {
      case PARAMETERS -> networks[replica].parameters;
      case GRADIENTS -> networks[replica].gradients;
      case MOMENT1 -> optimizers[replica].moment1;
      case MOMENT2 -> optimizers[replica].moment2;
    };
  }

  @Override
  public Evaluation evaluate(Dataset rows) {
    throw new UnsupportedOperationException("only trains");
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    throw new UnsupportedOperationException("only trains");
  }

  @Override
  public long stepsTaken() {
    return stepsTaken;
  }

  @Override
  public void stepsTaken(long taken) {
    stepsTaken = taken;
  }

  @Override
  public void close() {
    data = null;
  }
}
