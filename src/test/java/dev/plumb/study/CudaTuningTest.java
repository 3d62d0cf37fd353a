package dev.plumb.study;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.Precision;
import dev.plumb.train.TrainConfig;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cuda")
@Tag("host-device")
class CudaTuningTest {
  @Test
  void ladderIsThatOfTheReference() {
    HostDevice.load();
    HostDevice.reset();
    TuningResult expected = run(new ReferenceBackend());
    try (Backend backend = Backends.open("cuda", Backends.Usage.STANDARD).backend()) {
      TuningTest.assertSameResult(expected, run(backend), 1e-8);
    }
  }

  private static TuningResult run(Backend backend) {
    TrainConfig base = TrainConfig.DEFAULT.with(changes -> changes.hidden(4).epochs(6).precision(Precision.FP64).seed(5));
    return new Tuning(TrialExecutor.on(backend), TuningTest.table("wine"), TuningTest.spec(base, 4, 2))
        .run(List.of(), new Tuning.Listener() {}).orElseThrow();
  }
}
