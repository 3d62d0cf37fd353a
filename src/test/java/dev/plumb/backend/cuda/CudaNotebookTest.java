package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.NotebookContract;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaNotebookTest extends NotebookContract {
  @Override
  protected Backend openBackend() {
    return CudaUnderTest.open();
  }

  @Override
  protected double tolerance() {
    return 1e-11;
  }
}
