package dev.plumb.spark;

import dev.plumb.Device;
import dev.plumb.backend.Backend;
import dev.plumb.data.Table;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import dev.plumb.train.TablePredictor;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;

/**
 * A model on the device of a task. A row's prediction does not depend on the rows that are predicted with it, so that it does not
 * depend on how Spark divides the rows. Used by one thread.
 */
final class TaskPredictor implements AutoCloseable {
  /** On a GPU, the number of rows is a multiple of this: products of another size may round differently. */
  private static final int GPU_ROWS = 1024;
  /** On a CPU, threads of a task share this number of rows. */
  private static final int CPU_ROWS = 256;

  /** The last model on a GPU, used only by the thread of the GPU. */
  private record OnGpu(String hash, Precision precision, TablePredictor predictor) {}

  /** By the name of the device. */
  private static final Map<String, OnGpu> ON_GPUS = new ConcurrentHashMap<>();

  private final SharedModel shared;
  private final TrainedModel model;
  private final TaskContext task;
  private final String device;
  /** Null on a GPU. */
  private TablePredictor own;

  TaskPredictor(SharedModel shared, TaskContext task) {
    this.shared = shared;
    this.task = task;
    model = shared.open();
    device = WorkerProcess.deviceName(shared.device, task);
    if (!isOnGpu(shared)) {
      WorkerProcess.onDevice(shared.device, device, task, this::open);
    }
  }

  /** Returns the number of rows of which a batch should be a multiple. */
  static int blockRows(SharedModel shared) {
    return isOnGpu(shared) ? GPU_ROWS : CPU_ROWS;
  }

  private static boolean isOnGpu(SharedModel shared) {
    return shared.device.kind() == Device.Kind.CUDA;
  }

  private Precision precision(Backend backend) {
    return shared.precision != null ? shared.precision : TablePredictor.precision(backend, model);
  }

  private Void open(Backend backend) {
    own = new TablePredictor(backend, model, precision(backend));
    return null;
  }

  /** Predicts all rows of a table. */
  Predictions predict(Table table) {
    if (isOnGpu(shared)) {
      return WorkerProcess.onDevice(shared.device, device, task, backend -> predictOnGpu(backend, table));
    }
    return own.predict(table);
  }

  /** Predicts the rows and repetitions of the last one, which fill the last block. */
  private Predictions predictOnGpu(Backend backend, Table table) {
    int last = table.rows() - 1;
    int padded = (last / GPU_ROWS + 1) * GPU_ROWS;
    return onGpu(backend).predict(table.rows(IntStream.range(0, padded).map(row -> Math.min(row, last)).toArray()));
  }

  private TablePredictor onGpu(Backend backend) {
    Precision precision = precision(backend);
    OnGpu opened = ON_GPUS.get(device);
    if (opened == null || !opened.hash().equals(shared.hash) || opened.precision() != precision) {
      closeOn(device);
      opened = new OnGpu(shared.hash, precision, new TablePredictor(backend, model, precision));
      ON_GPUS.put(device, opened);
    }
    return opened.predictor();
  }

  /** Closes the predictor on a GPU; called by the thread of the GPU before its backend is closed. */
  static void closeOn(String device) {
    OnGpu opened = ON_GPUS.remove(device);
    if (opened != null) {
      opened.predictor().close();
    }
  }

  @Override
  public void close() {
    if (own != null) {
      own.close();
    }
  }
}
