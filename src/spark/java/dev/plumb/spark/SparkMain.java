package dev.plumb.spark;

import dev.plumb.cli.Main;

/** The command line in a driver of Spark; {@code scripts/plumb} starts it for commands with {@code --on}. */
public final class SparkMain {
  private SparkMain() {}

  public static void main(String[] args) {
    int code;
    try (SparkCluster cluster = new SparkCluster(TaskHook.NONE)) {
      code = Main.run(cluster, args);
    }
    System.exit(code);
  }
}
