package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.model.Precision;
import dev.plumb.study.DepthResults;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.StudyResult;
import dev.plumb.study.TrialLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb study depth}: output of finished studies, whose networks are in their run files, and resuming. */
class DepthStudyCommandTest {
  @TempDir Path folder;

  @Test
  void tablesOfTheNotebookAreFollowedByThoseOfTheCures() throws IOException {
    Path log = write(DepthStudy.text(), DepthResults.cured(10));
    Plumbed ran = Plumbed.run("study", "--resume", log.toString(), "--device", "reference", "--quiet", "--report",
        folder.resolve("r.html").toString(), "--csv", folder.resolve("r.csv").toString());
    assertEquals(0, ran.code(), ran.err());
    List<String> lines = ran.out().lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
    assertTrue(lines.get(2).startsWith("grid: 740 networks in 74 cells; 0 to train"), lines.get(2));
    assertEquals("model layers activation seeds diverged loss @ 200 final loss grad norm L1 grad norm last", lines.get(4));
    assertTrue(lines.get(9).startsWith("Model D - Very Deep (Sigmoid) 3-8x8-1 sigmoid 10 0.0 % "), lines.get(9));
    assertEquals("", lines.get(10));
    int cures = lines.indexOf("Cures of 8 hidden layers, sigmoid");
    assertEquals("cure initializer seeds diverged learned final loss below plain fall per layer, first step last step",
        lines.get(cures + 1));
    assertEquals("plain notebook 10 0.0 % 0.0 % (0.0 to 27.8 %) 1.7440 [1.7440, 1.7440] - 4.00 [4.00, 4.00] 2.00 [2.00, 2.00]",
        lines.get(cures + 2));
    assertTrue(lines.get(cures + 9).matches("batch normalization notebook 10 0.0 % 100.0 % \\(72.2 to 100.0 %\\) 0.02\\d\\d \\[.*\\]"
        + " 100.0 % \\(72.2 to 100.0 %\\) 1.50 \\[1.50, 1.50\\] 1.00 \\[1.00, 1.00\\]"), lines.get(cures + 9));
    assertTrue(lines.get(cures + 11).startsWith("residual connections notebook 10 20.0 % 80.0 % "), lines.get(cures + 11));
    int depths = lines.indexOf("Seeds that learned by number of hidden layers, relu");
    assertEquals("cure 2 4 8 16 32", lines.get(depths + 1));
    assertEquals("plain" + " 100.0 % (72.2 to 100.0 %)".repeat(3) + " 0.0 % (0.0 to 27.8 %)".repeat(2), lines.get(depths + 2));
    assertTrue(lines.contains("6. With another initializer, the very deep sigmoid network learns. DID NOT HOLD"));
    assertTrue(lines.contains("7. With batch normalization, the very deep sigmoid network learns. HELD"));
    assertEquals(1 + 740, Files.readAllLines(folder.resolve("r.csv")).size());
    assertTrue(Files.readString(folder.resolve("r.html")).contains("id=\"cures-sigmoid\""));
  }

  @Test
  void studyWithOtherNetworksIsNotResumed() throws IOException {
    Path log = write(DepthStudy.text().replace("orthogonal", "diagonal"), DepthResults.cured(1));
    String before = Files.readString(log);
    Plumbed ran = Plumbed.run("study", "--resume", log.toString(), "--device", "reference");
    assertEquals(2, ran.code());
    assertEquals("plumb study: " + log + ", line 1: this depth study has other networks than that of this version of Plumb; resume it"
        + " with the version that started it, or start a new one with plumb study depth\n", ran.err());
    assertEquals(before, Files.readString(log));
  }

  /** Stops the study after its first networks; the run file then has the text with which it is resumed. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void stoppedStudyCanBeResumed() throws Exception {
    Path log = folder.resolve("depth.runs");
    Process process = PlumbProcess.start(folder, List.of(), List.of("study", "depth", "--seeds", "1", "--device", "reference", "--log",
        log.toString()));
    PlumbProcess.await(() -> Files.exists(log) && Files.readAllLines(log).size() > 1);
    PlumbProcess.signal(process, "INT");
    assertEquals(130, process.waitFor());
    assertTrue(Files.readString(folder.resolve("err")).matches("(?s).*plumb study: stopped; \\d+ of 74 networks finished; resume with:"
        + " plumb study --resume " + log + "\n"), Files.readString(folder.resolve("err")));
    try (TrialLog file = TrialLog.open(log)) {
      assertEquals(DepthStudy.study().withSeeds(1), file.study(DepthStudy::ofText));
    }
  }

  private Path write(String text, StudyResult result) {
    Path log = folder.resolve("depth.runs");
    TrialLog.Head head = new TrialLog.Head("1", "17", "reference", Precision.FP64, 42, result.study().seeds(), text,
        Optional.of(Numerics.of(DeviceInfo.Kind.REFERENCE, Precision.FP64)), Optional.empty(), List.of());
    try (TrialLog file = TrialLog.create(log, head)) {
      file.add(Arrays.asList(result.rows()));
    }
    return log;
  }
}
