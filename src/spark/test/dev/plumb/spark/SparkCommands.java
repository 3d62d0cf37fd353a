package dev.plumb.spark;

import dev.plumb.cli.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    SparkCluster last = null;
    for (String arg : args) {
      if (!arg.equals("then")) {
        command.add(arg);
        continue;
      }
      // All share one context.
      last = new SparkCluster(Optional.of(hook(command.get(0))));
      int code = Main.run(last, command.subList(1, command.size()).toArray(String[]::new));
      System.out.println("exit code " + code);
      command.clear();
    }
    last.close();
  }

  private static TaskHook hook(String name) {
    return switch (name) {
      case "none" -> task -> {};
      case "halt" -> SparkCommands::halt;
      case "throw" -> SparkCommands::fail;
      case "slow" -> SparkCommands::wait;
      case "versions" -> SparkCommands::writeVersions;
      default -> throw new IllegalArgumentException(name);
    };
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
      try {
        Thread.sleep(task.attemptNumber() == 0 ? 20_000 : 0);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
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
