package dev.plumb.backend.cuda.hostdevice;

import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasSetStream;

import java.util.Random;
import jcuda.Pointer;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The fixture of the tests of matrix products: a cuBLAS handle of the stream. */
abstract class HostDeviceGemmFixture extends HostDeviceFixture {
  static final Pointer ONE = Pointer.to(new float[] {1});
  static final Pointer ZERO = Pointer.to(new float[] {0});

  final cublasHandle blas = new cublasHandle();

  @BeforeEach
  void create() {
    cublasCreate(blas);
    cublasSetStream(blas, new cudaStream_t(stream));
  }

  @AfterEach
  void destroy() {
    cublasDestroy(blas);
  }

  static float[] random(long seed, int n) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
