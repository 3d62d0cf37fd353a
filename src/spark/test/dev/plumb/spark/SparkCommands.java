package dev.plumb.spark;

import dev.plumb.cli.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;

/**
 * Several commands in one driver, one after the other, because executors take long to start. Each command begins with what happens in
 * its tasks, and ends with the word {@code then}: {@code none study --on local-cluster[2,1,1024] then}. Prints the exit code after each.
 */
public final class SparkCommands {
  /** The setting with the file to which tasks write. */
  private static final String FILE = "spark.plumb.test.file";

  private SparkCommands() {}

  public static void main(String[] args) {
    List<String> command = new ArrayList<>();
    List<SparkCluster> clusters = new ArrayList<>();
    for (String arg : args) {
      if (!arg.equals("then")) {
        command.add(arg);
        continue;
      }
      // All share one context.
      clusters.add(new SparkCluster(hook(command.get(0))));
      int code = Main.run(clusters.get(clusters.size() - 1), command.subList(1, command.size()).toArray(String[]::new));
      System.out.println("exit code " + code);
      command.clear();
    }
    clusters.forEach(SparkCluster::close);
    System.exit(0);
  }

  private static TaskHook hook(String name) {
    return switch (name) {
      case "none" -> TaskHook.NONE;
      case "differ" -> new Differing();
      case "halt" -> SparkCommands::halt;
      case "throw" -> SparkCommands::fail;
      case "slow" -> SparkCommands::wait;
      case "slower" -> task -> sleep(500);
      case "versions" -> SparkCommands::writeVersions;
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** Sends a wrong digest in the first attempt of a task, and then fails, as an executor with a faulty memory that is lost. */
  private static final class Differing implements TaskHook {
    private static final long serialVersionUID = 1L;

    @Override
    public void begin(TaskContext task) {}

    @Override
    public String digest(TaskContext task, String digest) {
      return isFaulty(task) ? "wrong" : digest;
    }

    @Override
    public void end(TaskContext task) {
      if (isFaulty(task)) {
        throw new IllegalStateException("lost");
      }
    }

    private static boolean isFaulty(TaskContext task) {
      return task.partitionId() == 1 && task.attemptNumber() == 0;
    }
  }

  /** Ends the process of a task as a segmentation fault does. */
  private static void halt(TaskContext task) {
    if (task.partitionId() == 1 && task.attemptNumber() == 0) {
      Runtime.getRuntime().halt(139);
    }
  }

  /** Fails twice. */
  private static void fail(TaskContext task) {
    if (task.partitionId() == 1 && task.attemptNumber() < 2) {
      throw new IllegalStateException("attempt " + task.attemptNumber() + " fails");
    }
  }

  /** Takes long in the first attempt of the last task, so that Spark starts a second one; both write a line. */
  private static void wait(TaskContext task) {
    if (task.partitionId() == 3) {
      write("attempt " + task.attemptNumber());
      sleep(task.attemptNumber() == 0 ? 60_000 : 0);
    }
  }

  private static void sleep(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Writes which versions of Jackson Plumb and Spark have. */
  private static void writeVersions(TaskContext task) {
    try {
      String plumb = String.valueOf(Class.forName("dev.plumb.shaded.jackson.core.json.PackageVersion", true,
          Thread.currentThread().getContextClassLoader()).getField("VERSION").get(null));
      String spark = String.valueOf(Class.forName("com.fasterxml.jackson.core.json.PackageVersion").getField("VERSION").get(null));
      write("executor " + SparkEnv.get().executorId() + ": Jackson " + plumb + ", Spark's " + spark);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(String line) {
    try {
      Files.writeString(Path.of(SparkEnv.get().conf().get(FILE)), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
