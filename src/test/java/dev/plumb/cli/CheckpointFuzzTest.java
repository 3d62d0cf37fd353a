package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.Backends;
import dev.plumb.fuzz.Fuzzing;
import dev.plumb.fuzz.SealedFiles;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.RunMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged checkpoints, read as {@code train --resume} reads them. */
class CheckpointFuzzTest {
  private static final int INPUTS = 2000;

  @TempDir Path folder;

  @Test
  void checkpointsAreReadOrRefused() throws IOException {
    Path data = Files.writeString(folder.resolve("data.csv"), "a,b,y\n1,2,x\n3,4,z\n5,6,x\n2,1,z\n");
    List<byte[]> valid = new ArrayList<>();
    for (String optimizer : List.of("sgd", "adam")) {
      Plumbed trained = Plumbed.run("train", data.toString(), "--test", data.toString(), "--runs", folder.toString(), "--name",
          optimizer, "--device", "reference", "--epochs", "2", "--layers", "2", "--optimizer", optimizer, "--quiet");
      assertEquals(0, trained.code(), trained.err());
      valid.add(Files.readAllBytes(folder.resolve(optimizer + "-1").resolve("checkpoint.safetensors")));
    }
    Path file = folder.resolve("checkpoint.safetensors");
    Fuzzing.run("Checkpoint", INPUTS, random -> SealedFiles.changed(valid, random), (input, random) -> {
      Files.write(file, input);
      Checkpoint checkpoint = Checkpoint.read(file);
      RunMetadata facts = RunMetadata.of(checkpoint);
      Arguments.parse(new TrainCommand(new DeviceChoice(Backends::open)).options(), facts.command());
      checkpoint.write(file);
      Checkpoint.read(file);
    });
  }
}
