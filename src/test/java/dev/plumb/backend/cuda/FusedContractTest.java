package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.contract.BackendContract;
import dev.plumb.backend.contract.NotebookContract;
import dev.plumb.backend.contract.PytorchContract;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/**
 * The contract, PyTorch's cases and the notebook by the fused planner. A block's threads run in every order on the host device.
 */
@Tag("cuda")
class FusedContractTest {
  abstract static class Fused extends BackendContract {
    private final Precision precision;
    private final Execution execution;
    private final Order order;

    Fused(Precision precision, Execution execution, Order order) {
      this.precision = precision;
      this.execution = execution;
      this.order = order;
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openFused(execution, order);
    }

    @Override
    public Precision precision() {
      return precision;
    }

    /** The layered planner, with cuBLAS, trains networks that are not plain. */
    @Override
    public boolean replicasAreExact(NetworkSpec network) {
      return network.isPlain();
    }

    @Override
    public double rounding() {
      return precision == Precision.FP64 ? 1e-14 : 2e-6;
    }
  }

  @Nested
  class DoubleForward extends Fused {
    DoubleForward() {
      super(Precision.FP64, Execution.GRAPH, Order.FORWARD);
    }
  }

  @Nested
  @Tag("host-device")
  class DoubleReverse extends Fused {
    DoubleReverse() {
      super(Precision.FP64, Execution.EAGER, Order.REVERSE);
    }
  }

  @Nested
  class SingleChecked extends Fused {
    SingleChecked() {
      super(Precision.FP32, Execution.CHECKED, Order.RANDOM);
    }
  }

  /** Narrow networks by clusters, the others by one block. */
  @Nested
  class SingleClusters extends Fused {
    SingleClusters() {
      super(Precision.FP32, Execution.GRAPH, Order.RANDOM);
    }

    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openFused(Execution.GRAPH, Order.RANDOM, Clusters.WHERE_POSSIBLE);
    }
  }

  abstract static class FusedPytorch extends PytorchContract {
    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openFused(Execution.GRAPH, Order.FORWARD);
    }
  }

  @Nested
  class PytorchInDouble extends FusedPytorch {
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
  class PytorchInSingle extends FusedPytorch {
    @Override
    protected Precision precision() {
      return Precision.FP32;
    }

    @Override
    protected Allowed allowed() {
      return new Allowed(2e-6, 1e-5, 1e-5, 1e-5);
    }
  }

  @Nested
  class Notebook extends NotebookContract {
    @Override
    protected Backend openBackend() {
      return CudaUnderTest.openFused(Execution.GRAPH, Order.FORWARD);
    }

    @Override
    protected double tolerance() {
      return 1e-11;
    }
  }
}
