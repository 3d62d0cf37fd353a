package dev.plumb.backend.cpu.blas;

import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.NativeBLAS;
import dev.plumb.backend.cpu.engine.Gemm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * OpenBLAS, with its natives from Maven Central. Two libraries carry it: bytedeco's brings the native code and loads it, but hands
 * it Java arrays only as copies, which for wide layers costs a quarter of the speed; netlib's calls the same native code on the
 * arrays themselves. OpenBLAS's own threads stay out of it: Plumb deals out the work, and threads of both would wait for each other.
 *
 * <p>Loading takes some tenths of a second, and happens when the first wide network is opened.
 */
public final class OpenBlas {
  /** Who is netlib's only voice: it reports what it tried first as warnings on the console. */
  private static final Logger NETLIB = Logger.getLogger("dev.ludovic.netlib.blas.InstanceBuilder");

  private final BLAS blas;

  private OpenBlas(BLAS blas) {
    this.blas = blas;
  }

  /**
   * Loads it.
   *
   * @throws UnsatisfiedLinkError when it cannot be loaded or computes wrong results here; the message is one line that says why
   */
  public static OpenBlas load() {
    try {
      Path bridge = Path.of(Loader.load(openblas_nolapack.class));
      openblas_nolapack.blas_set_num_threads(1);
      System.setProperty("dev.ludovic.netlib.blas.nativeLibPath", libraryBeside(bridge).toString());
      NETLIB.setLevel(Level.OFF);
      OpenBlas loaded = new OpenBlas(NativeBLAS.getInstance());
      loaded.requireRightResults();
      return loaded;
    } catch (LinkageError | RuntimeException | IOException e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      UnsatisfiedLinkError refused = new UnsatisfiedLinkError("OpenBLAS cannot be loaded: " + firstLine(cause));
      refused.initCause(e);
      throw refused;
    }
  }

  private static Path libraryBeside(Path bridge) throws IOException {
    try (Stream<Path> files = Files.list(bridge.getParent())) {
      return files
          .filter(file -> file.getFileName().toString().matches("libopenblas.*\\.so\\..*"))
          .findFirst()
          .orElseThrow(() -> new IOException("no libopenblas beside " + bridge));
    }
  }

  private static String firstLine(Throwable cause) {
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.getClass().getSimpleName());
    return message.lines().findFirst().orElse(message);
  }

  public Gemm<double[]> doubles() {
    return new Doubles(blas);
  }

  public Gemm<float[]> floats() {
    return new Floats(blas);
  }

  /** Older OpenBLAS took the wrong kernels on processors that it did not know. */
  private void requireRightResults() {
    int m = 33;
    int n = 17;
    int k = 65;
    double[] a = new double[m * k];
    double[] b = new double[k * n];
    Arrays.setAll(a, i -> (i * 7 % 11) - 5);
    Arrays.setAll(b, i -> (i * 5 % 13) - 6);
    float[] a4 = new float[a.length];
    float[] b4 = new float[b.length];
    for (int i = 0; i < a.length; i++) {
      a4[i] = (float) a[i];
    }
    for (int i = 0; i < b.length; i++) {
      b4[i] = (float) b[i];
    }
    double[] c = new double[m * n];
    float[] c4 = new float[m * n];
    for (boolean transposeA : new boolean[] {false, true}) {
      for (boolean transposeB : new boolean[] {false, true}) {
        int aStride = transposeA ? m : k;
        int bStride = transposeB ? k : n;
        doubles().multiply(transposeA, transposeB, m, n, k, a, 0, aStride, b, 0, bStride, c, 0, n);
        floats().multiply(transposeA, transposeB, m, n, k, a4, 0, aStride, b4, 0, bStride, c4, 0, n);
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int p = 0; p < k; p++) {
              sum += a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
            }
            // Small whole numbers: every order of summation is exact.
            if (c[i * n + j] != sum || c4[i * n + j] != sum) {
              throw new IllegalStateException("its products are wrong on this processor");
            }
          }
        }
      }
    }
  }

  /** BLAS reads matrices column by column: what lies in memory as row-major C is its Cᵀ = op(B)ᵀ·op(A)ᵀ. */
  private record Doubles(BLAS blas) implements Gemm<double[]> {
    @Override
    public String name() {
      return "OpenBLAS";
    }

    @Override
    public void multiply(
        boolean transposeA,
        boolean transposeB,
        int m,
        int n,
        int k,
        double[] a,
        int aOffset,
        int aStride,
        double[] b,
        int bOffset,
        int bStride,
        double[] c,
        int cOffset,
        int cStride) {
      requireInside(a.length, aOffset, aStride, transposeA ? k : m, transposeA ? m : k);
      requireInside(b.length, bOffset, bStride, transposeB ? n : k, transposeB ? k : n);
      requireInside(c.length, cOffset, cStride, m, n);
      blas.dgemm(
          letter(transposeB), letter(transposeA), n, m, k, 1, b, bOffset, bStride, a, aOffset, aStride, 0, c, cOffset, cStride);
    }
  }

  /** Likewise. */
  private record Floats(BLAS blas) implements Gemm<float[]> {
    @Override
    public String name() {
      return "OpenBLAS";
    }

    @Override
    public void multiply(
        boolean transposeA,
        boolean transposeB,
        int m,
        int n,
        int k,
        float[] a,
        int aOffset,
        int aStride,
        float[] b,
        int bOffset,
        int bStride,
        float[] c,
        int cOffset,
        int cStride) {
      requireInside(a.length, aOffset, aStride, transposeA ? k : m, transposeA ? m : k);
      requireInside(b.length, bOffset, bStride, transposeB ? n : k, transposeB ? k : n);
      requireInside(c.length, cOffset, cStride, m, n);
      blas.sgemm(
          letter(transposeB), letter(transposeA), n, m, k, 1, b, bOffset, bStride, a, aOffset, aStride, 0, c, cOffset, cStride);
    }
  }

  private static String letter(boolean transpose) {
    return transpose ? "T" : "N";
  }

  /** Native code does not look where an array ends. */
  private static void requireInside(int length, int offset, int stride, int rows, int columns) {
    boolean inside = rows > 0 && columns > 0 && offset >= 0 && stride >= columns
        && offset + (long) (rows - 1) * stride + columns <= length;
    if (!inside) {
      throw new IndexOutOfBoundsException("a matrix of " + rows + " x " + columns + " with rows " + stride + " apart from "
          + offset + " on does not lie inside an array of " + length);
    }
  }
}
