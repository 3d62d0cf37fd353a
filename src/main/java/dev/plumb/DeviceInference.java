package dev.plumb;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuInference;
import dev.plumb.data.Dataset;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictor;
import dev.plumb.train.TablePredictor;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;

/**
 * Inference on a device whose sessions belong to one thread: a thread of its own opens the device, computes for all callers in
 * turn, and closes the device. On a GPU every computation has the same number of rows, as matrix products of other sizes round
 * differently.
 */
final class DeviceInference implements InferenceSession {
  /** Rows of every computation on a GPU. Fewer rows are padded with zeros. */
  private static final int GPU_ROWS = 256;
  private static final String CLOSED = "this predictor is closed";

  private final NetworkSpec network;
  private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
    Thread made = new Thread(task, "plumb-inference");
    made.setDaemon(true);
    return made;
  });
  /** Used by the thread only, as is the session. */
  private Backends.Selection selection;
  private TrainingSession session;
  private int rowsAtOnce;
  /** Null where the device is the CPU, which has a session of its own. Written before the first call returns. */
  private Precision precision;

  private DeviceInference(NetworkSpec network) {
    this.network = network;
  }

  /**
   * Opens a model on a device. Where {@link Device#AUTO} finds no GPU, it is opened as on {@link Device#CPU}.
   *
   * @throws dev.plumb.backend.DeviceUnavailableException when the device cannot be used on this machine
   */
  static Predictor predictor(Device device, TrainedModel model) {
    if (device.kind() == Device.Kind.CPU) {
      return onCpu(model);
    }
    DeviceInference inference = new DeviceInference(model.network());
    try {
      inference.await(() -> inference.openInThread(device, model));
    } catch (RuntimeException | Error e) {
      inference.close();
      throw e;
    }
    if (inference.precision == null) {
      inference.close();
      return onCpu(model);
    }
    return new Predictor(model, inference.precision, inference);
  }

  private static Predictor onCpu(TrainedModel model) {
    Precision precision = model.precision().storage();
    return new Predictor(model, precision, CpuInference.open(model.network(), precision, model.parameters()));
  }

  private Void openInThread(Device device, TrainedModel model) {
    selection = Backends.open(device, PlumbLog.usage());
    PlumbLog.device("predicting", selection);
    DeviceInfo.Kind kind = selection.backend().device().kind();
    if (kind == DeviceInfo.Kind.CPU) {
      return null;
    }
    precision = TablePredictor.precision(selection.backend(), model);
    TrainingSpec training = TrainingSpec.of(model.loss(), OptimizerSpec.Sgd.DEFAULT, 0, 1)
        .withPrecision(precision);
    session = selection.backend().open(model.network(), training, 1);
    session.write(Slot.PARAMETERS, 0, model.parameters());
    rowsAtOnce = kind == DeviceInfo.Kind.CUDA ? GPU_ROWS : 1;
    return null;
  }

  @Override
  public void outputs(double[] x, int rows, double[] out) {
    if (x.length != (long) rows * network.inputs() || out.length != (long) rows * network.outputs()) {
      throw new IllegalArgumentException(
          "arrays of " + x.length + " inputs and " + out.length + " outputs do not fit " + rows + " rows");
    }
    await(() -> {
      if (session == null) {
        throw new IllegalStateException(CLOSED);
      }
      for (int first = 0; first < rows; first += rowsAtOnce) {
        compute(x, first, Math.min(rowsAtOnce, rows - first), out);
      }
      return null;
    });
  }

  private void compute(double[] x, int first, int count, double[] out) {
    int inputs = network.inputs();
    int outputs = network.outputs();
    double[] padded = Arrays.copyOf(Arrays.copyOfRange(x, first * inputs, (first + count) * inputs), rowsAtOnce * inputs);
    double[] results = new double[rowsAtOnce * outputs];
    session.predict(0, Dataset.ofTargets(inputs, outputs, padded, new double[results.length]), results);
    System.arraycopy(results, 0, out, first * outputs, count * outputs);
  }

  /** Runs a task in the thread, and waits for it also when the calling thread is interrupted. */
  private void await(Callable<Void> task) {
    Future<Void> future;
    try {
      future = thread.submit(task);
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException(CLOSED, e);
    }
    boolean interrupted = false;
    try {
      while (true) {
        try {
          future.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) e.getCause();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public synchronized void close() {
    if (thread.isShutdown()) {
      return;
    }
    try {
      await(this::closeInThread);
    } finally {
      thread.shutdown();
    }
  }

  private Void closeInThread() {
    TrainingSession used = session;
    Backends.Selection opened = selection;
    session = null;
    selection = null;
    try {
      if (used != null) {
        used.close();
      }
    } finally {
      if (opened != null) {
        opened.close();
      }
    }
    return null;
  }
}
