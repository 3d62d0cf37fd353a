package dev.plumb.backend.cuda.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cuda")
@Tag("host-device")
class SessionStateTest {
  /** New memory of the host device reads as -1; that of a GPU may contain anything. */
  @Test
  void noStepIsNotFiniteWhateverTheMemoryHeld() {
    HostDevice.load();
    HostDevice.reset();
    try (CudaContext context = new CudaContext(0)) {
      Transfers transfers = new Transfers(context, Precision.FP64);
      SessionState state = new SessionState(
          context, NetworkSpec.of(Activation.TANH, 3, 2), OptimizerSpec.Sgd.DEFAULT, Precision.FP64, 3, true);
      long[] firstNotFinite = {7, 0, 1L << 40};
      transfers.upload(firstNotFinite, state.firstNotFinite().pointer());
      state.initialize(transfers);
      transfers.download(state.firstNotFinite().pointer(), firstNotFinite);
      assertArrayEquals(new long[] {-1, -1, -1}, firstNotFinite);
      context.release("this test", List.of(state.arena().release(), transfers.release()));
    }
  }
}
