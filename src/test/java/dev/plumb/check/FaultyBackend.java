package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** The reference under another device's name, but for one value that is wrong from some step on. */
public final class FaultyBackend implements Backend {
  /**
   * What is wrong.
   *
   * @param layer of a tap; without meaning elsewhere
   * @param index in the tap, or in the flat vector
   * @param fromStep the first step in which it is
   */
  public record Fault(Quantity quantity, int layer, int replica, int index, long fromStep, DoubleUnaryOperator change) {}

  private final Backend right;
  private final Fault fault;
  private final List<Integer> chunks = new ArrayList<>();

  /** @param fault null for none */
  public FaultyBackend(Fault fault) {
    this(new ReferenceBackend(), fault);
  }

  /** @param right what computes; it shows its taps */
  FaultyBackend(Backend right, Fault fault) {
    this.right = right;
    this.fault = fault;
  }

  /** The steps of each chunk that was run, of all sessions. */
  List<Integer> chunks() {
    return chunks;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "faulty");
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return right.refusal(network, training, replicas);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return right.numerics(network, training, rows);
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    TrainingSession session = right.open(network, training, replicas);
    Class<?>[] faces = {TrainingSession.class, Tapped.class};
    return (TrainingSession) Proxy.newProxyInstance(getClass().getClassLoader(), faces, (proxy, method, arguments) -> {
      try {
        Object result = method.invoke(session, arguments);
        if (method.getName().equals("run")) {
          chunks.add(((StepChunk) arguments[0]).steps());
        }
        if (fault != null && !method.getName().equals("close") && session.stepsTaken() > fault.fromStep()) {
          spoil(session, method, arguments, result);
        }
        return result;
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    });
  }

  private void spoil(TrainingSession session, Method method, Object[] arguments, Object result) {
    switch (fault.quantity()) {
      case PRE, NORMALIZED, POST, DELTA -> {
        if (method.getName().equals("tap") && arguments[0] == Tap.valueOf(fault.quantity().name())
            && arguments[1].equals(fault.layer()) && arguments[2].equals(fault.replica())) {
          spoil((double[]) arguments[3]);
        }
      }
      case GRADIENT -> {
        if (method.getName().equals("read") && arguments[0] == Slot.GRADIENTS && arguments[1].equals(fault.replica())) {
          spoil((double[]) arguments[2]);
        }
      }
      case LOSS -> {
        if (method.getName().equals("sync")) {
          for (double[] losses : ((StepMetrics) result).loss()) {
            losses[fault.replica()] = fault.change().applyAsDouble(losses[fault.replica()]);
          }
        }
      }
      case MOMENT1, MOMENT2, PARAMETERS -> {
        if (method.getName().equals("run")) {
          Slot slot = Slot.valueOf(fault.quantity().name());
          double[] values = new double[session.layout().size()];
          session.read(slot, fault.replica(), values);
          spoil(values);
          session.write(slot, fault.replica(), values);
        }
      }
    }
  }

  private void spoil(double[] values) {
    values[fault.index()] = fault.change().applyAsDouble(values[fault.index()]);
  }

  @Override
  public void close() {
    right.close();
  }
}
