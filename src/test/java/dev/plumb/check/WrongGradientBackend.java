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
import java.util.Map;
import java.util.Optional;

/** The reference, but some gradients are multiplied by a factor when they are read. */
final class WrongGradientBackend implements Backend {
  private final ReferenceBackend right = new ReferenceBackend();
  private final Map<Integer, Double> factors;

  /** @param factors by the index of the gradient in the flat vector */
  WrongGradientBackend(Map<Integer, Double> factors) {
    this.factors = Map.copyOf(factors);
  }

  @Override
  public DeviceInfo device() {
    return right.device();
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
        if (method.getName().equals("read") && arguments[0] == Slot.GRADIENTS) {
          double[] gradients = (double[]) arguments[2];
          factors.forEach((wrong, factor) -> gradients[wrong] *= factor);
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
