package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;
import static jcuda.jcublas.JCublas2.cublasSgemm;
import static jcuda.jcublas.JCublas2.cublasSgemmStridedBatched;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import java.util.Arrays;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUgraph;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasPointerMode;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.Test;

/** The host device's GEMMs compute what cuBLAS documents, and refuse what it refuses or what would go wrong in silence. */
class HostDeviceGemmTest extends HostDeviceGemmFixture {
  @Test
  void everyTransposeIsTheProduct() {
    int m = 5;
    int n = 4;
    int k = 7;
    float[] a = random(1, m * k);
    float[] b = random(2, k * n);
    for (int opA : new int[] {CUBLAS_OP_N, CUBLAS_OP_T}) {
      for (int opB : new int[] {CUBLAS_OP_N, CUBLAS_OP_T}) {
        CUdeviceptr c = allocate(4L * m * n);
        cublasSgemm(blas, opA, opB, m, n, k, ONE, upload(a), opA == CUBLAS_OP_N ? m : k,
            upload(b), opB == CUBLAS_OP_N ? k : n, ZERO, c, m);
        synchronize();
        float[] found = read(c, m * n);
        for (int j = 0; j < n; j++) {
          for (int i = 0; i < m; i++) {
            double sum = 0;
            for (int p = 0; p < k; p++) {
              double x = opA == CUBLAS_OP_N ? a[i + p * m] : a[p + i * k];
              double y = opB == CUBLAS_OP_N ? b[p + j * k] : b[j + p * n];
              sum += x * y;
            }
            assertEquals(sum, found[i + j * m], 1e-5, opA + " " + opB);
          }
        }
      }
    }
  }

  @Test
  void aMatrixOfABatchIsTheProductAloneAddedInReverseOrderAndInputsMayBeShared() {
    int m = 13;
    int n = 7;
    int k = 31;
    int batch = 3;
    CUdeviceptr a = upload(random(1, m * k));
    CUdeviceptr b = upload(random(2, k * n * batch));
    CUdeviceptr all = allocate(4L * m * n * batch);
    cublasSgemmStridedBatched(blas, CUBLAS_OP_T, CUBLAS_OP_N, m, n, k, ONE, a, k, 0, b, k, (long) k * n, ZERO,
        all, m, (long) m * n, batch);
    synchronize();
    float[] together = read(all, m * n * batch);
    for (int r = 0; r < batch; r++) {
      CUdeviceptr alone = allocate(4L * m * n);
      cublasSgemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, m, n, k, ONE, a, k, b.withByteOffset(4L * r * k * n), k, ZERO, alone, m);
      synchronize();
      float[] matrix = Arrays.copyOfRange(together, r * m * n, (r + 1) * m * n);
      assertArrayEquals(read(alone, m * n), matrix, 1e-5f);
      assertFalse(Arrays.equals(read(alone, m * n), matrix));
    }
  }

  @Test
  void betaZeroReadsNothingAndAnotherBetaReadsNaN() {
    CUdeviceptr a = upload(new float[] {2});
    CUdeviceptr c = allocate(4);
    CUdeviceptr d = allocate(4);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, a, 1, a, 1, ZERO, c, 1);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, a, 1, a, 1, ONE, d, 1);
    synchronize();
    assertEquals(4f, read(c, 1)[0]);
    assertTrue(Float.isNaN(read(d, 1)[0]));
  }

  @Test
  void tf32RoundsInputsAndPedanticDoesNot() {
    // Ten bits of fraction: below, at and above the middle between 1 and the next value; at the middle, the even one.
    float[] values = {1 + 0x1p-12f, 1 + 0x1p-11f, 1 + 0x1.8p-11f, 1 + 0x1.8p-10f};
    CUdeviceptr a = upload(values);
    CUdeviceptr one = upload(new float[] {1});
    CUdeviceptr c = allocate(16);
    cublasSetMathMode(blas, cublasMath.CUBLAS_TF32_TENSOR_OP_MATH);
    cublasSgemm(blas, 0, 0, 4, 1, 1, ONE, a, 4, one, 1, ZERO, c, 4);
    synchronize();
    assertArrayEquals(new float[] {1, 1, 1 + 0x1p-10f, 1 + 0x1p-9f}, read(c, 4));
    cublasSetMathMode(blas, cublasMath.CUBLAS_PEDANTIC_MATH);
    cublasSgemm(blas, 0, 0, 4, 1, 1, ONE, a, 4, one, 1, ZERO, c, 4);
    synchronize();
    assertArrayEquals(values, read(c, 4));
  }

  @Test
  void aLeadingDimensionLessThanTheRowsIsRefused() {
    CUdeviceptr p = allocate(400);
    fails("INVALID_VALUE", "a leading dimension",
        () -> cublasSgemm(blas, 0, 0, 5, 5, 4, ONE, p, 4, p, 4, ZERO, allocate(400), 5));
  }

  @Test
  void aMatrixThatIsTooSmallIsFound() {
    CUdeviceptr p = allocate(400);
    cublasSgemm(blas, 0, 0, 10, 10, 10, ONE, p, 10, p, 10, ZERO, allocate(396), 10);
    fails("ILLEGAL_ADDRESS", "cublasSgemm(m=10 n=10 k=10 batch=1): needs 400 bytes", this::synchronize);
  }

  @Test
  void outputsThatOverlapAreRefusedAndSideBySideTheyAreNot() {
    CUdeviceptr p = upload(random(3, 16));
    CUdeviceptr c = allocate(400);
    fails("INVALID_VALUE", "outputs that overlap",
        () -> cublasSgemmStridedBatched(blas, 0, 0, 4, 4, 4, ONE, p, 4, 0, p, 4, 0, ZERO, c, 4, 15, 2));
    fails("INVALID_VALUE", "outputs that overlap",
        () -> cublasSgemmStridedBatched(blas, 0, 0, 4, 4, 4, ONE, p, 4, 0, p, 4, 0, ZERO, c, 8, 3, 2));
    // The second matrix begins below the first one's column and runs into its next.
    fails("INVALID_VALUE", "outputs that overlap",
        () -> cublasSgemmStridedBatched(blas, 0, 0, 4, 4, 4, ONE, p, 4, 0, p, 4, 0, ZERO, c, 8, 6, 2));
    fails("INVALID_VALUE", "outputs that overlap",
        () -> cublasSgemmStridedBatched(blas, 0, 0, 4, 4, 4, ONE, p, 4, 0, p, 4, 0, ZERO, c, 4, 0, 2));
    cublasSgemmStridedBatched(blas, 0, 0, 4, 4, 4, ONE, p, 4, 0, p, 4, 0, ZERO, c, 8, 4, 2);
    synchronize();
  }

  @Test
  void anOutputThatOverlapsAnInputIsRefused() {
    CUdeviceptr p = allocate(400);
    fails("INVALID_VALUE", "overlaps an input",
        () -> cublasSgemm(blas, 0, 0, 5, 5, 5, ONE, allocate(400), 5, p, 5, ZERO, p, 5));
  }

  @Test
  void scalarsAreWhereThePointerModeSays() {
    CUdeviceptr p = upload(new float[] {3});
    CUdeviceptr one = upload(new float[] {1});
    CUdeviceptr zero = upload(new float[] {0});
    CUdeviceptr c = allocate(4);
    fails("INVALID_VALUE", "pointer mode", () -> cublasSgemm(blas, 0, 0, 1, 1, 1, one, p, 1, p, 1, zero, c, 1));
    cublasSetPointerMode(blas, cublasPointerMode.CUBLAS_POINTER_MODE_DEVICE);
    cublasSgemm(blas, 0, 0, 1, 1, 1, one, p, 1, p, 1, zero, c, 1);
    synchronize();
    assertEquals(9f, read(c, 1)[0]);
    fails("INVALID_VALUE", "pointer mode", () -> cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, c, 1));
  }

  @Test
  void theWorkspaceIsWrittenInto() {
    CUdeviceptr workspace = upload(new float[256]);
    CUdeviceptr p = upload(new float[] {3});
    fails("INVALID_VALUE", "not a multiple of 256", () -> cublasSetWorkspace(blas, workspace.withByteOffset(4), 512));
    fails("INVALID_VALUE", "needs 2048 bytes", () -> cublasSetWorkspace(blas, workspace, 2048));
    cublasSetWorkspace(blas, workspace, 1024);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, allocate(4), 1);
    synchronize();
    assertTrue(Float.isNaN(read(workspace, 1)[0]));
    cuMemFree(workspace);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, allocate(4), 1);
    fails("ILLEGAL_ADDRESS", "cuBLAS workspace: use after free", this::synchronize);
  }

  @Test
  void aCapturedGemmNeedsAWorkspaceThatWasSetAfterTheStream() {
    CUdeviceptr workspace = allocate(1024);
    CUdeviceptr p = upload(new float[] {3});
    CUdeviceptr c = allocate(4);
    cublasSetWorkspace(blas, workspace, 1024);
    cublasSetStream(blas, new cudaStream_t(stream));
    cuStreamBeginCapture(stream, 0);
    fails("NOT_SUPPORTED", "without cublasSetWorkspace",
        () -> cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, c, 1));
    cublasSetWorkspace(blas, workspace, 1024);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, c, 1);
    CUgraph graph = new CUgraph();
    cuStreamEndCapture(stream, graph);
    cuGraphDestroy(graph);
  }

  @Test
  void theNthGemmFails() {
    CUdeviceptr p = upload(new float[] {3});
    CUdeviceptr c = allocate(4);
    HostDevice.fault(Fault.GEMM, 2);
    cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, c, 1);
    fails("CUBLAS_STATUS_EXECUTION_FAILED", "injected fault",
        () -> cublasSgemm(blas, 0, 0, 1, 1, 1, ONE, p, 1, p, 1, ZERO, c, 1));
  }

  @Test
  void handlesAreCounted() {
    assertEquals(1, HostDevice.alive(HostDevice.Kind.CUBLAS_HANDLE));
    cublasHandle another = new cublasHandle();
    cublasCreate(another);
    assertEquals(2, HostDevice.alive(HostDevice.Kind.CUBLAS_HANDLE));
    cublasDestroy(another);
    assertEquals(1, HostDevice.alive(HostDevice.Kind.CUBLAS_HANDLE));
  }
}
