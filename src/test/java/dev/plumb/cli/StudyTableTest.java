package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.Study;
import dev.plumb.study.StudyNetwork;
import dev.plumb.study.StudyResult;
import dev.plumb.study.StudySpec;
import dev.plumb.study.TrialRow;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class StudyTableTest {
  private static final float[] NONE = {};
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 2, 1);

  @Test
  void oneSeedShowsItsFigures() {
    assertEquals(List.of(
        "model layers activation loss @ 3 final loss grad norm L1 grad norm last",
        "net 3-2-1 tanh 2.0000 1.0000 0.500000 0.500000"), lines(run(1)));
  }

  /** Quartiles as numpy.quantile gives them: of 1, 2, 3, 4 they are 1.75, 2.5 and 3.25. */
  @Test
  void manySeedsShowMedianAndQuartilesOfTheFiniteOnes() {
    assertEquals(List.of(
        "model layers activation seeds diverged loss @ 3 final loss grad norm L1 grad norm last",
        "net 3-2-1 tanh 5 1 5.0000 [3.5000, 6.5000] 2.5000 [1.7500, 3.2500] 1.250000 [0.875000, 1.625000] "
            + "1.250000 [0.875000, 1.625000]"), lines(run(4), run(1), diverged(), run(3), run(2)));
  }

  @Test
  void withoutAFiniteSeedThereAreNoQuartiles() {
    assertEquals("net 3-2-1 tanh 2 2 - - - -", lines(diverged(), diverged()).get(1));
  }

  private static TrialRow run(double loss) {
    return new TrialRow(0, 0, 0.1, loss, new double[] {2 * loss}, new double[] {loss / 2, loss}, NONE, NONE, NONE);
  }

  private static TrialRow diverged() {
    return new TrialRow(0, 2, 0.1, Double.NaN, new double[] {9}, new double[] {Double.NaN, Double.NaN}, NONE, NONE, NONE);
  }

  private static List<String> lines(TrialRow... rows) {
    StudySpec spec = new StudySpec("study", 10, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 5), true, List.of(3),
        List.of(new StudyNetwork("net", NETWORK)));
    DeviceInfo device = new DeviceInfo(DeviceInfo.Kind.REFERENCE, "some");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new StudyTable(new StudyResult(Study.ofList(spec, rows.length, List.of()), device, 0, rows))
        .print(new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8).lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
  }
}
