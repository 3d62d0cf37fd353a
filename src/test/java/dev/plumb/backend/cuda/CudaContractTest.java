package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Planner;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/**
 * The contract in double and single precision and in bf16, under every way to run a step, and with the threads of blocks in every
 * order, which can be chosen only on the host device. Both ways to launch kernels launch the same ones: graphs run in every order.
 */
@Tag("cuda")
class CudaContractTest {
  abstract static class Cuda extends BackendContract {
    private final Precision precision;
    private final Execution execution;
    private final Order order;

    Cuda(Precision precision, Execution execution, Order order) {
      this.precision = precision;
      this.execution = execution;
      this.order = order;
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.open(execution, order);
    }

    @Override
    public Precision precision() {
      return precision;
    }

    /** Plumb's own kernels compute the products of small plain networks. */
    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return network.isPlain() && precision != Precision.BF16;
    }

    @Override
    public boolean normalizes() {
      return precision != Precision.BF16;
    }

    @Override
    public double rounding() {
      return switch (precision) {
        case FP64 -> 1e-14;
        case BF16 -> 2 * Bfloat16.ROUNDOFF;
        default -> 2e-6;
      };
    }
  }

  @Nested
  class DoubleGraphForward extends Cuda {
    DoubleGraphForward() {
      super(Precision.FP64, Execution.GRAPH, Order.FORWARD);
    }
  }

  @Nested
  @Tag("host-device")
  class DoubleGraphReverse extends Cuda {
    DoubleGraphReverse() {
      super(Precision.FP64, Execution.GRAPH, Order.REVERSE);
    }
  }

  @Nested
  @Tag("host-device")
  class DoubleGraphRandom extends Cuda {
    DoubleGraphRandom() {
      super(Precision.FP64, Execution.GRAPH, Order.RANDOM);
    }
  }

  @Nested
  class DoubleEagerForward extends Cuda {
    DoubleEagerForward() {
      super(Precision.FP64, Execution.EAGER, Order.FORWARD);
    }
  }

  @Nested
  class DoubleCheckedForward extends Cuda {
    DoubleCheckedForward() {
      super(Precision.FP64, Execution.CHECKED, Order.FORWARD);
    }
  }

  /** All products by cuBLAS, as those of large layers are. */
  @Nested
  class DoubleCublasForward extends Cuda {
    DoubleCublasForward() {
      super(Precision.FP64, Execution.GRAPH, Order.FORWARD);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openCublas(Execution.GRAPH, Order.FORWARD);
    }

    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return false;
    }
  }

  @Nested
  class SingleCublasForward extends Cuda {
    SingleCublasForward() {
      super(Precision.FP32, Execution.EAGER, Order.FORWARD);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openCublas(Execution.EAGER, Order.FORWARD);
    }

    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return false;
    }
  }

  /** Threads loop over elements and replicas; cuBLAS leaves bias and activation to kernels that do. */
  @Nested
  class DoubleOneBlock extends Cuda {
    DoubleOneBlock() {
      super(Precision.FP64, Execution.GRAPH, Order.FORWARD);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openWithOneBlock(Order.FORWARD, Planner.LAYERED);
    }

    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return false;
    }
  }

  @Nested
  class SingleOneBlock extends Cuda {
    SingleOneBlock() {
      super(Precision.FP32, Execution.GRAPH, Order.REVERSE);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openWithOneBlock(Order.REVERSE, Planner.LAYERED);
    }

    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return false;
    }
  }

  @Nested
  class SingleGraphForward extends Cuda {
    SingleGraphForward() {
      super(Precision.FP32, Execution.GRAPH, Order.FORWARD);
    }
  }

  @Nested
  @Tag("host-device")
  class SingleGraphReverse extends Cuda {
    SingleGraphReverse() {
      super(Precision.FP32, Execution.GRAPH, Order.REVERSE);
    }
  }

  @Nested
  @Tag("host-device")
  class SingleGraphRandom extends Cuda {
    SingleGraphRandom() {
      super(Precision.FP32, Execution.GRAPH, Order.RANDOM);
    }
  }

  @Nested
  class SingleEagerForward extends Cuda {
    SingleEagerForward() {
      super(Precision.FP32, Execution.EAGER, Order.FORWARD);
    }
  }

  @Nested
  class Bf16GraphForward extends Cuda {
    Bf16GraphForward() {
      super(Precision.BF16, Execution.GRAPH, Order.FORWARD);
    }
  }

  @Nested
  @Tag("host-device")
  class Bf16GraphRandom extends Cuda {
    Bf16GraphRandom() {
      super(Precision.BF16, Execution.GRAPH, Order.RANDOM);
    }
  }

  @Nested
  class Bf16EagerForward extends Cuda {
    Bf16EagerForward() {
      super(Precision.BF16, Execution.EAGER, Order.FORWARD);
    }
  }

  @Nested
  @Tag("host-device")
  class Bf16EagerReverse extends Cuda {
    Bf16EagerReverse() {
      super(Precision.BF16, Execution.EAGER, Order.REVERSE);
    }
  }

  @Nested
  class Bf16CheckedForward extends Cuda {
    Bf16CheckedForward() {
      super(Precision.BF16, Execution.CHECKED, Order.FORWARD);
    }
  }

  @Nested
  class Bf16OneBlock extends Cuda {
    Bf16OneBlock() {
      super(Precision.BF16, Execution.GRAPH, Order.REVERSE);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openWithOneBlock(Order.REVERSE, Planner.LAYERED);
    }

    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return false;
    }
  }
}
