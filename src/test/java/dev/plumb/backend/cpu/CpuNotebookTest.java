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
    return 1e-11;
  }
}
