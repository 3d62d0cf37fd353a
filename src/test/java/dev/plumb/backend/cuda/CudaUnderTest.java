package dev.plumb.backend.cuda;

import dev.plumb.backend.cuda.CudaOptions.Execution;

/** The CUDA backend as the tests open it: on the host device, with guards. */
final class CudaUnderTest {
  private CudaUnderTest() {}

  static CudaBackend open() {
    return open(Execution.GRAPH);
  }

  static CudaBackend open(Execution execution) {
    return new CudaBackend(0, new CudaOptions(execution, true));
  }
}
