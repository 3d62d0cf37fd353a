package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands with {@code --on}: what another process makes of a job, and what this one makes of its results. */
class ClusterCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables").toAbsolutePath();

  @TempDir Path folder;

  /** The result of each command, in this process and on a cluster, is the same text and the same JSON. */
  @ParameterizedTest
  @ValueSource(strings = {
      "study --seeds 3 --report REPORT",
      "study --precision fp32 --seed 7",
      "study LIST",
      "study GRID --log LOG",
      "study SPEC --data iris.csv --log LOG",
      "study --data diabetes.csv --seeds 3 --epochs 4 --batch-size 64 --log LOG",
      "cv iris.csv --epochs 8 --layers 6 --csv CSV",
      "cv iris.csv --epochs 8 --layers 6 --seeds 3 --calibrate --validation 0.3 --csv CSV",
      "cv MIXED --missing indicator --epochs 3 --layers 6 --folds 3 --repeats 2 --csv CSV",
      "cv diabetes.csv --epochs 3 --layers 5 --group sex --folds 2 --precision fp64 --csv CSV",
      "cv MIXED --missing drop --lr 1e30 --epochs 3 --layers 5 --optimizer sgd --csv CSV",
      "tune iris.csv --trials 6 --epochs 6 --layers 5 --name t --runs RUNS --log LOG"})
  void resultsAreThoseOfThisProcess(String command) throws IOException {
    ClusterInProcess cluster = new ClusterInProcess(3);
    Plumbed here = run(Optional.empty(), command, "first1");
    Plumbed there = run(Optional.of(cluster), command + " --on spark://host:7077", "second2");
    assertEquals(here.code(), there.code(), here.err() + there.err());
    assertEquals(figures(here.out(), "first1"), figures(there.out(), "second2"));
    assertEquals(read("first1", "json"), read("second2", "json"));
    for (String file : List.of("csv", "report")) {
      assertEquals(Files.exists(folder.resolve("first1." + file)), Files.exists(folder.resolve("second2." + file)));
    }
    assertEquals(read("first1", "csv"), read("second2", "csv"));
    assertEquals(rows("first1"), rows("second2"));
    assertTrue(cluster.trained > 1, "groups trained: " + cluster.trained);
  }

  @Test
  void resumedStudyEndsWithTheSameRows() throws IOException {
    run(Optional.empty(), "study GRID --log LOG", "whole");
    run(Optional.empty(), "study GRID --log LOG", "second2");
    Path log = folder.resolve("second2.log");
    List<String> lines = Files.readAllLines(log);
    Files.write(log, lines.subList(0, 7));
    ClusterInProcess cluster = new ClusterInProcess(2);
    Plumbed resumed = run(Optional.of(cluster), "study --resume " + log + " --on yarn", "resumed");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(rows("whole"), rows("second2"));
    assertEquals(lines.get(0), Files.readAllLines(log).get(0));
  }

  @Test
  void withoutAClusterTheMessageNamesWhatStartsOne() {
    assertEquals(new Plumbed(2, "", "plumb study: --on yarn: Spark has to start Plumb; use scripts/plumb, or spark-submit with"
        + " plumb-spark.jar\n"), Plumbed.run("study", "--on", "yarn"));
  }

  @Test
  void optionsThatNeedADeviceHereAreRefused() {
    for (String command : List.of("study --check-every 10", "tune x.csv --minutes 1")) {
      String option = command.contains("check") ? "--check-every" : "--minutes";
      Plumbed ran = run(Optional.of(new ClusterInProcess(1)), command + " --on yarn", "x");
      assertEquals(2, ran.code());
      assertTrue(ran.err().endsWith(option + ": not available with --on; omit one of them\n"), ran.err());
    }
    assertEquals("plumb study: --threads: each executor uses its cores with --on; omit the option\n",
        run(Optional.of(new ClusterInProcess(1)), "study --threads 2 --on yarn", "x").err());
    for (String device : List.of("cuda:1", "cuda:all")) {
      assertEquals("plumb study: --device " + device + ": Spark assigns the GPUs with --on; use --device cuda\n",
          run(Optional.of(new ClusterInProcess(1)), "study --on yarn --device " + device, "x").err());
    }
    assertEquals("plumb cv: --allow-other-numerics: applies only with --on; omit the option\n",
        Plumbed.run("cv", TABLES.resolve("iris.csv").toString(), "--allow-other-numerics").err());
  }

  @Test
  void tableOfStandardInputIsRefused() {
    assertEquals("plumb cv: -: --on needs a file, which is sent to the executors\n",
        run(Optional.of(new ClusterInProcess(1)), "cv - --on yarn", "x").err());
  }

  private Plumbed run(Optional<Cluster> cluster, String command, String name) {
    List<String> words = new ArrayList<>();
    for (String word : command.split(" ")) {
      words.add(switch (word) {
        case "LOG", "CSV", "REPORT", "RUNS" -> folder.resolve(name + "." + word.toLowerCase()).toString();
        case "GRID" -> spec("\"grid\": {\"depth\": [1, 2], \"width\": [2, 3], \"activation\": [\"relu\", \"tanh\"], \"seeds\": 5}");
        case "LIST" -> spec("\"batchSize\": 3, \"networks\": [{\"layers\": [3,2,1], \"activation\": \"gelu\"},"
            + " {\"layers\": [3,4,1], \"activation\": \"relu\"}]");
        case "SPEC" -> spec("\"seeds\": 2, \"grid\": {\"depth\": [1, 2], \"width\": [3]}, \"batchSize\": 16");
        case "MIXED" -> mixed();
        default -> word.endsWith(".csv") && Files.exists(TABLES.resolve(word)) ? TABLES.resolve(word).toString() : word;
      });
    }
    if (!command.contains("--resume")) {
      words.addAll(List.of("--json", folder.resolve(name + ".json").toString()));
    }
    words.addAll(List.of("--quiet"));
    if (!command.contains("--device")) {
      words.addAll(List.of("--device", "cpu"));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run(new DeviceChoice(Backends::open, cluster), words.toArray(String[]::new),
        new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Plumbed(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Writes a table with text and missing values. */
  private String mixed() {
    StringBuilder table = new StringBuilder("color,size,weight,price\n");
    for (int row = 0; row < 60; row++) {
      table.append(List.of("red", "green", "blue").get(row % 3)).append(',').append(row % 7 == 3 ? "" : row * 0.37).append(',')
          .append(row % 11 == 5 ? "NA" : row * row % 13).append(',').append(row * 1.5 - row % 4).append('\n');
    }
    try {
      return Files.writeString(folder.resolve("mixed.csv"), table).toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private String spec(String entries) {
    try {
      return Files.writeString(folder.resolve("spec.json"), "{\"name\": \"s\", \"epochs\": 6, " + entries + "}").toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Returns the lines of the output without those of devices, times and names of files. */
  private static List<String> figures(String out, String name) {
    return out.replace(name, "NAME").lines().filter(line -> !line.contains("device: ") && !line.contains(" to train, ")
        && !line.startsWith("run: ") && !line.startsWith("tune: ") && !line.startsWith("cost: ")).toList();
  }

  /** Returns the content of a file without times, or nothing if the command does not write it. */
  private String read(String name, String file) throws IOException {
    Path path = folder.resolve(name + "." + file);
    return !Files.exists(path) ? "" : Files.readString(path)
        .replaceAll("\"[a-zA-Z]*[sS]econds\" ?: ?[-+.eE0-9]+", "").replaceAll("\"device\" ?: ?\\{[^}]*\\}", "").replace(name, "NAME");
  }

  /** Returns the rows of a log without times, sorted. */
  private List<String> rows(String name) throws IOException {
    Path path = folder.resolve(name + ".log");
    if (!Files.exists(path)) {
      return List.of();
    }
    return Files.readAllLines(path).stream().skip(1).map(line -> line.startsWith("{") ? line.replaceAll("\"seconds\".*", "")
        : String.join(",", withoutTime(line.split(",", -1)))).sorted().toList();
  }

  /** Leaves out the third field, the time, and the last one, the checksum. */
  private static List<String> withoutTime(String[] fields) {
    List<String> kept = new ArrayList<>(Arrays.asList(fields).subList(0, fields.length - 1));
    kept.remove(2);
    return kept;
  }
}
