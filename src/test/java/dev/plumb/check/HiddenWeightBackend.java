package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Slot;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Optional;

/** The reference under another device's name, but it computes with one parameter that is off, and does not show it. */
final class HiddenWeightBackend implements Backend {
  private final Backend right = new ReferenceBackend();
  private final int index;
  private final double error;
  private final Class<?>[] faces;

  HiddenWeightBackend(int index, double error) {
    this(index, error, TrainingSession.class, Tapped.class);
  }

  /** @param faces what its sessions implement */
  HiddenWeightBackend(int index, double error, Class<?>... faces) {
    this.index = index;
    this.error = error;
    this.faces = faces;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "a hidden weight");
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
    return (TrainingSession) Proxy.newProxyInstance(getClass().getClassLoader(), faces, (proxy, method, arguments) -> {
      try {
        boolean parameters = arguments != null && arguments[0] == Slot.PARAMETERS;
        if (parameters && method.getName().equals("write")) {
          double[] wrong = ((double[]) arguments[2]).clone();
          wrong[index] += error;
          arguments[2] = wrong;
        }
        Object result = method.invoke(session, arguments);
        if (parameters && method.getName().equals("read")) {
          ((double[]) arguments[2])[index] -= error;
        }
        return result;
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    });
  }

  @Override
  public void close() {
    right.close();
  }
}
