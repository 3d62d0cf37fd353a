package dev.plumb.backend.reference;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.NotebookContract;

class ReferenceNotebookTest extends NotebookContract {
  @Override
  protected Backend openBackend() {
    return new ReferenceBackend();
  }

  @Override
  protected double tolerance() {
    return 1e-11;
  }
}
