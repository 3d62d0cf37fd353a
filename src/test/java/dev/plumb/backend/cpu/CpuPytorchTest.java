package dev.plumb.backend.cpu;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.PytorchContract;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;

class CpuPytorchTest {
  abstract static class Cpu extends PytorchContract {
    @Override
    protected Backend openBackend() {
      return CpuUnderTest.open(CpuOptions.standard());
    }
  }

  @Nested
  class InDouble extends Cpu {
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
  class InSingle extends Cpu {
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
