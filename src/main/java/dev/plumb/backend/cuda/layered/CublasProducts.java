package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.model.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;

/**
 * The three matrix products of a dense layer in cuBLAS, for steps whose products are not small ({@link SmallProducts}). All matrices are
 * row-major, and replicas are a stride apart:
 *
 * <pre>
 *   forward   Z  [n x out]   = A [n x in] · Wᵀ        W [out x in]
 *   backward  dA [n x in]    = D [n x out] · W
 *   weights   dW [out x in]  = Dᵀ · A
 * </pre>
 *
 * <p>cuBLAS is column-major: it reads a row-major [r x c] as its transpose, [c x r] with leading dimension c. So each product is computed
 * transposed: Zᵀ = W·Aᵀ, dAᵀ = Wᵀ·Dᵀ, dWᵀ = Aᵀ·D.
 *
 * <p>In bf16, A, W and D are matrices of bfloat16, and sums and results are single-precision; the rows of all matrices except the
 * last layer's Z have the pitch of {@link FactorFormat}. JCublas's methods without {@code _new} cannot be called with cuBLAS 12.
 */
public final class CublasProducts {
  private static final int N = cublasOperation.CUBLAS_OP_N;
  private static final int T = cublasOperation.CUBLAS_OP_T;

  private final CudaContext context;
  private final FactorFormat format;
  private final boolean single;
  private final Pointer one;
  private final Pointer zero;

  /** Creates products in a precision. */
  public CublasProducts(CudaContext context, Precision precision) {
    this.context = context;
    format = FactorFormat.of(precision);
    single = precision != Precision.FP64;
    one = constant(1);
    zero = constant(0);
  }

  /**
   * Returns the launch of Z [n x out] = A [n x in] · Wᵀ, W [out x in].
   *
   * @param pitch the number of elements from one row of Z to the next
   */
  public Node forward(String what, int n, int in, int out, Matrix a, Matrix w, Matrix z, int pitch, int replicas) {
    return new Product(
        "forward product, " + what, T, N, out, n, in, w, format.pitch(in), a, format.pitch(in), z, pitch, zero, replicas);
  }

  /**
   * Returns the launch of dA [n x in] = D [n x out] · W, W [out x in].
   *
   * @param added whether the product is added to dA instead of replacing it
   */
  public Node inputGradient(String what, int n, int in, int out, Matrix d, Matrix w, Matrix da, boolean added, int replicas) {
    return new Product("backward product, " + what, N, N, in, n, out, w, format.pitch(in), d, format.pitch(out), da,
        format.pitch(in), added ? one : zero, replicas);
  }

  /** Returns the launch of dW [out x in] = Dᵀ · A, D [n x out], A [n x in]. */
  public Node weightGradient(String what, int n, int in, int out, Matrix d, Matrix a, Matrix dw, int replicas) {
    return new Product("weight gradient, " + what, N, T, in, out, n, a, format.pitch(in), d, format.pitch(out), dw,
        format.pitch(in), zero, replicas);
  }

  /** Returns a host constant. Recorded graphs may refer to it, as it never changes. */
  private Pointer constant(double value) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Double.BYTES).order(ByteOrder.nativeOrder());
    if (single) {
      buffer.putFloat(0, (float) value);
    } else {
      buffer.putDouble(0, value);
    }
    return Pointer.to(buffer);
  }

  /** A product C [m x n] = op(A) [m x k] · op(B) [k x n] + beta·C, column-major, with leading dimensions. */
  private final class Product implements Node {
    private final String what;
    private final int opA;
    private final int opB;
    private final int m;
    private final int n;
    private final int k;
    private final Pointer a;
    private final long strideA;
    private final int lda;
    private final Pointer b;
    private final long strideB;
    private final int ldb;
    private final Pointer c;
    private final long strideC;
    private final int ldc;
    private final Pointer beta;
    private final int replicas;

    Product(String what, int opA, int opB, int m, int n, int k, Matrix a, int lda, Matrix b, int ldb, Matrix c, int ldc,
        Pointer beta, int replicas) {
      this.what = what;
      this.opA = opA;
      this.opB = opB;
      this.m = m;
      this.n = n;
      this.k = k;
      this.a = a.pointer();
      strideA = a.stride();
      this.lda = lda;
      this.b = b.pointer();
      strideB = b.stride();
      this.ldb = ldb;
      this.c = c.pointer();
      strideC = c.stride();
      this.ldc = ldc;
      this.beta = beta;
      this.replicas = replicas;
    }

    @Override
    public String name() {
      return what + " [" + m + " x " + k + "]·[" + k + " x " + n + "]" + (replicas > 1 ? ", " + replicas + " replicas" : "");
    }

    @Override
    public void enqueue() {
      cublasHandle blas = context.blas();
      if (format.isRounded()) {
        enqueueRounded(blas);
      } else if (replicas == 1 && single) {
        JCublas2.cublasSgemm(blas, opA, opB, m, n, k, one, a, lda, b, ldb, beta, c, ldc);
      } else if (replicas == 1) {
        JCublas2.cublasDgemm(blas, opA, opB, m, n, k, one, a, lda, b, ldb, beta, c, ldc);
      } else if (single) {
        JCublas2.cublasSgemmStridedBatched(blas, opA, opB, m, n, k, one, a, lda, strideA,
            b, ldb, strideB, beta, c, ldc, strideC, replicas);
      } else {
        JCublas2.cublasDgemmStridedBatched(blas, opA, opB, m, n, k, one, a, lda, strideA,
            b, ldb, strideB, beta, c, ldc, strideC, replicas);
      }
    }

    private void enqueueRounded(cublasHandle blas) {
      int factors = cudaDataType.CUDA_R_16BF;
      int sums = cudaDataType.CUDA_R_32F;
      if (replicas == 1) {
        JCublas2.cublasGemmEx_new(blas, opA, opB, m, n, k, one, a, factors, lda, b, factors, ldb, beta, c, sums, ldc,
            cublasComputeType.CUBLAS_COMPUTE_32F, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
      } else {
        JCublas2.cublasGemmStridedBatchedEx_new(blas, opA, opB, m, n, k, one, a, factors, lda, strideA, b, factors, ldb, strideB,
            beta, c, sums, ldc, strideC, replicas, cublasComputeType.CUBLAS_COMPUTE_32F, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
      }
    }
  }
}
