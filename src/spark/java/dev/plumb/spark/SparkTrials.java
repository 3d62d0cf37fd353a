package dev.plumb.spark;

import dev.plumb.Device;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Numerics;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.ClusterBackend;
import dev.plumb.study.ReplicaGroup;
import dev.plumb.study.TrialJob;
import dev.plumb.train.DataFile;
import dev.plumb.train.TrainingInterruptedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.runtime.BoxedUnit;

/**
 * Trains groups in the tasks of a Spark job, one group per task. Spark runs a task again on another executor if one is lost. This
 * process alone reports results, each once.
 */
final class SparkTrials implements ClusterBackend {
  private static final int PIECE_BYTES = 1 << 26;
  private static final int POLL_MILLIS = 100;
  private static final long WAIT_NOTE_NANOS = 15_000_000_000L;

  /** The results of a group. */
  private record Received(int group, TrialReply reply) {}

  private final SparkContext context;
  private final DeviceRequest request;
  private final boolean otherNumericsAllowed;
  private final Consumer<String> onNote;
  private final TaskHook hook;
  private TrialRequest job;
  private Numerics numerics;
  private Numerics lastNumerics;
  private Consumer<Numerics> onNumerics;
  private DeviceInfo device;
  private int slots = 1;
  /** Number of groups by executor and device. */
  private final Map<String, Integer> shares = new TreeMap<>();

  SparkTrials(SparkContext context, DeviceRequest request, boolean otherNumericsAllowed, Consumer<String> onNote,
      TaskHook hook) {
    this.context = context;
    this.request = request;
    this.otherNumericsAllowed = otherNumericsAllowed;
    this.onNote = onNote;
    this.hook = hook;
    device = new DeviceInfo(kind(), "");
  }

  private DeviceInfo.Kind kind() {
    return request.kind() == Device.Kind.CUDA ? DeviceInfo.Kind.CUDA
        : request.kind() == Device.Kind.REFERENCE ? DeviceInfo.Kind.REFERENCE : DeviceInfo.Kind.CPU;
  }

  @Override
  public DeviceInfo device() {
    return device;
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    return numerics;
  }

  /** Returns the number of tasks that the executors which have registered run at the same time. */
  @Override
  public int deviceCount() {
    return slots;
  }

  @Override
  public void describe(Supplier<TrialJob> description, Consumer<Numerics> onNumerics) {
    TrialJob described = description.get();
    if (job != null) {
      job.files.destroy();
    }
    this.onNumerics = onNumerics;
    List<byte[][]> files = new ArrayList<>();
    described.data().forEach(file -> files.add(read(file)));
    job = new TrialRequest(described.json(), JavaSparkContext.fromSparkContext(context).broadcast(files), request, null, hook);
    Job check = new Job(List.of(TrialRequest.CHECK), job, "check");
    TrialReply checked;
    try {
      checked = check.await();
    } catch (RuntimeException | Error e) {
      check.cancel();
      throw e;
    }
    SparkCluster.awaitOthers(context);
    slots = SparkCluster.slots(context);
    numerics = Numerics.parse(checked.numerics());
    lastNumerics = numerics;
    int executors = Math.max(1, SparkCluster.executors(context));
    device = new DeviceInfo(kind(), checked.device() + "; " + executors + (executors == 1 ? " executor" : " executors"));
    if (!otherNumericsAllowed) {
      job = job.expecting(checked.numerics());
    }
  }

  /** Returns the content of a file in pieces, since an array has a maximum length. */
  private static byte[][] read(DataFile file) {
    Path path = Path.of(file.path());
    List<byte[]> pieces = new ArrayList<>();
    try (InputStream in = Files.newInputStream(path)) {
      for (byte[] piece = in.readNBytes(PIECE_BYTES); piece.length > 0; piece = in.readNBytes(PIECE_BYTES)) {
        pieces.add(piece);
      }
    } catch (IOException e) {
      throw FileErrors.cannotRead(path, e);
    }
    if (!DataFile.of(file.role(), path).sha256().equals(file.sha256())) {
      throw new InvalidInputException(path + ": the file has changed while it was read; start again");
    }
    return pieces.toArray(byte[][]::new);
  }

  @Override
  public <G extends ReplicaGroup> void train(List<G> groups, GroupTrainer<G> trainer) {
    if (groups.isEmpty()) {
      return;
    }
    // The largest first, so that none of them runs last.
    List<G> sorted = groups.stream().sorted(Comparator.comparingDouble(
        group -> -(double) ParameterLayout.of(group.network()).size() * group.size())).toList();
    Job running = new Job(sorted.stream().map(trainer::text).toList(), job, "training");
    try {
      receive(running, sorted, trainer);
    } catch (RuntimeException | Error e) {
      running.cancel();
      throw e;
    }
  }

  private <G extends ReplicaGroup> void receive(Job running, List<G> sorted, GroupTrainer<G> trainer) {
    for (int left = sorted.size(); left > 0; left--) {
      Received received = running.next(trainer);
      TrialReply reply = received.reply();
      Numerics there = Numerics.parse(reply.numerics());
      if (reply.results() == null) {
        throw new InvalidInputException(reply.executor() + " computes with other last bits than the first executor: "
            + String.join("; ", there.differencesFrom(numerics))
            + "; give all executors the same processors, Java and options, or add --allow-other-numerics");
      }
      if (!there.equals(lastNumerics)) {
        lastNumerics = there;
        onNumerics.accept(there);
      }
      trainer.received(sorted.get(received.group()), reply.results());
      shares.merge(reply.executor() + " (" + reply.deviceName() + ")", 1, Integer::sum);
    }
  }

  /** Notes which executor has trained how much. */
  @Override
  public void close() {
    if (!shares.isEmpty()) {
      int groups = shares.values().stream().mapToInt(Integer::intValue).sum();
      onNote.accept(groups + (groups == 1 ? " group" : " groups") + " trained: "
          + shares.entrySet().stream().map(share -> share.getValue() + " by " + share.getKey()).collect(Collectors.joining(", ")));
      shares.clear();
    }
  }

  /** A running job of Spark with a task for each group. */
  private final class Job {
    private final BlockingQueue<Received> replies = new LinkedBlockingQueue<>();
    private final SimpleFutureAction<BoxedUnit> action;

    Job(List<String> groups, TrialRequest work, String name) {
      RDD<String> tasks = JavaSparkContext.fromSparkContext(context).parallelize(groups, groups.size()).rdd();
      context.setJobGroup("plumb " + name, "plumb " + name, true);
      List<Object> all = new ArrayList<>();
      for (int i = 0; i < groups.size(); i++) {
        all.add(i);
      }
      action = context.submitJob(tasks, work, scala.jdk.javaapi.CollectionConverters.asScala(all).toSeq(),
          (group, reply) -> {
            replies.add(new Received((Integer) group, reply));
            return BoxedUnit.UNIT;
          }, () -> BoxedUnit.UNIT);
    }

    void cancel() {
      action.cancel();
    }

    /** Waits for the only reply. */
    TrialReply await() {
      return next(null).reply();
    }

    /**
     * Waits for the reply of a group.
     *
     * @param trainer asked whether to stop; null if it cannot
     */
    Received next(GroupTrainer<?> trainer) {
      try {
        long start = System.nanoTime();
        boolean isNoted = trainer != null;
        while (true) {
          if (trainer != null && trainer.stopRequested()) {
            throw new CancellationException();
          }
          // Asked first: replies come before the end.
          boolean ended = action.isCompleted();
          Received received = replies.poll(ended ? 0 : POLL_MILLIS, TimeUnit.MILLISECONDS);
          if (received != null) {
            if (received.reply().refusal() != null) {
              throw refusal(received.reply());
            }
            return received;
          }
          if (ended) {
            throw SparkFailures.of(action.value().get().failed().get());
          }
          if (!isNoted && System.nanoTime() - start > WAIT_NOTE_NANOS) {
            isNoted = true;
            onNote.accept("waiting for an executor; Spark's own page shows whether the cluster has free cores, memory and GPUs");
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new TrainingInterruptedException("while networks of a study were in training");
      }
    }

    private RuntimeException refusal(TrialReply reply) {
      return reply.isUnavailable() ? new DeviceUnavailableException(reply.executor() + ", " + reply.deviceName() + ": " + reply.refusal())
          : new InvalidInputException(reply.refusal());
    }
  }
}
