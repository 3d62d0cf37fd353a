package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaContractTest extends BackendContract {
  @Override
  protected Backend openBackend() {
    return new CudaBackend(0, new CudaOptions(CudaOptions.Execution.GRAPH, true));
  }

  @Override
  public Precision precision() {
    return Precision.FP64;
  }

  @Override
  public double rounding() {
    return 1e-14;
  }
}
