package dev.plumb.spark;

import dev.plumb.study.ResultLedger;
import java.io.IOException;
import java.io.Serializable;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Sends the digest of each result to the driver. Spark drops the second result of a task that it has run twice, so that the driver
 * could not compare it with the first.
 */
public final class ResultPlugin implements SparkPlugin {
  /** The digest of a group's results. */
  private record Digest(String group, String numerics, String executor, String digest) implements Serializable {}

  private static final System.Logger LOG = System.getLogger(ResultPlugin.class.getName());
  private static final ResultLedger LEDGER = new ResultLedger();
  /** In the driver. */
  private static volatile Consumer<String> onDifference = message -> {};
  /** In an executor. */
  private static volatile PluginContext context;

  /** Sets the consumer of a line about each result that differs from the first one. */
  static void onDifference(Consumer<String> consumer) {
    onDifference = consumer;
  }

  /** Sends a digest from an executor. The result does not depend on it: a failure is only logged. */
  static void send(String group, String numerics, String executor, String digest) {
    try {
      context.send(new Digest(group, numerics, executor, digest));
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "the digest of a result cannot be sent", e);
    }
  }

  @Override
  public DriverPlugin driverPlugin() {
    return new DriverPlugin() {
      @Override
      public Map<String, String> init(SparkContext of, PluginContext pluginContext) {
        return Map.of();
      }

      @Override
      public Object receive(Object message) {
        if (message instanceof Digest digest) {
          LEDGER.add(digest.group(), digest.numerics(), digest.executor(), digest.digest()).ifPresent(onDifference);
        }
        return null;
      }
    };
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext pluginContext, Map<String, String> settings) {
        context = pluginContext;
        try {
          // Connects to the driver now: if the first message were sent by a task that is being killed, Spark would give up for good.
          context.send("executor " + context.executorID());
        } catch (IOException e) {
          LOG.log(System.Logger.Level.WARNING, "the driver cannot be reached", e);
        }
      }
    };
  }
}
