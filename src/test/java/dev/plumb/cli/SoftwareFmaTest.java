package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without FMA instructions, trainings take much longer: the user is told why. */
class SoftwareFmaTest {
  private static final String NOTE = "note: multiply-adds are computed in software, which is hundreds of times slower: Java finds no FMA"
      + " instructions on this processor; in a virtual machine, select the CPU model of the host";

  @TempDir Path folder;

  @Test
  void noteSaysOnceThatMultiplyAddsAreComputedInSoftware() throws Exception {
    Files.writeString(folder.resolve("t.csv"), "x,y\n0.5,1.5\n1.5,2.5\n2.5,0.5\n3.5,4.5\n");
    assertEquals(1, notes(List.of("-XX:-UseFMA")));
    assertEquals(0, notes(List.of()));
  }

  private long notes(List<String> jvmOptions) throws IOException, InterruptedException {
    Process process = PlumbProcess.start(folder, jvmOptions,
        List.of("train", "t.csv", "--layers", "2", "--epochs", "2", "--validation", "0", "--device", "cpu"));
    assertEquals(0, process.waitFor(), Files.readString(folder.resolve("err")));
    return Files.readAllLines(folder.resolve("err")).stream().filter(NOTE::equals).count();
  }
}
