package dev.plumb.backend.cpu;

import dev.plumb.backend.cpu.blas.OpenBlas;
import dev.plumb.backend.cpu.engine.Gemm;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * What multiplies the matrices of wide networks: OpenBLAS, or plain Java where that cannot be loaded, loaded once a process, when
 * first needed; for the widest, code with the Vector API, where Java was started with it and vectors have 512 bits.
 *
 * @param library what it is, for people
 * @param ownThreads sets how many threads of its own share one product, which is 1 but for comparisons; null where it has none
 * @param refusal why it is plain Java, in one line; null for OpenBLAS
 */
record MatrixProducts(Gemm<double[]> doubles, Gemm<float[]> floats, String library, IntConsumer ownThreads, String refusal) {
  /**
   * Set to java, leaves OpenBLAS alone: for comparisons, and where native code is not wanted. Set to openblas, leaves the Vector
   * API alone, as java does: for comparisons.
   */
  static final String PROPERTY = "plumb.cpu.products";

  private static MatrixProducts loaded;

  /** @param onRefusal is told once a process when it is plain Java, and why */
  static synchronized MatrixProducts load(Consumer<String> onRefusal) {
    if (loaded == null) {
      loaded = make();
      if (loaded.refusal() != null) {
        onRefusal.accept("matrix products of wide networks are computed in plain Java, which is slower: " + loaded.refusal());
      }
    }
    return loaded;
  }

  private static MatrixProducts make() {
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
   * Loads in a thread of its own, which nobody interrupts: an interrupt ends the unpacking, and the whole process would be left with
   * plain Java.
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

  /** @param refusal why */
  static MatrixProducts plainJava(String refusal) {
    Gemm<double[]> doubles = new dev.plumb.backend.cpu.fp64.BlockedGemm();
    return new MatrixProducts(doubles, new dev.plumb.backend.cpu.fp32.BlockedGemm(), doubles.name(), null, refusal);
  }
}
