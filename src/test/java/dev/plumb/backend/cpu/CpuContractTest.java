package dev.plumb.backend.cpu;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;

/** The contract in both precisions and under every way to compute a step, by one thread and by more than there are processors. */
class CpuContractTest {
  abstract static class Cpu extends BackendContract {
    private final Precision precision;
    private final CpuOptions options;

    Cpu(Precision precision, Method method, int threads) {
      this.precision = precision;
      options = new CpuOptions(threads, method);
    }

    @Override
    protected Backend openBackend() {
      return CpuUnderTest.open(options);
    }

    @Override
    public Precision precision() {
      return precision;
    }

    @Override
    public double rounding() {
      return precision == Precision.FP64 ? 1e-14 : 5e-6;
    }
  }

  @Nested
  class DoubleRows extends Cpu {
    DoubleRows() {
      super(Precision.FP64, Method.ROWS, 1);
    }
  }

  @Nested
  class DoubleRowsInThreads extends Cpu {
    DoubleRowsInThreads() {
      super(Precision.FP64, Method.ROWS, 5);
    }
  }

  @Nested
  class DoubleProducts extends Cpu {
    DoubleProducts() {
      super(Precision.FP64, Method.PRODUCTS, 2);
    }
  }

  @Nested
  class DoubleJavaProducts extends Cpu {
    DoubleJavaProducts() {
      super(Precision.FP64, Method.JAVA_PRODUCTS, 1);
    }
  }

  @Nested
  class SingleRows extends Cpu {
    SingleRows() {
      super(Precision.FP32, Method.ROWS, 2);
    }
  }

  @Nested
  class SingleProducts extends Cpu {
    SingleProducts() {
      super(Precision.FP32, Method.PRODUCTS, 1);
    }
  }

  @Nested
  class SingleProductsInThreads extends Cpu {
    SingleProductsInThreads() {
      super(Precision.FP32, Method.PRODUCTS, 5);
    }
  }

  @Nested
  class SingleJavaProducts extends Cpu {
    SingleJavaProducts() {
      super(Precision.FP32, Method.JAVA_PRODUCTS, 2);
    }
  }
}
