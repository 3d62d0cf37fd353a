package dev.plumb.backend.cpu;

import dev.plumb.backend.Evaluation;
import dev.plumb.backend.MemoryFootprint;
import dev.plumb.backend.SessionChecks;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.backend.cpu.engine.ElementType;
import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.Replicas;
import dev.plumb.backend.cpu.engine.StepLog;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;

/**
 * A training session in either precision. Checks the calls and converts between doubles and the session's precision. Steps are
 * finished when {@link #run} returns. Owns the threads that compute.
 *
 * @param <A> double[] or float[]
 */
final class CpuSession<A> implements TrainingSession, Tapped, Updatable, MemoryFootprint {
  private final NetworkSpec network;
  private final TrainingSpec training;
  private final ParameterLayout layout;
  private final ElementType<A> elements;
  private final Replicas<A> networks;
  private final ThreadTeam team;
  private final StepLog log;
  private final int replicas;
  private final Thread owner = Thread.currentThread();
  private Dataset data;
  private long stepsTaken;
  private boolean closed;

  /** @param team closed with the session */
  CpuSession(
      NetworkSpec network, TrainingSpec training, int replicas, ElementType<A> elements, Replicas<A> networks, ThreadTeam team) {
    this.network = network;
    this.training = training;
    this.replicas = replicas;
    this.elements = elements;
    this.networks = networks;
    this.team = team;
    layout = ParameterLayout.of(network);
    log = new StepLog(replicas, network.layerCount());
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public int replicas() {
    return replicas;
  }

  @Override
  public void bind(Dataset rows) {
    requireUsable();
    rows.requireFits(network, training.loss());
    networks.bind(rows);
    data = rows;
  }

  @Override
  public void run(StepChunk chunk) {
    requireUsable();
    SessionChecks.requireBound(data);
    chunk.requireFits(data.rows(), replicas);
    SessionChecks.requireStatistics(network, chunk, data.rows());
    log.open(chunk, stepsTaken);
    networks.run(chunk, stepsTaken, log);
    stepsTaken += chunk.steps();
  }

  @Override
  public StepMetrics sync() {
    requireUsable();
    return log.take();
  }

  @Override
  public Evaluation evaluate(Dataset rows) {
    requireUsable();
    rows.requireFits(network, training.loss());
    LossAccumulator[] losses = new LossAccumulator[replicas];
    Arrays.setAll(losses, replica -> new LossAccumulator());
    networks.evaluate(rows, losses);
    boolean classifies = training.loss().isClassification();
    return new Evaluation(
        Arrays.stream(losses).mapToDouble(LossAccumulator::loss).toArray(),
        classifies ? Arrays.stream(losses).mapToLong(LossAccumulator::correct).toArray() : new long[0]);
  }

  @Override
  public void predict(int replica, Dataset rows, double[] out) {
    requireUsable();
    SessionChecks.requireReplica(replica, replicas);
    SessionChecks.requireInputs(network, rows);
    SessionChecks.requireLength(out, (long) rows.rows() * network.outputs(), "rows x outputs");
    A outputs = elements.newArray(out.length);
    networks.predict(replica, rows, outputs);
    elements.copyOut(outputs, out);
  }

  @Override
  public void read(Slot slot, int replica, double[] out) {
    requireUsable();
    SessionChecks.requireLength(out, layout.size(), "parameters");
    elements.copyOut(vector(slot, replica), out);
  }

  @Override
  public void write(Slot slot, int replica, double[] in) {
    requireUsable();
    SessionChecks.requireLength(in, layout.size(), "parameters");
    elements.copyIn(in, vector(slot, replica));
    if (slot == Slot.PARAMETERS) {
      log.forgetNonFinite(replica);
    }
  }

  @Override
  public void tap(Tap where, int layer, int replica, double[] out) {
    requireUsable();
    SessionChecks.requireReplica(replica, replicas);
    SessionChecks.requireStep(networks.lastBatch());
    SessionChecks.requireTapped(network, where, layer);
    SessionChecks.requireLength(out, (long) networks.lastBatch() * network.layer(layer).out(), "batch x units");
    A values = elements.newArray(out.length);
    networks.tap(where, layer, replica, values);
    elements.copyOut(values, out);
  }

  @Override
  public void update(int replica, double learningRate, double[] gradients) {
    write(Slot.GRADIENTS, replica, gradients);
    StepScalars step = new StepScalars();
    step.set(learningRate, stepsTaken, false, true);
    networks.update(replica, step);
  }

  @Override
  public long stepsTaken() {
    requireUsable();
    return stepsTaken;
  }

  @Override
  public void stepsTaken(long steps) {
    requireUsable();
    SessionChecks.requireStepsTaken(steps);
    stepsTaken = steps;
  }

  @Override
  public long bytes() {
    requireUsable();
    return networks.bytes();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      team.close();
    }
  }

  private A vector(Slot slot, int replica) {
    SessionChecks.requireReplica(replica, replicas);
    A vector = networks.vector(slot, replica);
    SessionChecks.requireKept(vector != null, training.optimizer(), slot);
    return vector;
  }

  private void requireUsable() {
    SessionChecks.requireOpen(closed);
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException("this session belongs to thread " + owner.getName() + ", but "
          + Thread.currentThread().getName() + " called it");
    }
  }
}
