package dev.plumb.study;

import static dev.plumb.golden.Close.assertRelative;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Precision;
import dev.plumb.train.TrainConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cuda")
@Tag("host-device")
class CudaCrossValidationTest {
  private static final Table WINE = TableReader.read(Path.of("src/test/resources/tables/wine.csv"), ReadOptions.DEFAULT);
  private static final CrossValidationSpec SPEC = new CrossValidationSpec(
      TrainConfig.DEFAULT.with(changes -> changes.hidden(6).epochs(4).precision(Precision.FP64).dropout(0.1)),
      new FoldOptions(3, 1, Optional.empty(), Optional.empty()), 2);

  @Test
  void foldsHaveTheScoresOfTheReference() {
    HostDevice.load();
    HostDevice.reset();
    List<FoldResult> expected = run(new ReferenceBackend());
    List<FoldResult> actual;
    try (Backend backend = Backends.open("cuda", Backends.Usage.STANDARD).backend()) {
      actual = run(backend);
    }
    assertEquals(6, actual.size());
    for (int i = 0; i < 6; i++) {
      assertEquals(expected.get(i).seed(), actual.get(i).seed());
      assertEquals(expected.get(i).bestEpoch(), actual.get(i).bestEpoch());
      assertRelative("loss", expected.get(i).scores().orElseThrow().loss(), actual.get(i).scores().orElseThrow().loss(), 1e-9);
    }
  }

  private static List<FoldResult> run(Backend backend) {
    return new CrossValidation(TrialExecutor.on(backend), WINE, SPEC).run(new CrossValidation.Listener() {}).orElseThrow().results();
  }
}
