package dev.plumb.spark;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.OpenableDevice;
import dev.plumb.model.InvalidInputException;
import dev.plumb.study.DeviceThread;
import dev.plumb.study.TrialJob;
import dev.plumb.study.TrialWorker;
import dev.plumb.train.DataFile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.util.Utils;

/** The devices, files and jobs of an executor, which its tasks share. */
final class WorkerProcess {
  /** A job on a device, and the numerics of its trainings there. */
  private record Opened(String job, TrialWorker worker, Numerics numerics) {}

  /** A device and its last job: an executor trains one at a time. */
  private static final class Worker {
    private Opened opened;

    synchronized Opened open(TrialRequest request, Backend backend) {
      if (opened == null || !opened.job().equals(request.job)) {
        opened = null;
        TrialJob job = TrialJob.parse(request.job);
        TrialWorker worker = job.open(backend, copies(job, request));
        opened = new Opened(request.job, worker, Backends.ofThisVersion(worker.numerics()));
      }
      return opened;
    }
  }

  private static final Map<String, DeviceThread> GPUS = new ConcurrentHashMap<>();
  private static final Map<String, Backend> OTHERS = new ConcurrentHashMap<>();
  private static final Map<String, Worker> WORKERS = new ConcurrentHashMap<>();
  /** By hash. */
  private static final Map<String, Path> FILES = new HashMap<>();

  private WorkerProcess() {}

  /** Trains a group, or only checks the job. */
  static TrialReply run(TrialRequest request, String group, TaskContext task) {
    BooleanSupplier stopped = task::isInterrupted;
    String name = deviceName(request.device, task);
    Function<Backend, TrialReply> work = backend -> run(request, group, name, backend, stopped);
    boolean trains = !group.equals(TrialRequest.CHECK);
    if (trains) {
      request.hook.begin(task);
    }
    TrialReply reply;
    try {
      reply = onDevice(request.device, name, task, work);
    } catch (DeviceUnavailableException e) {
      if (trains) {
        throw e;
      }
      return TrialReply.refused(executor(), name, e.getMessage(), true);
    }
    if (trains && reply.results() != null) {
      ResultPlugin.send(request.job + "\n" + group, reply.numerics(), reply.executor(), request.hook.digest(task, reply.digest()));
      request.hook.end(task);
    }
    return reply;
  }

  /**
   * Calls a function with a device: for a GPU in its own thread, otherwise in this one.
   *
   * @param name of {@link #deviceName}
   */
  static <T> T onDevice(DeviceRequest device, String name, TaskContext task, Function<Backend, T> work) {
    if (device.kind() == Device.Kind.CUDA) {
      return DeviceThread.await(GPUS.computeIfAbsent(name,
          key -> new DeviceThread(new OpenableDevice(key, () -> open(key, device, 1)))).start(work));
    }
    return work.apply(OTHERS.computeIfAbsent(name, key -> open(key, device, task.cpus())));
  }

  /** Returns the name of a task's device as {@code --device} takes it. */
  static String deviceName(DeviceRequest device, TaskContext task) {
    if (device.kind() != Device.Kind.CUDA) {
      return device.kind() == Device.Kind.REFERENCE ? "reference" : "cpu";
    }
    if (!task.resources().contains("gpu")) {
      throw new IllegalStateException("the task has no GPU: " + SparkCluster.TASK_GPUS + " is not set");
    }
    return "cuda:" + task.resources().apply("gpu").addresses()[0];
  }

  private static Backend open(String name, DeviceRequest device, int threads) {
    return Backends.open(name, new Backends.Usage(device.recordGraphs(), device.planner(), OptionalInt.of(threads), note -> {}))
        .backend();
  }

  private static TrialReply run(TrialRequest request, String group, String name, Backend backend, BooleanSupplier stopped) {
    String executor = executor();
    try {
      Opened opened = WORKERS.computeIfAbsent(name, key -> new Worker()).open(request, backend);
      String numerics = opened.numerics().text();
      boolean trains = !group.equals(TrialRequest.CHECK)
          && (request.expectedNumerics == null || request.expectedNumerics.equals(numerics));
      String device = backend.device().name();
      if (!trains) {
        return new TrialReply(executor, name, device, numerics, null, null, null, false);
      }
      TrialWorker.Results results = opened.worker().train(group, backend, stopped);
      return new TrialReply(executor, name, device, numerics, results.bytes(), results.digest(), null, false);
    } catch (InvalidInputException e) {
      return TrialReply.refused(executor, name, e.getMessage(), false);
    }
  }

  private static String executor() {
    return "executor " + SparkEnv.get().executorId() + " on " + Utils.localHostName();
  }

  /** Returns where this process has a copy of a job's file. */
  private static Function<DataFile, Path> copies(TrialJob job, TrialRequest request) {
    return file -> copy(file, () -> request.files.value().get(job.data().indexOf(file)));
  }

  /** The bytes of a file in pieces, since an array has a maximum length. */
  private interface Pieces {
    byte[][] get();
  }

  private static Path copy(DataFile file, Pieces content) {
    synchronized (FILES) {
      return FILES.computeIfAbsent(file.sha256(), hash -> {
        try {
          Path folder = Files.createTempDirectory(Path.of(Utils.getLocalDir(SparkEnv.get().conf())), "plumb-");
          // The name of the original: it is in messages, and its extension may tell the format.
          Path copy = folder.resolve(Path.of(file.path()).getFileName().toString());
          try (OutputStream out = Files.newOutputStream(copy)) {
            for (byte[] piece : content.get()) {
              out.write(piece);
            }
          }
          return copy;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    }
  }
}
