package dev.plumb.spark;

import dev.plumb.cli.Main;
import java.util.Optional;

/** The command line in a driver of Spark; {@code scripts/plumb} starts it for commands with {@code --on}. */
public final class SparkMain {
  private SparkMain() {}

  public static void main(String[] args) {
    System.exit(run(Optional.empty(), args));
  }

  /**
   * Runs one command.
   *
   * @param hook called in each task before it trains, by tests
   * @return the exit code
   */
  static int run(Optional<TaskHook> hook, String[] args) {
    try (SparkCluster cluster = new SparkCluster(hook)) {
      return Main.run(cluster, args);
    }
  }
}
