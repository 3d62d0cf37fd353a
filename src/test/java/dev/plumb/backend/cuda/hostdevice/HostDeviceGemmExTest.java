package dev.plumb.backend.cuda.hostdevice;

import static jcuda.cudaDataType.CUDA_R_16BF;
import static jcuda.cudaDataType.CUDA_R_32F;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;
import static jcuda.jcublas.JCublas2.cublasGemmEx_new;
import static jcuda.jcublas.JCublas2.cublasGemmStridedBatchedEx_new;
import static jcuda.jcublas.JCublas2.cublasGetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;
import static jcuda.jcublas.cublasComputeType.CUBLAS_COMPUTE_32F;
import static jcuda.jcublas.cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
import static jcuda.jcublas.cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
import static jcuda.jcublas.cublasMath.CUBLAS_TF32_TENSOR_OP_MATH;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.model.Bfloat16;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUgraph;
import jcuda.jcublas.cublasPointerMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The host device multiplies bfloat16 matrices, and refuses all other types and inputs that leave cuBLAS's fast path. */
class HostDeviceGemmExTest extends HostDeviceGemmFixture {
  private static final int[] SIZES = {1, 7, 8, 33};
  private static final int[] OPERATIONS = {CUBLAS_OP_N, CUBLAS_OP_T};
  /** The multiple of inputs' leading dimensions and strides. */
  private static final int PACK = 8;

  /** Column-major bfloat16 matrices of one shape, with NaN wherever no element is. */
  private record Inputs(short[] bits, int ld, int stride) {
    static Inputs random(long seed, int rows, int columns, int batch) {
      int ld = (rows + PACK - 1) / PACK * PACK + PACK;
      int stride = ld * columns + PACK;
      short[] bits = new short[stride * (batch - 1) + ld * (columns - 1) + rows];
      Arrays.fill(bits, Bfloat16.bits(Float.NaN));
      float[] values = HostDeviceGemmFixture.random(seed, rows * columns * batch);
      for (int i = 0; i < values.length; i++) {
        bits[i / (rows * columns) * stride + i / rows % columns * ld + i % rows] = Bfloat16.bits(values[i]);
      }
      return new Inputs(bits, ld, stride);
    }

    double at(int matrix, int row, int column) {
      return Bfloat16.value(bits[matrix * stride + column * ld + row]);
    }
  }

  private void multiply(int opA, int opB, int m, int n, int k, CUdeviceptr a, int lda, CUdeviceptr b, int ldb, CUdeviceptr c,
      int ldc) {
    cublasGemmEx_new(blas, opA, opB, m, n, k, ONE, a, CUDA_R_16BF, lda, b, CUDA_R_16BF, ldb, ZERO, c, CUDA_R_32F, ldc,
        CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  }

  /** Multiplies single numbers: the smallest product that the host device takes. */
  private void multiplyNumbers(Pointer alpha, CUdeviceptr x, CUdeviceptr y, Pointer beta, CUdeviceptr to) {
    cublasGemmEx_new(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, alpha, x, CUDA_R_16BF, PACK, y, CUDA_R_16BF, PACK, beta, to,
        CUDA_R_32F, 1, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  }

  private CUdeviceptr number(float value) {
    return upload(new short[] {Bfloat16.bits(value)});
  }

  @Test
  void everyShapeAndTransposeIsTheProduct() {
    for (int opA : OPERATIONS) {
      for (int opB : OPERATIONS) {
        for (int m : SIZES) {
          for (int n : SIZES) {
            for (int k : SIZES) {
              assertIsProduct(opA, opB, m, n, k);
            }
          }
        }
      }
    }
  }

  private void assertIsProduct(int opA, int opB, int m, int n, int k) {
    Inputs a = opA == CUBLAS_OP_N ? Inputs.random(1, m, k, 1) : Inputs.random(1, k, m, 1);
    Inputs b = opB == CUBLAS_OP_N ? Inputs.random(2, k, n, 1) : Inputs.random(2, n, k, 1);
    int ldc = m + 3;
    CUdeviceptr c = allocate(4L * (ldc * (n - 1) + m));
    multiply(opA, opB, m, n, k, upload(a.bits), a.ld, upload(b.bits), b.ld, c, ldc);
    synchronize();
    float[] found = read(c, ldc * (n - 1) + m);
    for (int i = 0; i < found.length; i++) {
      int row = i % ldc;
      int column = i / ldc;
      String what = opA + " " + opB + " " + m + " " + n + " " + k + " at " + i;
      if (row >= m) {
        assertTrue(Float.isNaN(found[i]), what);
        continue;
      }
      double sum = 0;
      for (int p = 0; p < k; p++) {
        sum += (opA == CUBLAS_OP_N ? a.at(0, row, p) : a.at(0, p, row))
            * (opB == CUBLAS_OP_N ? b.at(0, p, column) : b.at(0, column, p));
      }
      assertEquals(sum, found[i], 1e-5, what);
    }
  }

  @Test
  void matrixOfABatchIsASingleProductAddedInReverseOrder() {
    int m = 33;
    int n = 7;
    int k = 31;
    int batch = 3;
    int strideC = m * n + 1;
    for (int opA : OPERATIONS) {
      for (int opB : OPERATIONS) {
        Inputs a = opA == CUBLAS_OP_N ? Inputs.random(1, m, k, batch) : Inputs.random(1, k, m, batch);
        Inputs b = opB == CUBLAS_OP_N ? Inputs.random(2, k, n, batch) : Inputs.random(2, n, k, batch);
        CUdeviceptr inputsA = upload(a.bits);
        CUdeviceptr inputsB = upload(b.bits);
        CUdeviceptr all = allocate(4L * strideC * batch);
        multiplyBatch(opA, opB, m, n, k, inputsA, a, inputsB, b, all, strideC, batch);
        synchronize();
        float[] together = read(all, strideC * batch);
        for (int r = 0; r < batch; r++) {
          CUdeviceptr single = allocate(4L * m * n);
          multiply(opA, opB, m, n, k, inputsA.withByteOffset((long) Bfloat16.BYTES * a.stride * r), a.ld,
              inputsB.withByteOffset((long) Bfloat16.BYTES * b.stride * r), b.ld, single, m);
          synchronize();
          float[] matrix = Arrays.copyOfRange(together, r * strideC, r * strideC + m * n);
          assertArrayEquals(read(single, m * n), matrix, 1e-5f);
          assertFalse(Arrays.equals(read(single, m * n), matrix));
          assertTrue(Float.isNaN(together[r * strideC + m * n]));
        }
      }
    }
  }

  private void multiplyBatch(int opA, int opB, int m, int n, int k, CUdeviceptr inputsA, Inputs a, CUdeviceptr inputsB, Inputs b,
      CUdeviceptr c, int strideC, int batch) {
    cublasGemmStridedBatchedEx_new(blas, opA, opB, m, n, k, ONE, inputsA, CUDA_R_16BF, a.ld, a.stride, inputsB, CUDA_R_16BF, b.ld,
        b.stride, ZERO, c, CUDA_R_32F, m, strideC, batch, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  }

  @Test
  void productsAreExactAndSumsAreOfFloatsInOrder() {
    // The first product has 15 fraction bits. Then 2^24 + 1 = 2^24 in float, and 1 is lost.
    float most = 1 + 0x1.FCp-1f;
    float[] rows = {most, 0x1p12f, 1, -0x1p12f};
    float[] columns = {most, 0x1p12f, 1, 0x1p12f};
    short[] a = new short[PACK * rows.length];
    short[] b = new short[PACK];
    for (int p = 0; p < rows.length; p++) {
      a[p * PACK] = Bfloat16.bits(p == 0 ? 0 : rows[p]);
      a[p * PACK + 1] = Bfloat16.bits(p == 0 ? rows[p] : 0);
      b[p] = Bfloat16.bits(columns[p]);
    }
    CUdeviceptr c = allocate(8);
    multiply(CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, rows.length, upload(a), PACK, upload(b), PACK, c, 2);
    synchronize();
    assertArrayEquals(new float[] {0, most * most}, read(c, 2));
    assertTrue(most * most != Bfloat16.rounded((double) most * most));
  }

  @Test
  void betaZeroReadsNothingAndAnotherBetaScalesTheOldContent() {
    CUdeviceptr x = number(3);
    CUdeviceptr c = allocate(4);
    multiplyNumbers(Pointer.to(new float[] {2}), x, x, ZERO, c);
    multiplyNumbers(ONE, x, x, Pointer.to(new float[] {0.5f}), c);
    CUdeviceptr unwritten = allocate(4);
    multiplyNumbers(ONE, x, x, ONE, unwritten);
    synchronize();
    assertEquals(18f, read(c, 1)[0]);
    assertTrue(Float.isNaN(read(unwritten, 1)[0]));
  }

  @ParameterizedTest
  @CsvSource({
    "2, 14, 0, 68, -1, Atype is 2; the host device knows only CUDA_R_16BF", "14, 0, 0, 68, -1, Btype is 0",
    "14, 14, 14, 68, -1, Ctype is 14; the host device knows only CUDA_R_32F", "14, 14, 0, 77, -1, computeType is 77",
    "14, 14, 0, 64, -1, computeType is 64", "14, 14, 0, 68, 99, algo is 99",
  })
  void anotherPrecisionIsRefused(int typeA, int typeB, int typeC, int compute, int algorithm, String diagnosis) {
    CUdeviceptr p = allocate(256);
    CUdeviceptr c = allocate(256);
    fails("NOT_SUPPORTED", "cublasGemmEx: " + diagnosis, () -> cublasGemmEx_new(blas, CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, ONE, p,
        typeA, 8, p, typeB, 8, ZERO, c, typeC, 8, compute, algorithm));
    fails("NOT_SUPPORTED", "cublasGemmStridedBatchedEx: " + diagnosis, () -> cublasGemmStridedBatchedEx_new(blas, CUBLAS_OP_N,
        CUBLAS_OP_N, 8, 8, 8, ONE, p, typeA, 8, 64, p, typeB, 8, 64, ZERO, c, typeC, 8, 64, 1, compute, algorithm));
  }

  @ParameterizedTest
  @CsvSource({
    "8, 8, 64, 64, 0, 0, ''", "12, 8, 64, 64, 0, 0, leading dimension that is not a multiple of 8",
    "8, 12, 64, 64, 0, 0, leading dimension that is not a multiple of 8",
    "8, 8, 68, 64, 0, 0, stride that is not a multiple of 8", "8, 8, 64, 68, 0, 0, stride that is not a multiple of 8",
    "8, 8, 64, 64, 8, 0, address that is not a multiple of 16", "8, 8, 64, 64, 0, 2, address that is not a multiple of 16",
    "7, 8, 64, 64, 0, 0, a leading dimension that is less than the rows",
  })
  void inputsOffTheFastPathAreRefused(int lda, int ldb, int strideA, int strideB, int shiftA, int shiftB, String diagnosis) {
    CUdeviceptr a = upload(new short[256]).withByteOffset(shiftA);
    CUdeviceptr b = upload(new short[256]).withByteOffset(shiftB);
    CUdeviceptr c = allocate(4 * 128 + 4);
    Runnable call = () -> cublasGemmStridedBatchedEx_new(blas, CUBLAS_OP_N, CUBLAS_OP_N, 8, 7, 7, ONE, a, CUDA_R_16BF, lda,
        strideA, b, CUDA_R_16BF, ldb, strideB, ZERO, c.withByteOffset(4), CUDA_R_32F, 8, 57, 2, CUBLAS_COMPUTE_32F,
        CUBLAS_GEMM_DEFAULT);
    if (!diagnosis.isEmpty()) {
      fails("INVALID_VALUE", diagnosis, call::run);
      return;
    }
    call.run();
    synchronize();
    assertEquals(0f, read(c, 59)[58]);
  }

  @ParameterizedTest
  @CsvSource({"126, 128, 256, needs 128 bytes", "128, 126, 256, needs 128 bytes", "128, 128, 254, needs 256 bytes"})
  void matrixThatIsTwoBytesTooSmallIsFound(int bytesA, int bytesB, int bytesC, String diagnosis) {
    multiply(CUBLAS_OP_N, CUBLAS_OP_T, 8, 8, 8, allocate(bytesA), 8, allocate(bytesB), 8, allocate(bytesC), 8);
    fails("ILLEGAL_ADDRESS", "cublasGemmEx(m=8 n=8 k=8 batch=1): " + diagnosis, this::synchronize);
  }

  @ParameterizedTest
  @CsvSource({"true, true, ''", "false, true, A after row 7 of column 0", "true, false, B after row 5 of column 1"})
  void paddingThatNobodyWroteIsFound(boolean wholeA, boolean wholeB, String diagnosis) {
    CUdeviceptr a = upload(unpadded(7, 5, wholeA ? 5 : 0));
    CUdeviceptr b = upload(unpadded(5, 3, wholeB ? 3 : 1));
    multiply(CUBLAS_OP_N, CUBLAS_OP_N, 7, 3, 5, a, PACK, b, PACK, allocate(4 * 21), 7);
    if (diagnosis.isEmpty()) {
      synchronize();
      return;
    }
    fails("ILLEGAL_ADDRESS", "nothing was written to the padding of " + diagnosis, this::synchronize);
  }

  /** Returns zeros; the padding of columns from {@code padded} on has the bits of fresh memory. */
  private static short[] unpadded(int rows, int columns, int padded) {
    short[] bits = new short[PACK * columns];
    for (int column = padded; column < columns; column++) {
      Arrays.fill(bits, column * PACK + rows, (column + 1) * PACK, (short) -1);
    }
    return bits;
  }

  @Test
  void outputMayFollowAnInputButNotOverlapIt() {
    CUdeviceptr a = allocate(128 + 256);
    CUdeviceptr b = upload(new short[64]);
    multiply(CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, a, 8, b, 8, a.withByteOffset(128), 8);
    fails("INVALID_VALUE", "an output that overlaps an input",
        () -> multiply(CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, a, 8, b, 8, a.withByteOffset(124), 8));
    fails("INVALID_VALUE", "an output that overlaps an input",
        () -> multiply(CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, b, 8, a, 8, a.withByteOffset(124), 8));
    synchronize();
  }

  @Test
  void outputsThatOverlapAreRefused() {
    Inputs inputs = Inputs.random(1, 8, 8, 2);
    CUdeviceptr p = upload(inputs.bits);
    CUdeviceptr c = allocate(4 * 128);
    fails("INVALID_VALUE", "outputs that overlap",
        () -> multiplyBatch(CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, p, inputs, p, inputs, c, 63, 2));
    multiplyBatch(CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, p, inputs, p, inputs, c, 64, 2);
    synchronize();
  }

  @Test
  void scalarsAreFloatsWhereThePointerModeSays() {
    CUdeviceptr x = number(3);
    CUdeviceptr two = upload(new float[] {2});
    CUdeviceptr zero = upload(new float[] {0});
    CUdeviceptr c = allocate(4);
    fails("INVALID_VALUE", "pointer mode", () -> multiplyNumbers(two, x, x, zero, c));
    cublasSetPointerMode(blas, cublasPointerMode.CUBLAS_POINTER_MODE_DEVICE);
    multiplyNumbers(two, x, x, zero, c);
    synchronize();
    assertEquals(18f, read(c, 1)[0]);
  }

  @Test
  void capturedProductNeedsAWorkspaceAndWritesIntoIt() {
    CUdeviceptr workspace = upload(new float[256]);
    CUdeviceptr x = number(3);
    CUdeviceptr c = allocate(4);
    cuStreamBeginCapture(stream, 0);
    fails("NOT_SUPPORTED", "cublasGemmEx in a capture without cublasSetWorkspace", () -> multiplyNumbers(ONE, x, x, ZERO, c));
    cublasSetWorkspace(blas, workspace, 1024);
    multiplyNumbers(ONE, x, x, ZERO, c);
    CUgraph graph = new CUgraph();
    cuStreamEndCapture(stream, graph);
    cuGraphDestroy(graph);
    synchronize();
    assertTrue(Float.isNaN(read(c, 1)[0]));
    assertEquals(0f, read(workspace, 1)[0]);
    multiplyNumbers(ONE, x, x, ZERO, c);
    synchronize();
    assertEquals(9f, read(c, 1)[0]);
    assertTrue(Float.isNaN(read(workspace, 1)[0]));
  }

  @Test
  void nthProductFails() {
    CUdeviceptr x = number(3);
    CUdeviceptr c = allocate(4);
    HostDevice.fault(Fault.GEMM, 2);
    multiplyNumbers(ONE, x, x, ZERO, c);
    fails("CUBLAS_STATUS_EXECUTION_FAILED", "injected fault", () -> multiplyNumbers(ONE, x, x, ZERO, c));
  }

  @Test
  void sumsInReducedPrecisionCanBeDisallowed() {
    cublasSetMathMode(blas, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
    int[] mode = new int[1];
    cublasGetMathMode(blas, mode);
    assertEquals(CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION, mode[0]);
    fails("NOT_SUPPORTED", "cublasSetMathMode: 19 is not a mode", () -> cublasSetMathMode(blas,
        CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION | CUBLAS_TF32_TENSOR_OP_MATH));
  }
}
