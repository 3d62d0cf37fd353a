package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.PytorchContract;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaPytorchTest {
  abstract static class Cuda extends PytorchContract {
    @Override
    protected Backend openBackend() {
      return CudaUnderTest.open();
    }
  }

  @Nested
  class InDouble extends Cuda {
    @Override
    protected Precision precision() {
      return Precision.FP64;
    }

    @Override
    protected Allowed allowed() {
      return Allowed.of(1e-12);
    }
  }

  @Nested
  class InSingle extends Cuda {
    @Override
    protected Precision precision() {
      return Precision.FP32;
    }

    @Override
    protected Allowed allowed() {
      return new Allowed(2e-6, 1e-5, 1e-5, 1e-5);
    }
  }
}
