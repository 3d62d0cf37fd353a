package dev.plumb.study;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
@Tag("host-device")
class CudaTableStudyTest extends TableStudyContract {
  @Override
  Backend open() {
    HostDevice.load();
    HostDevice.reset();
    return Backends.open("cuda", Backends.Usage.STANDARD).backend();
  }

  @Override
  Precision precision() {
    return Precision.FP32;
  }
}
