package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.Precision;

/** A checked backend is a backend: it passes what every other one does, and finds nothing wrong on the way. */
class CheckedContractTest extends BackendContract {
  @Override
  protected Backend openBackend() {
    return new CheckedBackend(new ReferenceBackend(), new ReferenceBackend(), 2, new CheckLog(CheckMode.FAIL, line -> { }));
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
