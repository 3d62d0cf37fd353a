package dev.plumb.train;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
@Tag("host-device")
class CudaTrainerResumeTest {
  abstract static class Cuda extends TrainerResumeContract {
    @Override
    Backend open() {
      HostDevice.load();
      HostDevice.reset();
      return Backends.open("cuda", Backends.Usage.STANDARD).backend();
    }
  }

  @Nested
  class Single extends Cuda {
    @Override
    Precision precision() {
      return Precision.FP32;
    }
  }

  @Nested
  class Bf16 extends Cuda {
    @Override
    Precision precision() {
      return Precision.BF16;
    }

    /** cuBLAS adds a batch of products in another order than a single one. */
    @Override
    boolean replicasAreExact() {
      return false;
    }
  }
}
