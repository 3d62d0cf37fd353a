package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that is killed, stopped by a signal and resumed. */
@DisabledOnOs(OS.WINDOWS)
class TrainProcessTest {
  private static final Path DATA = Path.of("src/test/resources/tables/breast_cancer.csv").toAbsolutePath();
  /** Seed of the times at which the process is killed. */
  private static final long SEED = 20241125;
  /** {@code -Dplumb.test.kills=50} runs a longer test. */
  private static final int KILLS = Integer.getInteger("plumb.test.kills", 4);

  @TempDir Path folder;
  private byte[] wholeModel;

  @BeforeEach
  void trainWithoutInterruption() throws Exception {
    assertEquals(0, start(command()).waitFor());
    wholeModel = Files.readAllBytes(run(1).resolve("model.safetensors"));
  }

  @Test
  void resumedAfterKillsAtAnyTimeMakesTheSameModel() throws Exception {
    Random random = new Random(SEED);
    Process process = start(command());
    // A run can be resumed as soon as its folder exists.
    PlumbProcess.await(() -> Files.exists(run(2)));
    int kills = 0;
    while (kills < KILLS) {
      process.waitFor(random.nextInt(1500), TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      kills++;
      assertFilesAreComplete(kills);
      process = start(List.of("train", "--resume", run(2).toString(), "--checkpoint-every", "0"));
    }
    assertEquals(0, process.waitFor(), "seed " + SEED + ": " + Files.readString(folder.resolve("err")));
    assertArrayEquals(wholeModel, Files.readAllBytes(run(2).resolve("model.safetensors")), "seed " + SEED);
    try (Stream<Path> files = Files.list(run(2))) {
      assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith(".plumb-")), "a temporary file was left");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void stopSignalWritesACheckpointAndPrintsHowToResume(String signal) throws Exception {
    Process process = start(command());
    Path metrics = run(2).resolve("metrics.csv");
    PlumbProcess.await(() -> Files.exists(metrics) && Files.readAllLines(metrics).size() > 3);
    PlumbProcess.signal(process, signal);
    assertEquals(130, process.waitFor());
    String err = Files.readString(folder.resolve("err"));
    assertTrue(err.contains("stopping after this step"), err);
    assertTrue(err.lines().reduce("", (before, line) -> line).matches(
        "plumb train: stopped in epoch \\d+; resume with: plumb train --resume .*cancer-2"), err);
    assertEquals(0, start(List.of("train", "--resume", run(2).toString())).waitFor());
    assertArrayEquals(wholeModel, Files.readAllBytes(run(2).resolve("model.safetensors")));
  }

  /** Checks that a killed process leaves complete files, old or new. */
  private void assertFilesAreComplete(int kills) {
    Plumbed opened = Plumbed.run("train", "--resume", run(2).toString(), "--epochs", "1");
    assertTrue(opened.err().contains("cannot be changed when a run is resumed"), opened.err());
    Checkpoint.read(run(2).resolve("checkpoint.safetensors"));
    assertTrue(Files.exists(run(2).resolve("manifest.json")), "after " + kills + " kills");
  }

  private List<String> command() {
    return List.of("train", DATA.toString(), "--runs", folder.resolve("runs").toString(), "--name", "cancer", "--device",
        "reference", "--layers", "20", "--epochs", "40", "--early-stopping", "0", "--dropout", "0.1", "--schedule", "cosine",
        "--checkpoint-every", "0");
  }

  private Path run(int number) {
    return folder.resolve("runs/cancer-" + number);
  }

  private Process start(List<String> arguments) throws IOException {
    return PlumbProcess.start(folder, List.of("-XX:TieredStopAtLevel=1"), arguments);
  }
}
