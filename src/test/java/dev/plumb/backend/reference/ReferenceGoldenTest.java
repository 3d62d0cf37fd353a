package dev.plumb.backend.reference;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.GoldenContract;

class ReferenceGoldenTest extends GoldenContract {
  @Override
  protected Backend openBackend() {
    return new ReferenceBackend();
  }

  @Override
  protected double pytorchTolerance() {
    return 1e-12;
  }

  @Override
  protected double notebookTolerance() {
    return 1e-11;
  }
}
