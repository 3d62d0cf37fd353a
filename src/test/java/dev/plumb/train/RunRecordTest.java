package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunRecordTest {
  @TempDir Path folder;

  @Test
  void finishedRunHasTheFiguresOfItsManifest() throws IOException {
    Path path = RunFolders.write(folder.resolve("iris-1"), RunFolders.CLASSES, RunFolders.finished(0.9));
    RunFolders.setTime(path, Instant.parse("2026-01-02T03:04:05Z"));
    RunRecord run = RunRecord.read(path);
    assertEquals("iris-1", run.name());
    assertEquals(RunRecord.Status.FINISHED, run.status());
    assertEquals(Instant.parse("2026-01-02T03:04:05Z"), run.changed());
    assertEquals(Task.CLASSIFICATION, run.task());
    assertEquals("2-4-3 relu", run.network());
    assertEquals(OptionalInt.of(27), run.parameters());
    assertEquals(OptionalInt.of(30), run.count("validation"));
    assertEquals(OptionalInt.empty(), run.count("test"));
    assertEquals("cpu (2 threads)", run.device());
    assertEquals(2, run.history().size());
    assertEquals(1, run.bestEpoch());
    assertEquals(1.0, run.seconds());
    assertEquals(Map.of(Metric.LOSS, 0.25, Metric.ACCURACY, 0.9), run.scores().get("validation"));
    assertEquals(Map.of(Metric.ACCURACY, 0.5), run.baselines().get("validation"));
    assertEquals(Map.of(Metric.ACCURACY, 0.9), run.scores().get("training"));
    assertFalse(run.scores().containsKey("test"));
    assertEquals(Optional.of(Loss.CROSS_ENTROPY), run.config().loss(), "the default loss of the task");
  }

  @ParameterizedTest
  @CsvSource({"epochs, FINISHED", "early_stopping, STOPPED_EARLY", "diverged, DIVERGED", "stopped, INTERRUPTED",
      "begun, INTERRUPTED"})
  void statusIsThatOfTheManifest(String state, RunRecord.Status status) throws IOException {
    Map<String, Object> result = RunFolders.finished(0.9);
    result.put("state", state);
    assertEquals(status, RunRecord.read(RunFolders.write(folder.resolve("run"), RunFolders.CLASSES, result)).status());
  }

  @Test
  void killedRunHasTheScoresOfItsBestEpochSoFar() throws IOException {
    List<EpochMetrics> epochs = List.of(epoch(1, 0.5, 0.6), epoch(2, 0.3, 0.7), epoch(3, 0.3, 0.9), epoch(4, 0.4, 0.8));
    RunRecord run = RunRecord.read(RunFolders.write(folder.resolve("killed"), RunFolders.CLASSES, Map.of("state", "begun"), epochs,
        List.of()));
    assertEquals(2, run.bestEpoch());
    assertEquals(Map.of("validation", Map.of(Metric.LOSS, 0.3, Metric.ACCURACY, 0.7)), run.scores());
    assertEquals("100-100 relu", run.network(), "the manifest of an earlier version has no network");

    TrainConfig watched = RunFolders.CLASSES.with(changes -> changes.watch(Metric.MACRO_F1));
    run = RunRecord.read(RunFolders.write(folder.resolve("watched"), watched, Map.of("state", "begun"), epochs, List.of()));
    assertEquals(3, run.bestEpoch());
    assertEquals(Map.of("validation", Map.of(Metric.LOSS, 0.3, Metric.MACRO_F1, 0.9)), run.scores());
  }

  @Test
  void scoresOfARunThatWasResumedAndKilledAreNotThoseOfItsManifest() throws IOException {
    Map<String, Object> result = RunFolders.finished(0.9);
    result.put("state", "stopped");
    RunRecord run = RunRecord.read(
        RunFolders.write(folder.resolve("run"), RunFolders.CLASSES, result, RunFolders.epochs(5), List.of()));
    assertEquals(5, run.bestEpoch());
    assertEquals(1.0 / 6, run.scores().get("validation").get(Metric.LOSS));
  }

  /** In the history, errors are in units of the standardized target. */
  @Test
  void errorsOfTheHistoryAreNoScores() throws IOException {
    TrainConfig config = RunFolders.NUMBERS.with(changes -> changes.watch(Metric.RMSE));
    RunRecord run = RunRecord.read(RunFolders.write(folder.resolve("run"), config, Map.of("state", "begun")));
    assertEquals(Map.of("validation", Map.of(Metric.LOSS, 1.0 / 2)), run.scores());
  }

  @Test
  void absentKeysOfTheConfigurationHaveTheirDefaults() throws IOException {
    Path path = RunFolders.write(folder.resolve("run"), RunFolders.CLASSES, RunFolders.finished(0.9));
    RunRecord whole = RunRecord.read(path);
    RunFolders.editManifest(path, text -> {
      for (String line : List.of("    \"activation\": \"relu\",\n", "    \"warmUpEpochs\": 0,\n", "    \"loss\": null,\n")) {
        text.replace(text.indexOf(line), text.indexOf(line) + line.length(), "");
      }
    });
    assertEquals(whole.config(), RunRecord.read(path).config());
  }

  @Test
  void trainingIsRunningUntilItIsClosed() throws IOException {
    StringBuilder csv = new StringBuilder("a,b,y\n");
    for (int i = 0; i < 200; i++) {
      csv.append(i % 7).append(',').append(i % 5).append(',').append(i % 3 == 0 ? "x" : "z").append('\n');
    }
    Path data = Files.writeString(folder.resolve("data.csv"), csv);
    TrainConfig config = TrainConfig.DEFAULT.with(changes -> changes.hidden(4).epochs(6).validation(0.2));
    TrainingRequest request = new TrainingRequest(data, ReadOptions.DEFAULT, Optional.empty(), Optional.empty(), config, "data",
        folder.resolve("runs"));
    Path path = folder.resolve("runs/data-1");
    int[] epochs = {0};
    try (Backend backend = new ReferenceBackend();
        TrainingRun training = TrainingRun.begin(request, List.of(),
            new TrainingRun.Environment(backend, "1.0", ConfigSelector.BY_ROWS, note -> {}))) {
      RunRecord begun = RunRecord.read(path);
      assertEquals(RunRecord.Status.RUNNING, begun.status());
      assertEquals("2-4-2 relu", begun.network());
      assertEquals(OptionalInt.of(40), begun.count("validation"));
      assertEquals(0, begun.bestEpoch());
      assertEquals(Map.of(), begun.scores());
      training.train(new TrainingRun.Listener() {
        @Override
        public void started(long totalSteps) {}

        @Override
        public void epochFinished(EpochMetrics row, boolean best) {
          epochs[0]++;
        }

        @Override
        public boolean stopRequested() {
          return epochs[0] == 3;
        }
      }, Duration.ofHours(1));
      assertEquals(RunRecord.Status.RUNNING, RunRecord.read(path).status());
      RunRecord running = RunRecord.read(path);
      assertEquals(running.history().get(running.bestEpoch() - 1).validationLoss(),
          running.scores().get("validation").get(Metric.LOSS));
      TrainingResult result = training.finish((finished, out) -> {}, note -> {});
      RunRecord stopped = RunRecord.read(path);
      assertEquals(3, stopped.history().size());
      assertEquals(result.state().bestEpoch(), stopped.bestEpoch());
      assertEquals(running.bestEpoch(), stopped.bestEpoch());
      assertEquals(result.scores().get("validation").accuracy(), stopped.scores().get("validation").get(Metric.ACCURACY));
    }
    assertEquals(RunRecord.Status.INTERRUPTED, RunRecord.read(path).status());
  }

  @Test
  void damagedFileIsNamed() throws IOException {
    Path path = RunFolders.write(folder.resolve("run"), RunFolders.CLASSES, RunFolders.finished(0.9));
    String manifest = Files.readString(path.resolve("manifest.json"));
    Files.writeString(path.resolve("manifest.json"), manifest.replace("\"state\": \"epochs\"", "\"state\": \"dreaming\""));
    assertTrue(fault(path).startsWith(path.resolve("manifest.json") + ": unknown state \"dreaming\"; one of epochs, "), fault(path));
    Files.writeString(path.resolve("manifest.json"), manifest.replace("\"bestEpoch\": 1", "\"bestEpoch\": 99"));
    assertTrue(fault(path).contains("bestEpoch") && fault(path).endsWith("is 99, but 2 epochs are finished"), fault(path));
    for (String name : List.of("/", "a\\u0000b")) {
      Files.writeString(path.resolve("manifest.json"), manifest.replace("\"iris.csv\"", "\"" + name + "\""));
      assertTrue(fault(path).endsWith("which is not the path of a file"), fault(path));
    }
    Files.writeString(path.resolve("manifest.json"), manifest.substring(0, 200));
    assertTrue(fault(path).startsWith(path.resolve("manifest.json") + ": line "), fault(path));
    Files.writeString(path.resolve("manifest.json"), manifest);
    Files.writeString(path.resolve("metrics.csv"), "nonsense\n");
    assertTrue(fault(path).startsWith(path.resolve("metrics.csv") + ": line 1: "), fault(path));
  }

  private static String fault(Path path) {
    return assertThrows(InvalidInputException.class, () -> RunRecord.read(path)).getMessage();
  }

  private static EpochMetrics epoch(int number, double validationLoss, double metric) {
    return new EpochMetrics(number, 1, validationLoss, metric, 0.1, 0.5, new double[] {1});
  }
}
