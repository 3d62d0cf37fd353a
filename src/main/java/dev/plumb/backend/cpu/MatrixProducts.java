package dev.plumb.backend.cpu;

import dev.plumb.backend.cpu.blas.OpenBlas;
import dev.plumb.backend.cpu.engine.Gemm;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * An implementation of the matrix products of wide networks: OpenBLAS, which is loaded once per process when first needed; plain
 * Java where OpenBLAS cannot be loaded; or, for the widest networks, the Vector API where Java was started with it and vectors
 * have 512 bits.
 *
 * @param library description for reports
 * @param ownThreads sets how many of the library's own threads share one product, 1 except for comparisons; null if it has none
 * @param refusal why it is plain Java, in one line; null for others
 */
record MatrixProducts(Gemm<double[]> doubles, Gemm<float[]> floats, String library, IntConsumer ownThreads, String refusal) {
  /**
   * System property that chooses an implementation, for comparisons: "java" for plain Java, without native code; "openblas" for
   * OpenBLAS, without the Vector API.
   */
  static final String PROPERTY = "plumb.cpu.products";

  private static MatrixProducts loaded;

  /**
   * Returns OpenBLAS, or plain Java if OpenBLAS cannot be loaded.
   *
   * @param onRefusal receives a note with the reason, once per process, if it is plain Java
   */
  static synchronized MatrixProducts load(Consumer<String> onRefusal) {
    if (loaded == null) {
      loaded = loadOrFallBack();
      if (loaded.refusal() != null) {
        onRefusal.accept("matrix products of wide networks are computed in plain Java, which is slower: " + loaded.refusal());
      }
    }
    return loaded;
  }

  private static MatrixProducts loadOrFallBack() {
    if ("java".equals(System.getProperty(PROPERTY))) {
      return plainJava(PROPERTY + " is set to java");
    }
    OpenBlas.Loading loading = loadOpenBlas();
    if (loading instanceof OpenBlas.Refused refused) {
      return plainJava(refused.reason());
    }
    OpenBlas openBlas = ((OpenBlas.Loaded) loading).openBlas();
    return new MatrixProducts(openBlas.doubles(), openBlas.floats(), openBlas.description(), OpenBlas::ownThreads, null);
  }

  /**
   * Loads OpenBLAS in a new thread, which is never interrupted: an interrupt would stop the unpacking and leave the whole process
   * with plain Java.
   */
  private static OpenBlas.Loading loadOpenBlas() {
    FutureTask<OpenBlas.Loading> loading = new FutureTask<>(OpenBlas::load);
    new Thread(loading, "plumb-openblas").start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return loading.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) e.getCause();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Returns the products with the Vector API; empty where Java was started without it, where the processor's vectors are shorter
   * than 512 bits, or where the system property chooses others.
   */
  static Optional<MatrixProducts> withVectorApi() {
    if (System.getProperty(PROPERTY) != null) {
      return Optional.empty();
    }
    Optional<Gemm<double[]>> doubles = dev.plumb.backend.cpu.fp64.VectorizationProvider.get().gemm();
    Optional<Gemm<float[]>> floats = dev.plumb.backend.cpu.fp32.VectorizationProvider.get().gemm();
    return doubles.isPresent() && floats.isPresent()
        ? Optional.of(new MatrixProducts(doubles.get(), floats.get(), "Java's Vector API, 512 bits", null, null))
        : Optional.empty();
  }

  /**
   * Returns the products in plain Java.
   *
   * @param refusal the reason, in one line
   */
  static MatrixProducts plainJava(String refusal) {
    Gemm<double[]> doubles = new dev.plumb.backend.cpu.fp64.BlockedGemm();
    return new MatrixProducts(doubles, new dev.plumb.backend.cpu.fp32.BlockedGemm(), doubles.name(), null, refusal);
  }
}
