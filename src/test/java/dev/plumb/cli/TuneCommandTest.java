package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TuneCommandTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");
  private static final String SPACE =
      "{\"learningRate\": {\"log\": [1e-3, 1e-1]}, \"width\": {\"choice\": [3, 5]}, \"depth\": {\"choice\": [1, 2]}}";

  @TempDir Path folder;

  private Plumbed tune(String... options) {
    List<String> all = new ArrayList<>(List.of("tune", "--device", "cpu", "--runs", folder.resolve("runs").toString()));
    all.addAll(List.of(options));
    return Plumbed.run(all.toArray(String[]::new));
  }

  private static Plumbed done(Plumbed ran) {
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private static String line(Plumbed ran, String start) {
    return ran.out().lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow(() -> new AssertionError(ran.out()));
  }

  @Test
  void winnerIsTrainedAsItsCommandDoes() throws IOException {
    Plumbed ran = done(tune(TABLES.resolve("iris.csv").toString(), "--trials", "5", "--epochs", "16", "--space", SPACE, "--log",
        path("log.runs"), "--json", path("tune.json"), "--report", path("tune.html"), "--quiet"));
    assertEquals("", ran.err());
    assertEquals("tune: 5 candidates in up to 2 rungs, judged by loss of 5 folds, seed 42; log: " + path("log.runs"), line(ran, "tune: "));
    List<String> lines = ran.out().lines().toList();
    int ladder = lines.indexOf("rung  epochs  candidates  best loss");
    assertTrue(lines.get(ladder + 1).matches("1 {10}5 {11}5 {5}\\d\\.\\d{4}"), ran.out());
    assertTrue(lines.get(ladder + 2).matches("2 {9}16 {11}[2-5] {5}\\d\\.\\d{4}"), ran.out());
    assertTrue(ran.out().contains("\n0 (base)"), ran.out());
    JsonNode json = new ObjectMapper().readTree(Files.readString(folder.resolve("tune.json")));
    assertEquals(5, json.get("candidates").size());
    String command = json.get("winner").get("command").textValue();
    assertEquals("winner: " + command, line(ran, "winner: "));
    String page = Files.readString(folder.resolve("tune.html"));
    assertTrue(page.contains("<h1>iris</h1>"), page);
    assertTrue(page.contains("<p class=\"summary\">5 candidates in up to 2 rungs, judged by loss of 5 folds, seed 42.</p>"), page);
    assertTrue(page.contains("<pre class=\"command\">" + command.replace("\"", "&quot;").replace("'", "&#39;") + "</pre>"), page);
    Matcher words = Pattern.compile("plumb train (\\S+) --config '([^']*)' --runs (\\S+)").matcher(command);
    assertTrue(words.matches(), command);
    TrainConfig winner = TrainConfigJson.parse(words.group(2));
    assertEquals(0, winner.validation());
    assertEquals(16, winner.trainer().training().epochs());
    Plumbed trained = done(Plumbed.run("train", words.group(1), "--config", words.group(2), "--runs", words.group(3), "--device", "cpu",
        "--quiet"));
    Path tuned = Path.of(line(ran, "run: ").substring(5));
    Path again = Path.of(line(trained, "run: ").substring(5));
    assertFalse(tuned.equals(again));
    assertEquals(predictions(again), predictions(tuned));
    assertTrue(Files.exists(tuned.resolve("report.html")));
    assertEquals(json.get("networks").intValue() + 1, Files.readAllLines(folder.resolve("log.runs")).size());
  }

  private static String predictions(Path run) {
    return done(Plumbed.run("predict", run.toString(), TABLES.resolve("iris.csv").toString(), "--device", "cpu", "--quiet")).out();
  }

  @Test
  void truncatedLogResumesToTheSameWinner() throws IOException {
    Path log = folder.resolve("log.runs");
    Plumbed whole = done(tune(TABLES.resolve("wine.csv").toString(), "--trials", "4", "--epochs", "15", "--space", SPACE, "--folds", "2",
        "--seed", "3", "--print-config", "--quiet", "--log", log.toString()));
    TrainConfig winner = TrainConfigJson.parse(whole.out());
    assertEquals(3, winner.seed());
    byte[] bytes = Files.readAllBytes(log);
    List<String> lines = Files.readAllLines(log);
    for (int length : new int[] {lines.get(0).length() + 1, lines.get(0).length() + 200, bytes.length / 2 + 200, bytes.length - 1,
        bytes.length}) {
      Path killed = Files.write(folder.resolve("killed.runs"), Arrays.copyOf(bytes, length));
      assertEquals(whole.out(), done(tune("--resume", killed.toString(), "--print-config", "--quiet", "--report", path("tune.html")))
          .out());
      assertTrue(Files.readString(folder.resolve("tune.html")).contains("<h1>wine</h1>"));
      Files.delete(folder.resolve("tune.html"));
      assertEquals(scores(lines), scores(Files.readAllLines(killed)));
    }
    assertFalse(Files.exists(folder.resolve("runs")), "--print-config trains no final model");
  }

  @Test
  void killedProcessResumesToTheSameWinner() throws Exception {
    List<String> search = List.of(TABLES.resolve("wine.csv").toAbsolutePath().toString(), "--trials", "12", "--epochs", "300",
        "--space", SPACE, "--folds", "3", "--print-config", "--quiet", "--log");
    List<String> whole = new ArrayList<>(search);
    whole.add(path("whole.runs"));
    Plumbed ran = done(tune(whole.toArray(String[]::new)));
    List<String> killed = new ArrayList<>(List.of("tune", "--device", "cpu"));
    killed.addAll(search);
    killed.add("killed.runs");
    Process process = PlumbProcess.startWithSameNumerics(folder, killed);
    Path log = folder.resolve("killed.runs");
    PlumbProcess.await(() -> Files.exists(log) && Files.readAllLines(log).size() > 20);
    process.destroyForcibly().waitFor();
    List<String> lines = Files.readAllLines(folder.resolve("whole.runs"));
    assertTrue(Files.readAllLines(log).size() < lines.size(), "killed before its end");
    assertEquals(ran.out(), done(tune("--resume", log.toString(), "--print-config", "--quiet")).out());
    assertEquals(scores(lines), scores(Files.readAllLines(log)));
  }

  /** Returns the sorted lines of networks without their times. */
  private static List<String> scores(List<String> lines) {
    return lines.stream().skip(1).map(line -> line.replaceFirst(",\"seconds\".*", "")).sorted().toList();
  }

  @Test
  void optionsFixHyperparameters() throws IOException {
    done(tune(TABLES.resolve("iris.csv").toString(), "--trials", "9", "--epochs", "2", "--activation", "tanh", "--layers", "6",
        "--no-residual", "--dropout", "0.1", "--optimizer", "sgd", "--validation", "0.4", "--json", path("tune.json"), "--print-config",
        "--log", path("log.runs")));
    JsonNode json = new ObjectMapper().readTree(Files.readString(folder.resolve("tune.json")));
    assertEquals(1, json.get("rungs").size());
    for (JsonNode candidate : json.get("candidates")) {
      JsonNode config = candidate.get("config");
      assertEquals("tanh", config.get("activation").textValue());
      assertEquals("[6]", config.get("layers").toString());
      assertFalse(config.get("residual").booleanValue());
      assertEquals(0.1, config.get("dropout").doubleValue());
      assertEquals(0.0, config.get("optimizer").get("weightDecay").doubleValue());
    }
    assertTrue(json.get("candidates").findValuesAsText("learningRate").stream().distinct().count() > 5);
  }

  @Test
  void minutesAreTurnedIntoTrials() {
    Plumbed ran = done(tune(TABLES.resolve("iris.csv").toString(), "--minutes", "1e-6", "--epochs", "2", "--layers", "3", "--batch-size",
        "all", "--normalization", "none", "--quiet", "--log", path("log.runs")));
    assertEquals("tune: 1 candidate (for about 0 s; repeat it with --trials 1) in 1 rung, judged by loss of 5 folds, seed 42; log: "
        + path("log.runs"), line(ran, "tune: "));
  }

  @Test
  void logOfAnotherCommandOrOtherDataIsRefused() throws IOException {
    Path data = Files.copy(TABLES.resolve("iris.csv"), folder.resolve("iris.csv"));
    done(tune(data.toString(), "--trials", "1", "--epochs", "1", "--layers", "3", "--print-config", "--log", path("tune.runs")));
    done(Plumbed.run("study", "--data", data.toString(), "--epochs", "1", "--layers", "3", "--device", "cpu", "--quiet", "--log",
        path("study.runs")));
    Plumbed study = Plumbed.run("study", "--resume", path("tune.runs"));
    assertEquals("plumb study: " + path("tune.runs") + ", line 1: this is the log of a hyperparameter search; resume it with plumb tune"
        + " --resume\n", study.err());
    assertEquals(2, study.code());
    Plumbed tune = tune("--resume", path("study.runs"));
    assertEquals("plumb tune: " + path("study.runs") + ": this is the run file of a study; resume it with plumb study --resume\n",
        tune.err());
    assertEquals(2, tune.code());
    Plumbed fixed = tune("--resume", path("tune.runs"), "--trials", "3");
    assertEquals("plumb tune: --trials: cannot be changed when a search is resumed; omit the option\n", fixed.err());
    Files.writeString(folder.resolve("damaged.runs"), Files.readString(folder.resolve("tune.runs")).replace("\"rung\":0", "\"rung\":9"));
    Plumbed damaged = tune("--resume", path("damaged.runs"), "--quiet");
    assertTrue(damaged.err().matches("plumb tune: " + Pattern.quote(path("damaged.runs"))
        + ": the network of rung 9, candidate 0, fold \\d, seed 0 is not one of this search\n"), damaged.err());
    assertEquals(2, damaged.code());
    Files.write(data, Files.readAllLines(data).subList(0, 120));
    Plumbed changed = tune("--resume", path("tune.runs"));
    assertTrue(changed.err().contains("the data has changed since the study started"), changed.err());
    assertEquals(2, changed.code());
  }

  @Test
  void divergedSearchFails() {
    Plumbed ran = tune(TABLES.resolve("diabetes.csv").toString(), "--trials", "2", "--epochs", "2", "--optimizer", "sgd", "--lr", "1e30",
        "--layers", "3", "--normalization", "none", "--folds", "2", "--quiet", "--log", path("log.runs"));
    assertEquals(1, ran.code());
    assertEquals("plumb tune: the trainings of all candidates diverged; use a space with lower learning rates or --clip-norm 1\n",
        ran.err());
    assertFalse(Files.exists(folder.resolve("runs")));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void stoppedSearchSaysHowToResume() throws Exception {
    Process process = PlumbProcess.start(folder, List.of(), List.of("tune", TABLES.resolve("wine.csv").toAbsolutePath().toString(),
        "--device", "reference", "--epochs", "100000", "--trials", "3"));
    PlumbProcess.await(() -> Files.exists(folder.resolve("out")) && Files.readString(folder.resolve("out")).contains("tune: "));
    // The handler of the signal is installed after the heading.
    Thread.sleep(1000);
    PlumbProcess.signal(process, "INT");
    assertEquals(130, process.waitFor());
    String err = Files.readString(folder.resolve("err"));
    assertTrue(err.endsWith("plumb tune: stopped; resume with: plumb tune --resume wine-tune-1.runs\n"), err);
    assertTrue(Files.exists(folder.resolve("wine-tune-1.runs")));
  }
}
