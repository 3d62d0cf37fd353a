package dev.plumb.spark;

import dev.plumb.cli.Ran;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A driver of Spark in a process of its own, with the finished plumb-spark.jar and the fetched Spark. */
final class SparkProcess {
  /** Two executors on this machine, with one core and 1 GiB each. */
  static final String TWO_EXECUTORS = "local-cluster[2,1,1024]";

  private static final Path SPARK = Path.of("target/spark").toAbsolutePath();
  private static final Path JAR = Path.of("target/plumb-spark.jar").toAbsolutePath();
  private static final Path TESTS = SPARK.resolve("tests.jar");
  private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
  /** 2.13 is in the names of Spark's jars. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of("SPARK_HOME", SPARK.toString(), "SPARK_SCALA_VERSION", "2.13", "JAVA_HOME", System.getProperty("java.home"));

  private SparkProcess() {}

  /**
   * Runs a main class to its end.
   *
   * @param folder the working folder
   * @param mainClass of plumb-spark.jar or src/spark/test
   * @param settings of Spark: name=value
   */
  static Ran run(Path folder, String mainClass, String master, List<String> settings, String... arguments)
      throws IOException, InterruptedException {
    return Ran.of(folder, ENVIRONMENT, command(mainClass, master, settings, arguments).toArray(String[]::new));
  }

  /** Starts a main class likewise; its output goes to the files out and err in the folder. */
  static Process start(Path folder, String mainClass, String master, List<String> settings, String... arguments)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(mainClass, master, settings, arguments)).directory(folder.toFile())
        .redirectOutput(folder.resolve("out").toFile()).redirectError(folder.resolve("err").toFile());
    builder.environment().putAll(ENVIRONMENT);
    return builder.start();
  }

  /** Starts a process of a cluster; its output goes to a file in the folder. */
  static Process startDaemon(Path folder, String mainClass, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(JAVA, "-Xmx256m", "-cp", SPARK.resolve("conf") + ":" + SPARK.resolve("jars") + "/*",
        mainClass));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
        .redirectOutput(Files.createTempFile(folder, "daemon", "").toFile());
    builder.environment().putAll(ENVIRONMENT);
    return builder.start();
  }

  /** Returns the command that Spark's own launcher makes, as its script spark-submit runs it. */
  private static List<String> command(String mainClass, String master, List<String> settings, String... arguments)
      throws IOException {
    List<String> submit = new ArrayList<>(List.of(JAVA, "-cp", SPARK.resolve("jars") + "/*", "org.apache.spark.launcher.Main",
        "org.apache.spark.deploy.SparkSubmit", "--master", master, "--class", mainClass));
    List<String> all = new ArrayList<>(List.of("spark.log.level=WARN", "spark.ui.enabled=false",
        "spark.jars=" + TESTS));
    all.addAll(settings);
    all.forEach(setting -> submit.addAll(List.of("--conf", setting)));
    submit.add(JAR.toString());
    submit.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(submit);
    builder.environment().putAll(ENVIRONMENT);
    String words = new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return Arrays.stream(words.split("\0")).map(String::strip).filter(word -> !word.isEmpty()).toList();
  }
}
