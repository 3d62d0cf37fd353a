package dev.plumb.spark;

import java.util.Arrays;
import java.util.Optional;
import org.apache.spark.TaskContext;

/**
 * The command line on Spark with a fault in its tasks, which the first argument names: {@code halt} ends the process of the first
 * task to be tried, {@code throw} lets each task fail twice, {@code none} does nothing.
 */
public final class FaultyPlumb {
  private FaultyPlumb() {}

  public static void main(String[] args) {
    TaskHook hook = switch (args[0]) {
      case "halt" -> FaultyPlumb::halt;
      case "throw" -> FaultyPlumb::fail;
      case "none" -> task -> {};
      default -> throw new IllegalArgumentException(args[0]);
    };
    System.exit(SparkMain.run(Optional.of(hook), Arrays.copyOfRange(args, 1, args.length)));
  }

  /** Ends the process as a segmentation fault does. */
  private static void halt(TaskContext task) {
    if (task.partitionId() == 1 && task.attemptNumber() == 0) {
      Runtime.getRuntime().halt(139);
    }
  }

  private static void fail(TaskContext task) {
    if (task.attemptNumber() < 2) {
      throw new IllegalStateException("attempt " + task.attemptNumber() + " fails");
    }
  }
}
