package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.Updatable;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Optional;

/**
 * The reference with an error of the size of single precision's: all state is kept in floats, and a step is computed from
 * parameters that are off by up to three roundings, each by its own amount. It stands for a device that is right within fp32.
 */
final class RoundingBackend implements Backend {
  private final Backend right = new ReferenceBackend();

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "rounding");
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
    TrainingSession updates = right.open(network, training, replicas);
    Class<?>[] faces = {TrainingSession.class, Tapped.class};
    return (TrainingSession) Proxy.newProxyInstance(getClass().getClassLoader(), faces, (proxy, method, arguments) -> {
      try {
        switch (method.getName()) {
          case "bind" -> arguments[0] = StepRows.rounded((Dataset) arguments[0], Precision.FP32);
          case "write" -> arguments[2] = single((double[]) arguments[2]);
          case "run" -> {
            run(session, updates, training, (StepChunk) arguments[0]);
            return null;
          }
          default -> { }
        }
        return method.invoke(session, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    });
  }

  private static void run(TrainingSession session, TrainingSession updates, TrainingSpec training, StepChunk chunk) {
    for (int step = 0; step < chunk.steps(); step++) {
      long number = session.stepsTaken();
      for (int replica = 0; replica < session.replicas(); replica++) {
        for (Slot slot : Slot.stateOf(training.optimizer())) {
          updates.write(slot, replica, StepTrace.vector(session, slot, replica));
        }
        double[] parameters = StepTrace.vector(session, Slot.PARAMETERS, replica);
        for (int i = 0; i < parameters.length; i++) {
          parameters[i] *= 1 + ((i * 7 + number) % 7 - 3) * 0x1p-24;
        }
        session.write(Slot.PARAMETERS, replica, parameters);
      }
      session.run(chunk.piece(step, step + 1));
      updates.stepsTaken(number);
      for (int replica = 0; replica < session.replicas(); replica++) {
        double[] gradients = single(StepTrace.vector(session, Slot.GRADIENTS, replica));
        double[] statistics = StepTrace.vector(session, Slot.PARAMETERS, replica);
        session.write(Slot.GRADIENTS, replica, gradients);
        ((Updatable) updates).update(replica, chunk.learningRate(step, replica), gradients);
        for (Slot slot : Slot.stateOf(training.optimizer())) {
          double[] values = StepTrace.vector(updates, slot, replica);
          if (slot == Slot.PARAMETERS) {
            int trained = session.layout().trainedSize();
            System.arraycopy(statistics, trained, values, trained, values.length - trained);
          }
          session.write(slot, replica, single(values));
        }
      }
    }
  }

  private static double[] single(double[] values) {
    double[] rounded = new double[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }

  @Override
  public void close() {
    right.close();
  }
}
