package dev.plumb.spark;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.cli.Cluster;
import dev.plumb.cli.ScoringRequest;
import dev.plumb.cli.ScoringResult;
import dev.plumb.model.InvalidInputException;
import dev.plumb.study.ClusterBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/** The executors of the Spark application whose driver this process is. */
final class SparkCluster implements Cluster, AutoCloseable {
  static final String TASK_GPUS = "spark.task.resource.gpu.amount";
  private static final String EXECUTOR_GPUS = "spark.executor.resource.gpu.amount";
  private static final String PLUGINS = "spark.plugins";
  private static final Pattern LOCAL_CLUSTER = Pattern.compile("local-cluster\\[ *([0-9]+) *,.*");
  private static final int REGISTRATION_SECONDS = 60;

  private final TaskHook hook;
  private Optional<SparkContext> opened = Optional.empty();

  /** @param hook called by the tasks */
  SparkCluster(TaskHook hook) {
    this.hook = hook;
  }

  @Override
  public ClusterBackend open(String url, Device device, Backends.Usage usage, Consumer<String> onWarning,
      boolean otherNumericsAllowed) {
    SparkConf conf = configuration(url);
    conf.set(PLUGINS, conf.contains(PLUGINS) ? conf.get(PLUGINS) + "," + ResultPlugin.class.getName() : ResultPlugin.class.getName());
    Device.Kind kind = deviceKind(conf, device);
    ResultPlugin.onDifference(onWarning);
    SparkContext context = started(url, () -> SparkContext.getOrCreate(conf));
    opened = Optional.of(context);
    awaitExecutors(context, conf);
    return new SparkTrials(context, new DeviceRequest(kind, usage.recordGraphs(), usage.planner()), otherNumericsAllowed,
        usage.onNote(), hook);
  }

  @Override
  public ScoringResult score(String url, ScoringRequest request) {
    SparkConf conf = configuration(url);
    return new SparkScoring(request, conf, deviceKind(conf, request.device())).run(() -> {
      SparkSession session = started(url, () -> SparkSession.builder().config(conf).getOrCreate());
      opened = Optional.of(session.sparkContext());
      awaitExecutors(session.sparkContext(), conf);
      return session;
    });
  }

  private static SparkConf configuration(String url) {
    SparkConf conf = new SparkConf();
    String master = conf.get("spark.master", url);
    if (!master.equals(url)) {
      throw new InvalidInputException(url + ": Spark was started with --master " + master + "; use the same for both");
    }
    conf.set("spark.master", master);
    conf.setIfMissing("spark.app.name", "plumb");
    // Results are taken as they come, and not kept together.
    conf.setIfMissing("spark.driver.maxResultSize", "0");
    boolean isLocal = master.equals("local") || master.startsWith("local[");
    if (hasGpus(conf) && isLocal) {
      throw new InvalidInputException(url + ": has no executors that could have GPUs, but " + EXECUTOR_GPUS + " or " + TASK_GPUS
          + " is set; omit the setting, or use local-cluster[EXECUTORS,CORES,MB]");
    }
    if (conf.contains(EXECUTOR_GPUS)) {
      conf.setIfMissing(TASK_GPUS, "1");
      // A lost GPU fails its tasks so fast that it would take each retry: after two failures another executor is used.
      conf.setIfMissing("spark.excludeOnFailure.enabled", "true");
      conf.setIfMissing("spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor", "2");
      conf.setIfMissing("spark.excludeOnFailure.task.maxTaskAttemptsPerNode", "3");
    }
    if (LOCAL_CLUSTER.matcher(master).matches()) {
      requireSparkHome(url);
    }
    return conf;
  }

  /** Returns what a call of Spark returns that starts it; Spark's exceptions, checked ones among them, become one line. */
  private static <T> T started(String url, Callable<T> start) {
    try {
      return start.call();
    } catch (Exception e) {
      throw new DeviceUnavailableException(url + ": Spark does not start: "
          + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + " (" + e.getClass().getSimpleName() + ")");
    }
  }

  private static boolean hasGpus(SparkConf conf) {
    return conf.contains(EXECUTOR_GPUS) || conf.contains(TASK_GPUS);
  }

  /** Returns the kind of device of each task. */
  static Device.Kind deviceKind(SparkConf conf, Device device) {
    Device.Kind kind = device.kind() != Device.Kind.AUTO ? device.kind() : hasGpus(conf) ? Device.Kind.CUDA : Device.Kind.CPU;
    if (kind == Device.Kind.CUDA && !hasGpus(conf)) {
      throw new DeviceUnavailableException("--device cuda: no GPUs are requested from Spark",
          "set " + EXECUTOR_GPUS + ", and the discovery script of the cluster");
    }
    return kind;
  }

  /** Spark would start executors without its classes again and again. */
  private static void requireSparkHome(String url) {
    String home = System.getenv("SPARK_HOME");
    if (home == null || !Files.isDirectory(Path.of(home, "jars"))) {
      throw new InvalidInputException(url + ": needs the environment variable SPARK_HOME, a folder with Spark's libraries in jars;"
          + " scripts/plumb sets it");
    }
  }

  /** Waits for the executors of a local cluster. */
  private static void awaitExecutors(SparkContext context, SparkConf conf) {
    Matcher localCluster = LOCAL_CLUSTER.matcher(conf.get("spark.master"));
    if (localCluster.matches()) {
      awaitExecutors(context, Integer.parseInt(localCluster.group(1)));
    }
  }

  private static void awaitExecutors(SparkContext context, int executors) {
    long end = System.nanoTime() + REGISTRATION_SECONDS * 1_000_000_000L;
    while (executors(context) < executors && System.nanoTime() < end) {
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    if (executors(context) == 0) {
      throw new DeviceUnavailableException("no executor of Spark has started within " + REGISTRATION_SECONDS + " s",
          "the folder work in SPARK_HOME has their output");
    }
  }

  /** Waits until no further executor has registered for a second, and at most ten: Spark starts a task on the first one. */
  static void awaitOthers(SparkContext context) {
    if (context.isLocal()) {
      return;
    }
    int before = executors(context);
    for (int seconds = 0; seconds < 10; seconds++) {
      try {
        Thread.sleep(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      int now = executors(context);
      if (now == before) {
        return;
      }
      before = now;
    }
  }

  /** Returns the number of tasks that run at the same time: by cores and, if tasks have GPUs, by these. */
  static int slots(SparkContext context) {
    SparkConf conf = context.conf();
    int byCores = Math.max(1, context.defaultParallelism() / conf.getInt("spark.task.cpus", 1));
    if (!conf.contains(TASK_GPUS) || !conf.contains(EXECUTOR_GPUS)) {
      return byCores;
    }
    double gpusOfExecutor = conf.getDouble(EXECUTOR_GPUS, 1) / conf.getDouble(TASK_GPUS, 1);
    return Math.max(1, Math.min(byCores, (int) (executors(context) * gpusOfExecutor)));
  }

  /** Returns the number of executors that have registered; the driver is no executor. */
  static int executors(SparkContext context) {
    return context.statusTracker().getExecutorInfos().length - 1;
  }

  @Override
  public void close() {
    opened.ifPresent(SparkContext::stop);
  }
}
