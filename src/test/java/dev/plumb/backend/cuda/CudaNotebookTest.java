package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.NotebookContract;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaNotebookTest extends NotebookContract {
  @Override
  protected Backend openBackend() {
    // 6,800 steps over 400 rows: small products by kernels take the host device ten times as long as its GEMMs.
    return CudaUnderTest.isHostDevice()
        ? CudaUnderTest.openCublas(Execution.GRAPH, Order.FORWARD)
        : CudaUnderTest.open(Execution.GRAPH, Order.FORWARD);
  }

  @Override
  protected double tolerance() {
    return 1e-11;
  }
}
