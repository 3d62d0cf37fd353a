package dev.plumb.backend.cuda.hostdevice;

import dev.plumb.backend.cuda.natives.CudaNatives;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.StringJoiner;
import jcuda.JCudaVersion;
import jcuda.driver.JCudaDriver;

/**
 * The CUDA driver and cuBLAS on the CPU (src/test/native), for this JVM: built and loaded on first use, then set and
 * asked here.
 *
 * <p>{@link #load()} comes first. A host device that cannot be built or loaded fails the test that asked for it;
 * nothing is skipped. The settings are the process's: a test that changes them calls {@link #reset()} when it is done.
 */
public final class HostDevice {
  /** In which order the threads of a block, and the blocks of a grid, run. */
  public enum Order { FORWARD, REVERSE, RANDOM }

  /** What can be made to fail. The numbers of these three enums are those of driver/state.h. */
  public enum Fault {
    NONE,
    /** Out of memory, device or pinned. */
    MEMORY,
    /** A kernel fails as it runs; it shows at a later call. */
    LAUNCH,
    /** The device falls off the bus: this driver call and all after it return CUDA_ERROR_UNKNOWN. */
    LOST,
    /** A GEMM returns CUBLAS_STATUS_EXECUTION_FAILED. */
    GEMM,
    /** A copy fails with an uncorrectable memory error as it runs; it shows at a later call. */
    COPY
  }

  /** What is counted. Kernels, GEMMs and copies count when they run, in a graph as outside of one. */
  public enum Counter { CALLS, KERNELS, GEMMS, COPIES, GRAPH_LAUNCHES, SYNCHRONISATIONS, ALLOCATIONS, REFUSED_CUBINS }

  /** What must be given back. */
  public enum Kind { DEVICE_MEMORY, PINNED_MEMORY, CONTEXT, STREAM, EVENT, GRAPH, GRAPH_EXEC, MODULE, CUBLAS_HANDLE }

  private static Path folder;
  private static AssertionError failure;

  private HostDevice() {}

  /** The folder with the libraries, built if need be; {@link CudaNatives} takes the libraries there from now on. */
  public static synchronized Path folder() {
    if (failure != null) {
      throw failure;
    }
    if (folder == null) {
      try {
        folder = build(Path.of("target", "host-device").toAbsolutePath());
      } catch (IOException e) {
        failure = new AssertionError("the host device could not be built: " + e.getMessage(), e);
        throw failure;
      } catch (AssertionError e) {
        failure = e;
        throw e;
      }
      System.setProperty(CudaNatives.HOST_DEVICE, folder.toString());
    }
    return folder;
  }

  /** Loads JCuda's natives on the host device, once; then every call of JCudaDriver and JCublas2 goes there. */
  public static synchronized void load() {
    folder();
    CudaNatives.load();
  }

  /** Settings as the environment has them, nothing to fail, counts empty. What is alive stays alive. */
  public static void reset() {
    setDefaults();
  }

  /** The order of threads and blocks; the seed matters for RANDOM alone. */
  public static void order(Order order, long seed) {
    setOrder(order.ordinal(), seed);
  }

  /**
   * Sets how the kernels' arithmetic is rounded.
   *
   * @param contract whether mul and add without a rounding mode become one fma, as ptxas makes them, in modules that are loaded from
   *     now on
   * @param approximation the largest error of the approximate instructions ex2, lg2 and rcp, in units of 2^-22, in launches from now on
   */
  public static void arithmetic(boolean contract, double approximation) {
    setArithmetic(contract, approximation);
  }

  /** Whether queued work runs as late as the streams' rules allow (the default), or at once. */
  public static void lazy(boolean lazy) {
    setLazy(lazy);
  }

  /** Whether diagnoses are kept without printing them. */
  public static void quiet(boolean quiet) {
    setQuiet(quiet);
  }

  /** Makes the nth event of this kind from now fail, n from 1. */
  public static void fault(Fault fault, long n) {
    setFault(fault.ordinal(), n);
  }

  /** How many bytes of shared memory a block may opt in to; 0 for as many as cards of the capability have. */
  public static void sharedMemory(int bytes) {
    setSharedMemory(bytes);
  }

  /** How often since the last reset. */
  public static long count(Counter counter) {
    return counted(counter.ordinal());
  }

  /** How many are alive. */
  public static long alive(Kind kind) {
    return living(kind.ordinal());
  }

  /** What has not been given back, alive or ended with its context: "2 DEVICE_MEMORY, 1 STREAM"; empty if nothing. */
  public static String left() {
    StringJoiner left = new StringJoiner(", ");
    for (Kind kind : Kind.values()) {
      long n = living(kind.ordinal()) + leaked(kind.ordinal());
      if (n != 0) {
        left.add(n + " " + kind);
      }
    }
    return left.toString();
  }

  /** What the host device said last; empty if nothing since the last reset. */
  public static String diagnosis() {
    StringBuilder text = new StringBuilder();
    for (int i = 0, b; (b = diagnosisByte(i)) >= 0; i++) {
      text.append((char) b);
    }
    return text.toString();
  }

  private static Path build(Path out) throws IOException {
    Files.createDirectories(out);
    Path script = Path.of("src", "test", "native", "build").toAbsolutePath();
    Process process = new ProcessBuilder("bash", script.toString(), out.toString(),
        natives("JCudaDriver", out).toString(), natives("JCublas2", out).toString()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor() != 0) {
        throw new AssertionError(said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while the host device was built", e);
    }
    return out;
  }

  /** JCuda's own native library, out of its jar, for the build to see what it imports. */
  private static Path natives(String name, Path out) throws IOException {
    String file = "lib" + name + "-" + JCudaVersion.get() + "-linux-x86_64.so";
    try (InputStream in = JCudaDriver.class.getResourceAsStream("/lib/" + file)) {
      if (in == null) {
        throw new AssertionError(file + " is in no jar of the class path");
      }
      // Under another name first: a test run beside this one may be reading it.
      Path part = Files.createTempFile(out, name, ".part");
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      return Files.move(part, out.resolve(file), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static native void setOrder(int order, long seed);

  private static native void setArithmetic(boolean contract, double approximation);

  private static native void setLazy(boolean lazy);

  private static native void setQuiet(boolean quiet);

  private static native void setFault(int fault, long n);

  private static native void setSharedMemory(int bytes);

  private static native void setDefaults();

  private static native long living(int kind);

  private static native long leaked(int kind);

  private static native long counted(int counter);

  private static native int diagnosisByte(int index);
}
