package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Optional;

/** The reference without the weights of rows. */
final class UnweightedBackend implements Backend {
  private final Backend right = new ReferenceBackend();

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, "unweighted");
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
      if (method.getName().equals("bind")) {
        Dataset data = (Dataset) arguments[0];
        arguments[0] = Dataset.ofTargets(data.features(), data.outputs(), data.featureRows(0, data.rows()),
            data.targetRows(0, data.rows()));
      }
      try {
        return method.invoke(session, arguments);
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
