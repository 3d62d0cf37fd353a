package dev.plumb.spark;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceFailedException;
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
  private record Opened(String jobId, TrialWorker worker, Numerics numerics) {}

  /** A device and its last job: an executor trains one at a time. */
  private static final class Worker {
    private Opened opened;

    synchronized Opened open(TrialRequest request, Backend backend) {
      if (opened == null || !opened.jobId().equals(request.jobId)) {
        opened = null;
        TrialJob job = TrialJob.parse(request.job);
        TrialWorker worker = job.open(backend, copies(job, request));
        opened = new Opened(request.jobId, worker, Backends.ofThisVersion(worker.numerics()));
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
    } catch (InvalidInputException e) {
      return TrialReply.refused(executor(), name, withOriginalNames(request, e.getMessage()), false);
    } catch (DeviceUnavailableException e) {
      if (trains) {
        throw e;
      }
      return TrialReply.refused(executor(), name, e.getMessage(), true);
    }
    if (trains && reply.results() != null) {
      ResultPlugin.send(request.jobId + "\n" + group, reply.numerics(), reply.executor(), request.hook.digest(task, reply.digest()));
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
      DeviceThread gpu = GPUS.computeIfAbsent(name,
          key -> new DeviceThread(new OpenableDevice(key, () -> open(key, device, 1))));
      try {
        return DeviceThread.await(gpu.start(work));
      } catch (DeviceUnavailableException | DeviceFailedException e) {
        // The next task opens the device again.
        if (GPUS.remove(name, gpu)) {
          WORKERS.remove(name);
          closePredictor(gpu, name);
          gpu.close();
        }
        throw e;
      }
    }
    return work.apply(OTHERS.computeIfAbsent(name, key -> open(key, device, task.cpus())));
  }

  private static void closePredictor(DeviceThread gpu, String name) {
    try {
      DeviceThread.await(gpu.start(backend -> {
        TaskPredictor.closeOn(name);
        return name;
      }));
    } catch (DeviceUnavailableException | DeviceFailedException e) {
      // The device that has failed has nothing more to lose.
    }
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
  }

  /** Returns a message with the names of the files as the user gave them. */
  private static String withOriginalNames(TrialRequest request, String message) {
    String original = message;
    for (DataFile file : TrialJob.parse(request.job).data()) {
      Path copy;
      synchronized (FILES) {
        copy = FILES.get(file.sha256());
      }
      original = copy == null ? original : original.replace(copy.toString(), file.path());
    }
    return original.replaceAll("set PLUMB_JAVA_OPTS=-Xmx", "set spark.executor.memory=");
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
