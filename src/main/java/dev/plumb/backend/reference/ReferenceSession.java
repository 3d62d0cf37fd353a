package dev.plumb.backend.reference;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.SessionChecks;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TeacherForced;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A training session that loops over its replicas. Steps are finished when {@link #run} returns. */
final class ReferenceSession implements TrainingSession, Tapped, Updatable, TeacherForced {
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final ParameterLayout layout;
  private final ReferenceNetwork[] networks;
  private final long[] firstNonFinite;
  private final List<Long> recordedSteps = new ArrayList<>();
  private final List<double[]> recordedLosses = new ArrayList<>();
  private final List<double[][]> recordedNorms = new ArrayList<>();
  private Dataset data;
  private Batch allRows;
  private int lastBatch;
  private long stepsTaken;
  private boolean closed;

  ReferenceSession(NetworkSpec network, TrainingSpec training, int replicas) {
    this.network = network;
    this.training = training;
    layout = ParameterLayout.of(network);
    networks = new ReferenceNetwork[replicas];
    Arrays.setAll(networks, replica -> new ReferenceNetwork(network, training, layout, replica));
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
    requireOpen();
    rows.requireFits(network, training.loss());
    data = rows;
    allRows = Batch.of(rows, null);
  }

  @Override
  public void run(StepChunk chunk) {
    requireOpen();
    SessionChecks.requireBound(data);
    chunk.requireFits(data.rows(), networks.length);
    SessionChecks.requireStatistics(network, chunk, data.rows());
    for (int step = 0; step < chunk.steps(); step++) {
      double[] losses = new double[networks.length];
      double[][] norms = new double[networks.length][];
      for (int replica = 0; replica < networks.length; replica++) {
        int[] rows = chunk.batch(step, replica);
        Batch batch = rows == null ? allRows : Batch.of(data, rows);
        ReferenceNetwork replicaNetwork = networks[replica];
        losses[replica] = replicaNetwork.step(batch, chunk.learningRate(step, replica), stepsTaken + 1);
        norms[replica] = chunk.recordsNorms(step) ? replicaNetwork.gradientNorms() : new double[0];
        boolean finite = Double.isFinite(losses[replica]) && replicaNetwork.gradientsAreFinite();
        if (!finite && firstNonFinite[replica] < 0) {
          firstNonFinite[replica] = stepsTaken;
        }
        lastBatch = batch.size();
      }
      if (chunk.records(step)) {
        recordedSteps.add(stepsTaken);
        recordedLosses.add(losses);
        recordedNorms.add(norms);
      }
      stepsTaken++;
    }
  }

  @Override
  public StepMetrics sync() {
    requireOpen();
    StepMetrics metrics = new StepMetrics(
        recordedSteps.stream().mapToLong(Long::longValue).toArray(),
        recordedLosses.toArray(double[][]::new),
        recordedNorms.toArray(double[][][]::new),
        firstNonFinite.clone());
    recordedSteps.clear();
    recordedLosses.clear();
    recordedNorms.clear();
    return metrics;
  }

  @Override
  public Evaluation evaluate(Dataset rows) {
    requireOpen();
    rows.requireFits(network, training.loss());
    Batch batch = Batch.of(rows, null);
    double[] loss = new double[networks.length];
    long[] correct = new long[training.loss().isClassification() ? networks.length : 0];
    for (int replica = 0; replica < networks.length; replica++) {
      double[][] outputs = networks[replica].predict(batch.x());
      loss[replica] = Losses.value(training.loss(), outputs, batch);
      if (training.loss().isClassification()) {
        correct[replica] = Losses.correct(training.loss(), outputs, batch);
      }
    }
    return new Evaluation(loss, correct);
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    requireOpen();
    SessionChecks.requireReplica(replica, networks.length);
    SessionChecks.requireInputs(network, rows);
    SessionChecks.requireLength(out, rows.rows() * network.outputs(), "rows x outputs");
    flatten(networks[replica].predict(Batch.of(rows, null).x()), out);
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    requireOpen();
    double[] vector = vector(slot, replica, out);
    System.arraycopy(vector, 0, out, 0, vector.length);
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    requireOpen();
    System.arraycopy(in, 0, vector(slot, replica, in), 0, in.length);
    if (slot == Slot.PARAMETERS) {
      firstNonFinite[replica] = -1;
    }
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    requireOpen();
    SessionChecks.requireReplica(replica, networks.length);
    SessionChecks.requireStep(lastBatch);
    SessionChecks.requireTapped(network, where, layer);
    double[][] values = networks[replica].tap(where, layer);
    SessionChecks.requireLength(out, lastBatch * network.layer(layer).out(), "batch x units");
    flatten(values, out);
  }

  @Override
  public void update(int replica, double learningRate, double[] gradients) {
    write(Slot.GRADIENTS, replica, gradients);
    networks[replica].update(learningRate, stepsTaken + 1);
  }

  @Override
  public void force(int replica, double[][] z, double[][] h, double[][] a, double[][] delta) {
    requireOpen();
    SessionChecks.requireReplica(replica, networks.length);
    networks[replica].force(StepValues.ofFlat(network, z, h, a, delta));
  }

  @Override
  public long stepsTaken() {
    requireOpen();
    return stepsTaken;
  }

  @Override
  public void stepsTaken(long steps) {
    requireOpen();
    SessionChecks.requireStepsTaken(steps);
    stepsTaken = steps;
  }

  @Override
  public void close() {
    closed = true;
  }

  /** Returns one vector of a replica, after checking the arguments of {@link #read} and {@link #write}. */
  private double[] vector(Slot slot, int replica, double[] array) {
    SessionChecks.requireLength(array, layout.size(), "parameters");
    SessionChecks.requireReplica(replica, networks.length);
    double[] vector = networks[replica].vector(slot);
    SessionChecks.requireKept(vector != null, training.optimizer(), slot);
    return vector;
  }

  private void requireOpen() {
    SessionChecks.requireOpen(closed);
  }

  private static void flatten(double[][] values, double[] out) {
    for (int i = 0; i < values.length; i++) {
      System.arraycopy(values[i], 0, out, i * values[i].length, values[i].length);
    }
  }
}
