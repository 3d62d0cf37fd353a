package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

/** A training as a process of its own, which is killed, or asked to stop, and goes on. */
@DisabledOnOs(OS.WINDOWS)
class TrainProcessTest {
  private static final Path DATA = Path.of("src/test/resources/tables/breast_cancer.csv").toAbsolutePath();
  /** Of the moments; fixed, though when a process is killed depends on the machine too. */
  private static final long SEED = 20241125;
  /** {@code -Dplumb.test.kills=50} for more than a build needs. */
  private static final int KILLS = Integer.getInteger("plumb.test.kills", 4);

  @TempDir Path folder;
  private byte[] wholeModel;

  @BeforeEach
  void trainWithoutStop() throws Exception {
    assertEquals(0, start(command()).waitFor());
    wholeModel = Files.readAllBytes(run(1).resolve("model.safetensors"));
  }

  @Test
  void killedAtAnyMomentItCanBeResumedToTheSameModel() throws Exception {
    Random random = new Random(SEED);
    Process process = start(command());
    // Before the run folder is there, nothing can be lost.
    await(() -> Files.exists(run(2)));
    int kills = 0;
    while (kills < KILLS) {
      process.waitFor(random.nextInt(1500), TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      kills++;
      assertNoFileIsHalfWritten(kills);
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
  void askedToStopItWritesACheckpointAndSaysHowToGoOn(String signal) throws Exception {
    Process process = start(command());
    Path metrics = run(2).resolve("metrics.csv");
    await(() -> Files.exists(metrics) && Files.readAllLines(metrics).size() > 3);
    assertEquals(0, new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor());
    assertEquals(130, process.waitFor());
    String err = Files.readString(folder.resolve("err"));
    assertTrue(err.contains("stopping after this step"), err);
    assertTrue(err.lines().reduce("", (before, line) -> line).matches(
        "plumb train: stopped in epoch \\d+; resume with: plumb train --resume .*cancer-2"), err);
    assertEquals(0, start(List.of("train", "--resume", run(2).toString())).waitFor());
    assertArrayEquals(wholeModel, Files.readAllBytes(run(2).resolve("model.safetensors")));
  }

  /** What a killed process leaves is either the old file or the new one. */
  private void assertNoFileIsHalfWritten(int kills) {
    Plumbed opened = Plumbed.run("train", "--resume", run(2).toString(), "--epochs", "1");
    assertTrue(opened.err().contains("cannot be changed when a run is resumed"), opened.err());
    Checkpoint.read(run(2).resolve("checkpoint.safetensors"));
    assertTrue(Files.exists(run(2).resolve("manifest.json")), "after " + kills + " kills");
  }

  private List<String> command() {
    return List.of("train", DATA.toString(), "--runs", folder.resolve("runs").toString(), "--name", "cancer", "--device",
        "reference",
        "--layers", "20", "--epochs", "40", "--early-stopping", "0", "--dropout", "0.1", "--schedule", "cosine",
        "--checkpoint-every", "0");
  }

  private Path run(int number) {
    return folder.resolve("runs/cancer-" + number);
  }

  private Process start(List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(arguments);
    return new ProcessBuilder(command).directory(folder.toFile())
        .redirectOutput(folder.resolve("out").toFile()).redirectError(folder.resolve("err").toFile()).start();
  }

  /** What may not be there yet. */
  @FunctionalInterface
  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void await(Condition condition) throws IOException, InterruptedException {
    for (int tries = 0; !condition.holds(); tries++) {
      assertTrue(tries < 6000, "it did not come within a minute");
      Thread.sleep(10);
    }
  }
}
