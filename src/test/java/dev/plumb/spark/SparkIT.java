package dev.plumb.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.json.PackageVersion;
import dev.plumb.cli.Ran;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The finished plumb-spark.jar on executors of Spark, compared with plumb-all.jar in one process. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(600)
class SparkIT {
  private static final String ON = SparkProcess.TWO_EXECUTORS;
  private static final Path JAR = Path.of("target/plumb-all.jar").toAbsolutePath();
  private static final Path HOST_DEVICE = Path.of("target/host-device").toAbsolutePath();
  private static final Path IRIS = Path.of("src/test/resources/tables/iris.csv").toAbsolutePath();
  /** As scripts/plumb starts the executors. */
  private static final String VECTORS = "--add-modules=jdk.incubator.vector -XX:+PreserveFramePointer";
  private static final String COMMANDS = "dev.plumb.spark.SparkCommands";

  @TempDir Path folder;

  @BeforeEach
  void writeGrid() throws IOException {
    Files.writeString(folder.resolve("grid.json"), """
        { "name": "g", "epochs": 60, "data": {"samples": 40}, "lossAtEpochs": [10],
          "grid": {"depth": [1, 2, 3, 4, 5], "width": [4, 6], "activation": ["relu", "tanh"], "learningRate": [0.01, 0.05],
                   "seeds": 10} }
        """);
  }

  /**
   * A grid of 400 networks, a cross-validation and a search, on executors of which one is lost, and on which tasks fail or have a faulty
   * memory: each network's row is there once, with the bits that one process gives.
   */
  @Test
  void resultsAreThoseOfOneProcessWhateverHappensToExecutors() throws Exception {
    Path file = folder.resolve("file");
    Ran ran = SparkProcess.run(folder, COMMANDS, ON, List.of("spark.plumb.test.file=" + file, "spark.speculation=true",
        "spark.executor.extraJavaOptions=" + VECTORS), commands(
            "versions study grid.json --on ON --csv on.csv --log on.runs",
            "none cv " + IRIS + " --on ON --csv cv-on.csv --json cv-on.json --epochs 30",
            "throw cv " + IRIS + " --on ON --csv cv-throw.csv --epochs 30",
            "none tune " + IRIS + " --on ON --trials 6 --epochs 22 --log tune-on.runs --json tune-on.json",
            "differ study grid.json --on ON --csv differ.csv --log differ.runs --seed 5",
            "halt study grid.json --on ON --csv halt.csv --log halt.runs"));
    assertEquals(0, ran.code(), ran.err());
    assertEquals("exit code 0\n".repeat(6), ran.out().lines().filter(line -> line.startsWith("exit")).map(line -> line + "\n")
        .collect(Collectors.joining()), ran.err());
    assertTrue(ran.out().startsWith("device: cpu (1 thread; 2 executors), on " + ON + "\n"), ran.out());
    local("study grid.json --csv off.csv --log off.runs");
    local("study grid.json --csv off-5.csv --log off-5.runs --seed 5");
    local("cv " + IRIS + " --csv cv-off.csv --json cv-off.json --epochs 30");
    local("tune " + IRIS + " --trials 6 --epochs 22 --log tune-off.runs --json tune-off.json");
    List<String> rows = rows("off.runs");
    assertEquals(400, rows.size());
    for (String run : List.of("on", "halt")) {
      assertEquals(rows, rows(run + ".runs"), run);
      assertEquals(read("off.csv"), read(run + ".csv"), run);
    }
    assertEquals(rows("off-5.runs"), rows("differ.runs"));
    assertEquals(numerics("off.runs"), numerics("on.runs"));
    assertEquals(read("cv-off.csv"), read("cv-on.csv"));
    assertEquals(read("cv-off.csv"), read("cv-throw.csv"));
    assertEquals(withoutTimes("cv-off.json"), withoutTimes("cv-on.json"));
    assertEquals(withoutTimes("tune-off.json"), withoutTimes("tune-on.json"));

    List<String> written = Files.readAllLines(file);
    assertTrue(written.stream().anyMatch(line -> line.matches("executor [01]: Jackson " + PackageVersion.VERSION + ", Spark's \\S+")),
        written.toString());
    assertFalse(written.stream().anyMatch(line -> line.endsWith("Spark's " + PackageVersion.VERSION)), "another version of Jackson");
    assertTrue(ran.err().contains("Command exited with code 139"), ran.err());
    assertEquals(1, Pattern.compile("warning: the results of a group differ between executor \\d on \\S+ and executor \\d on \\S+"
        + " although their numerics are the same").matcher(ran.err()).results().count(), ran.err());
  }

  /** Spark starts a slow task again on another host. The master and the workers are processes, as on several machines. */
  @Test
  void firstResultOfATaskThatRunsTwiceIsTaken() throws Exception {
    Path file = folder.resolve("file");
    String url;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      url = "spark://127.0.0.1:" + socket.getLocalPort();
    }
    List<Process> cluster = new ArrayList<>();
    try {
      cluster.add(SparkProcess.startDaemon(folder, "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port",
          url.substring(url.lastIndexOf(':') + 1), "--webui-port", "0"));
      for (String host : List.of("127.0.0.2", "127.0.0.3")) {
        cluster.add(SparkProcess.startDaemon(folder, "org.apache.spark.deploy.worker.Worker", "--host", host, "--cores", "1", "--memory",
            "1g", "--webui-port", "0", "--work-dir", folder.resolve("work").toString(), url));
      }
      Ran ran = SparkProcess.run(folder, COMMANDS, url, List.of("spark.plumb.test.file=" + file, "spark.speculation=true",
          "spark.speculation.quantile=0.5", "spark.speculation.interval=50ms", "spark.executor.memory=512m", "spark.driver.host=127.0.0.1",
          "spark.executor.extraJavaOptions=" + VECTORS), commands("slow study grid.json --on " + url + " --csv slow.csv --log slow.runs"));
      assertEquals(0, ran.code(), ran.err());
      assertTrue(ran.out().contains("\nexit code 0\n"), ran.err());
    } finally {
      cluster.forEach(Process::destroyForcibly);
    }
    local("study grid.json --csv off.csv --log off.runs");
    assertEquals(List.of("attempt 0", "attempt 1"), Files.readAllLines(file).stream().sorted().toList());
    assertEquals(rows("off.runs"), rows("slow.runs"));
    assertEquals(read("off.csv"), read("slow.csv"));
  }

  /** Each of two executors has a GPU of its own. */
  @Test
  void tasksUseTheGpuThatSparkAssigns() throws Exception {
    Path script = folder.resolve("gpu");
    Files.writeString(script, """
        #!/bin/bash
        n=0
        until mkdir %s/gpu-$n 2>/dev/null; do n=$((n + 1)); done
        echo '{"name": "gpu", "addresses": ["'$n'"]}'
        """.formatted(folder));
    assertTrue(script.toFile().setExecutable(true));
    assertTrue(Files.isDirectory(HOST_DEVICE), "the host device, which the other tests build");
    List<String> settings = new ArrayList<>(List.of("spark.worker.resource.gpu.amount=1",
        "spark.worker.resource.gpu.discoveryScript=" + script, "spark.executor.resource.gpu.amount=1",
        "spark.executorEnv.PLUMB_HOST_DEVICE_COUNT=2", "spark.executorEnv.PLUMB_HOST_DEVICE_QUIET=1",
        "spark.executor.extraJavaOptions=-Dplumb.cuda.hostDevice=" + HOST_DEVICE, "spark.sql.files.maxPartitionBytes=1000",
        "spark.sql.files.openCostInBytes=0"));
    local("train " + IRIS + " --epochs 5 --device cpu --runs . --name iris --quiet");
    Ran ran = SparkProcess.run(folder, COMMANDS, ON, settings, commands("none study grid.json --seeds 2 --on ON --log on.runs",
        "none study grid.json --seeds 2 --on ON --log cpu.runs --device cpu",
        "none score iris-1 " + IRIS + " scored --on ON --precision bf16 --quiet"));
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().startsWith("device: cuda (host device (CPU, for tests); 2 executors), on " + ON + "\n"), ran.out());
    assertTrue(ran.out().contains("device: cpu (1 thread; 2 executors), on " + ON + "\n"), ran.out());
    Matcher notes = Pattern.compile("note: \\d+ groups trained: \\d+ by (executor \\d) on \\S+ \\((\\S+)\\), \\d+ by (executor \\d) on \\S+"
        + " \\((\\S+)\\)").matcher(ran.err());
    assertTrue(notes.find(), ran.err());
    assertNotEquals(notes.group(1), notes.group(3));
    assertEquals(List.of("cuda:0", "cuda:1"), List.copyOf(new TreeSet<>(List.of(notes.group(2), notes.group(4)))));
    assertTrue(numerics("on.runs").contains("\"backend\":\"cuda\""), numerics("on.runs"));
    assertTrue(numerics("on.runs").contains("\"GPU\":\"host device"), numerics("on.runs"));
    assertEquals(80, rows("on.runs").size());
    onHostDevice("study", "grid.json", "--seeds", "2", "--log", "off.runs", "--device", "cuda");
    assertEquals(numerics("off.runs"), numerics("on.runs"));
    assertEquals(rows("off.runs"), rows("on.runs"));

    List<String> iris = Files.readAllLines(IRIS);
    // Only GPUs compute in bf16.
    List<String> predicted = onHostDevice("predict", "iris-1", IRIS.toString(), "--device", "cuda", "--precision", "bf16").out().lines()
        .toList();
    List<String> expected = IntStream.range(1, iris.size()).mapToObj(row -> iris.get(row) + "," + predicted.get(row)).sorted().toList();
    List<String> scored = new ArrayList<>();
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder.resolve("scored"), "part-*.csv")) {
      for (Path part : parts) {
        List<String> lines = Files.readAllLines(part);
        scored.addAll(lines.subList(1, lines.size()));
      }
    }
    assertEquals(expected, scored.stream().sorted().toList());
  }

  private Ran onHostDevice(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("-Dplumb.cuda.hostDevice=" + HOST_DEVICE, "-jar", JAR.toString()));
    command.addAll(List.of(arguments));
    Ran ran = Ran.of(folder, Map.of("PLUMB_HOST_DEVICE_QUIET", "1"), java(command.toArray(String[]::new)));
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }

  /** Executors whose GPU cannot be used do not fall back to the CPU; settings of GPUs without executors are refused at once. */
  @Test
  void noTaskFallsBackToTheCpu() throws Exception {
    // A folder without a driver hides one that this machine may have.
    List<String> settings = List.of("spark.executor.extraJavaOptions=-Dplumb.cuda.hostDevice=" + folder,
        "spark.executor.resource.gpu.amount=1", "spark.worker.resource.gpu.amount=1",
        "spark.worker.resource.gpu.discoveryScript=" + Files.writeString(folder.resolve("gpu"),
            "#!/bin/bash\necho '{\"name\": \"gpu\", \"addresses\": [\"0\"]}'\n"));
    assertTrue(folder.resolve("gpu").toFile().setExecutable(true));
    Ran ran = SparkProcess.run(folder, "dev.plumb.spark.SparkMain", "local-cluster[1,1,1024]", settings, "study", "--on",
        "local-cluster[1,1,1024]");
    assertEquals(3, ran.code(), ran.err());
    assertTrue(ran.err().lines().anyMatch(line -> line.matches(
        "plumb study: executor 0 on \\S+, cuda:0: the GPU cannot be used: .*")), ran.err());
    assertEquals("", ran.out());
    ran = SparkProcess.run(folder, "dev.plumb.spark.SparkMain", "local[2]", settings, "study", "--on", "local[2]");
    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains("plumb study: --on: local[2]: has no executors that could have GPUs, but"
        + " spark.executor.resource.gpu.amount or spark.task.resource.gpu.amount is set; omit the setting, or use"
        + " local-cluster[EXECUTORS,CORES,MB]\n"), ran.err());
  }

  /** An executor that computes with other vectors than the first one is refused, or its rows say so. */
  @Test
  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64", disabledReason = "the option is one of this processor")
  void executorsWithOtherNumericsAreRefusedOrNamed() throws Exception {
    Files.writeString(folder.resolve("options-0"), "-XX:UseAVX=1\n");
    Files.writeString(folder.resolve("options-1"), "-XX:UseAVX=2\n");
    // A file of options for each executor.
    List<String> settings = List.of("spark.executor.extraJavaOptions=@" + folder + "/options-{{EXECUTOR_ID}}");
    Ran ran = SparkProcess.run(folder, COMMANDS, ON, settings, commands("none study grid.json --seeds 2 --on ON --log refused.runs",
        "none study grid.json --seeds 2 --on ON --log named.runs --allow-other-numerics"));
    assertEquals(0, ran.code(), ran.err());
    assertEquals(List.of("exit code 2", "exit code 0"), ran.out().lines().filter(line -> line.startsWith("exit")).toList(), ran.err());
    assertTrue(ran.err().lines().anyMatch(line -> line.matches("plumb study: executor \\d on \\S+ computes with other last bits than the"
        + " first executor: vectors is \"Vector API, \\d+ bits\", not \"Vector API, \\d+ bits\"; give all executors the same processors,"
        + " Java and options, or add --allow-other-numerics")), ran.err());
    List<String> lines = Files.readAllLines(folder.resolve("named.runs"));
    assertTrue(lines.stream().skip(1).anyMatch(line -> line.startsWith("{\"numerics\":")), "other numerics are in the log");
    assertEquals(IntStream.range(0, 80).boxed().toList(), lines.stream().filter(line -> !line.startsWith("{"))
        .map(line -> Integer.valueOf(line.split(",")[0])).sorted().toList());
  }

  /** A driver that is killed loses the groups in training only; the resumed study has the rows of one that was not. */
  @Test
  void killedDriverIsResumed() throws Exception {
    Process driver = SparkProcess.start(folder, COMMANDS, ON, List.of("spark.executor.extraJavaOptions=" + VECTORS),
        commands("slower study grid.json --on ON --log on.runs"));
    Path log = folder.resolve("on.runs");
    while (!Files.exists(log) || Files.readAllLines(log).size() < 20) {
      assertTrue(driver.isAlive(), Files.readString(folder.resolve("err")));
      Thread.sleep(10);
    }
    driver.destroyForcibly().waitFor();
    int before = Files.readAllLines(log).size();
    assertTrue(before < 401, before + " lines");
    Ran resumed = SparkProcess.run(folder, "dev.plumb.spark.SparkMain", "local[2]",
        List.of("spark.driver.extraJavaOptions=" + VECTORS), "study", "--resume", "on.runs", "--on", "local[2]", "--csv", "on.csv");
    assertEquals(0, resumed.code(), resumed.err());
    local("study grid.json --csv off.csv --log off.runs");
    assertEquals(rows("off.runs"), rows("on.runs"));
    assertEquals(read("off.csv"), read("on.csv"));
  }

  /** scripts/plumb starts Spark: its own copy, which shows only warnings, or the installed one, with all that it needs. */
  @Test
  void launcherStartsSpark() throws Exception {
    Ran ran = launcher(Map.of("PLUMB_JAVA_OPTS", "-Xmx700m"), "study", "--on", "local-cluster[2,1,1024]", "--quiet");
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().startsWith("device: cpu (1 thread; 2 executors), on local-cluster[2,1,1024]\n"), ran.out());
    assertTrue(ran.out().contains("Model D - Very Deep (ReLU)     3-8x8-1      relu            1.6349      0.0528      0.429784"),
        ran.out());
    assertTrue(ran.err().lines().allMatch(line -> line.startsWith("WARNING: Using incubator modules")
        || line.startsWith("WARNING: package sun.security.action not in java.base") || line.startsWith("spark: WARN")),
        ran.err());

    Path home = folder.resolve("spark");
    Path submit = home.resolve("bin/spark-submit");
    Files.createDirectories(submit.getParent());
    Files.writeString(submit, "#!/bin/bash\necho \"$SPARK_HOME\"\nprintf '%s\\n' \"$@\"\n");
    assertTrue(submit.toFile().setExecutable(true));
    ran = launcher(Map.of("SPARK_HOME", home.toString(), "PLUMB_SPARK_OPTS", "--conf a=b --num-executors 3", "PLUMB_JAVA_OPTS",
        "-Xmx3g -Da=b"), "cv", "x.csv", "--on=yarn", "--na-values", "");
    assertEquals(0, ran.code(), ran.err());
    List<String> words = ran.out().lines().toList();
    assertEquals(List.of(home.toString(), "--master", "yarn", "--class", "dev.plumb.spark.SparkMain", "--name", "plumb",
        "--driver-java-options"), words.subList(0, 8));
    assertTrue(words.get(8).endsWith(" -Da=b"), words.get(8));
    assertEquals(List.of("--driver-memory", "3g", "--conf", "spark.driver.defaultJavaOptions=" + VECTORS, "--conf",
        "spark.executor.defaultJavaOptions=" + VECTORS, "--conf", "a=b", "--num-executors", "3"), words.subList(9, 19));
    assertEquals(List.of("cv", "x.csv", "--on=yarn", "--na-values", ""), words.subList(20, words.size()));
    ran = launcher(Map.of(), "study", "--on", "localhost");
    assertEquals("plumb: --on localhost: no Spark is installed here; set SPARK_HOME, or put spark-submit on PATH\n", ran.err());
    assertEquals(new Ran(2, "", "plumb: --on spark://host:7077: no Spark is installed here; set SPARK_HOME, or put spark-submit on PATH\n"),
        launcher(Map.of(), "study", "--on", "spark://host:7077"));
    assertEquals(new Ran(2, "", "plumb: SPARK_HOME (" + folder + ") has no bin/spark-submit; set it to the folder of Spark\n"),
        launcher(Map.of("SPARK_HOME", folder.toString()), "study", "--on", "yarn"));
  }

  /** Runs scripts/plumb where no Spark is installed, unless variables say otherwise. */
  private Ran launcher(Map<String, String> variables, String... arguments) throws Exception {
    Map<String, String> environment = new TreeMap<>(Map.of("SPARK_HOME", "", "PATH", "/usr/bin:/bin"));
    environment.putAll(variables);
    List<String> command = new ArrayList<>(List.of(Path.of("scripts/plumb").toAbsolutePath().toString()));
    command.addAll(List.of(arguments));
    return Ran.of(folder, environment, command.toArray(String[]::new));
  }

  /** Ctrl-C ends a study while results arrive; the log keeps them. */
  @Test
  void interruptStopsAStudy() throws Exception {
    Process driver = SparkProcess.start(folder, COMMANDS, "local[2]", List.of("spark.driver.extraJavaOptions=" + VECTORS),
        commands("slower study grid.json --on local[2] --log on.runs"));
    while (!Files.exists(folder.resolve("on.runs")) || Files.readAllLines(folder.resolve("on.runs")).size() < 20) {
      assertTrue(driver.isAlive(), Files.readString(folder.resolve("err")));
      Thread.sleep(10);
    }
    assertEquals(0, new ProcessBuilder("kill", "-INT", Long.toString(driver.pid())).start().waitFor());
    assertEquals(0, driver.waitFor(), Files.readString(folder.resolve("err")));
    assertTrue(Files.readString(folder.resolve("out")).endsWith("exit code 130\n"), Files.readString(folder.resolve("out")));
    Matcher stopped = Pattern.compile("plumb study: stopped; (\\d+) of 400 networks finished; resume with: plumb study --resume on.runs")
        .matcher(Files.readString(folder.resolve("err")));
    assertTrue(stopped.find(), Files.readString(folder.resolve("err")));
    assertEquals(Integer.parseInt(stopped.group(1)), rows("on.runs").size());
    assertTrue(rows("on.runs").size() < 400);
  }

  private static String[] commands(String... commands) {
    return Arrays.stream(commands).flatMap(command -> Arrays.stream((command.replace("--on ON", "--on " + ON) + " then").split(" ")))
        .toArray(String[]::new);
  }

  private static String[] java(String... arguments) {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of(arguments));
    return command.toArray(String[]::new);
  }

  /** Runs a command in one process, with the Vector API. */
  private void local(String command) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(VECTORS.split(" ")));
    arguments.addAll(List.of("-jar", JAR.toString()));
    arguments.addAll(List.of(command.split(" ")));
    Ran ran = Ran.of(folder, Map.of(), java(arguments.toArray(String[]::new)));
    assertEquals(0, ran.code(), ran.err());
  }

  /** Returns the rows of a log without their times and checksums, sorted. */
  private List<String> rows(String log) throws IOException {
    return Files.readAllLines(folder.resolve(log)).stream().filter(line -> !line.startsWith("{")).map(line -> {
      List<String> fields = new ArrayList<>(Arrays.asList(line.split(",", -1)));
      fields.remove(fields.size() - 1);
      fields.remove(2);
      return String.join(",", fields);
    }).sorted().toList();
  }

  /** Returns the numerics in the first line of a log, and checks that no other ones follow. */
  private String numerics(String log) throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve(log));
    assertFalse(lines.stream().skip(1).anyMatch(line -> line.startsWith("{")), log);
    return lines.get(0).substring(lines.get(0).indexOf("\"numerics\":"));
  }

  /** Returns a table without its columns of times. */
  private String read(String file) throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve(file));
    List<String> names = Arrays.asList(lines.get(0).split(","));
    List<Integer> kept = IntStream.range(0, names.size()).filter(i -> !names.get(i).toLowerCase().contains("seconds")).boxed().toList();
    return lines.stream().map(line -> {
      String[] fields = line.split(",", -1);
      return kept.stream().map(i -> fields[i]).collect(Collectors.joining(","));
    }).collect(Collectors.joining("\n"));
  }

  private String withoutTimes(String json) throws IOException {
    return Files.readString(folder.resolve(json)).replaceAll("\"[a-zA-Z]*[sS]econds\" ?: ?[-+.eE0-9]+", "")
        .replaceAll("\"device\" ?: ?\\{[^}]*\\}", "");
  }
}
