package dev.plumb.backend.cpu;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.NotebookContract;

class CpuNotebookTest extends NotebookContract {
  @Override
  protected Backend openBackend() {
    return CpuUnderTest.open(CpuOptions.standard());
  }

  @Override
  protected double tolerance() {
    // Observed: 1.01e-11, of a gradient norm that training has brought down to 2e-6.
    return 4e-11;
  }
}
