package dev.plumb.backend.cuda;

import dev.plumb.backend.cuda.CudaOptions.Execution;
import dev.plumb.backend.cuda.HostDevice.Order;

/** The CUDA backend as the tests open it: on the host device, with guards. */
final class CudaUnderTest {
  /** Of the random order of threads; fixed, so that a failure comes again. */
  private static final long SEED = 20240607;

  private CudaUnderTest() {}

  static CudaBackend open() {
    return open(Execution.GRAPH, Order.FORWARD);
  }

  static CudaBackend open(Execution execution, Order order) {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.order(order, SEED);
    return new CudaBackend(0, new CudaOptions(execution, true));
  }
}
