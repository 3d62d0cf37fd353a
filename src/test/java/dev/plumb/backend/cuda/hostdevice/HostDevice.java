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
 * The CUDA driver and cuBLAS on the CPU (src/test/native), for this JVM: built and loaded on first use, then
 * controlled and queried here.
 *
 * <p>{@link #load()} comes first. A host device that cannot be built or loaded fails the test that asked for it;
 * nothing is skipped. The settings are the process's: a test that changes them calls {@link #reset()} when it is done.
 */
public final class HostDevice {
  /** The order in which the threads of a block, and the blocks of a grid, run. */
  public enum Order { FORWARD, REVERSE, RANDOM }

  /** A fault to inject. The ordinals of these four enums are those of driver/state.h. */
  public enum Fault {
    NONE,
    /** Out of memory, device or pinned. */
    MEMORY,
    /** A kernel fails as it runs; it shows at a later call. */
    LAUNCH,
    /** The device falls off the bus: this driver call and all after it on that device return CUDA_ERROR_UNKNOWN. */
    LOST,
    /** A GEMM returns CUBLAS_STATUS_EXECUTION_FAILED. */
    GEMM,
    /** A copy fails with an uncorrectable memory error as it runs; it shows at a later call. */
    COPY
  }

  /** A counted event. Kernels, GEMMs and copies count when they run, inside and outside of graphs. */
  public enum Counter { CALLS, KERNELS, GEMMS, COPIES, GRAPH_LAUNCHES, SYNCHRONISATIONS, ALLOCATIONS, REFUSED_CUBINS }

  /** A kind of resource that must be released. */
  public enum Kind { DEVICE_MEMORY, PINNED_MEMORY, CONTEXT, STREAM, EVENT, GRAPH, GRAPH_EXEC, MODULE, CUBLAS_HANDLE }

  private static final int ALL_DEVICES = -1;

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

  /** Sets the order of threads and blocks; the seed is used only for RANDOM. */
  public static void order(Order order, long seed) {
    setOrder(order.ordinal(), seed);
  }

  /**
   * Sets how the kernels' arithmetic is rounded.
   *
   * @param contract whether mul and add without a rounding mode become one fma, as ptxas makes them, in modules that are loaded
   *     from now on
   * @param approximation the largest error of the approximate instructions ex2, lg2 and rcp, in units of 2^-22, in launches from
   *     now on
   */
  public static void arithmetic(boolean contract, double approximation) {
    setArithmetic(contract, approximation);
  }

  /** Sets whether enqueued work runs as late as the streams' rules allow (the default), or immediately. */
  public static void lazy(boolean lazy) {
    setLazy(lazy);
  }

  /** Sets whether diagnoses are only kept, and not printed. */
  public static void quiet(boolean quiet) {
    setQuiet(quiet);
  }

  /** Sets the number of devices. */
  public static void devices(int count) {
    setDevices(count);
  }

  /** Makes the nth event of this kind from now fail, n from 1. */
  public static void fault(Fault fault, long n) {
    setFault(fault.ordinal(), n, ALL_DEVICES);
  }

  /** Makes the nth event of this kind on one device from now fail, n from 1. */
  public static void fault(Fault fault, long n, int device) {
    setFault(fault.ordinal(), n, device);
  }

  /** Sets the bytes of shared memory that a block can opt in to; 0 for the default of the compute capability. */
  public static void sharedMemory(int bytes) {
    setSharedMemory(bytes);
  }

  /** Returns the number of events since the last reset. */
  public static long count(Counter counter) {
    return counted(counter.ordinal());
  }

  /** Returns the number of events on one device since the last reset. */
  public static long count(Counter counter, int device) {
    return countedOn(counter.ordinal(), device);
  }

  /** Returns the number of live resources. */
  public static long alive(Kind kind) {
    return living(kind.ordinal());
  }

  /**
   * Returns the resources that were not released, live or destroyed with their context: "2 DEVICE_MEMORY, 1 STREAM"; empty if
   * none.
   */
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

  /** Returns the last diagnosis of the host device; empty if there is none since the last reset. */
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
      // Written under another name first: a parallel test run may be reading the file.
      Path part = Files.createTempFile(out, name, ".part");
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      return Files.move(part, out.resolve(file), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static native void setOrder(int order, long seed);

  private static native void setArithmetic(boolean contract, double approximation);

  private static native void setLazy(boolean lazy);

  private static native void setQuiet(boolean quiet);

  private static native void setDevices(int count);

  private static native void setFault(int fault, long n, int device);

  private static native void setSharedMemory(int bytes);

  private static native void setDefaults();

  private static native long living(int kind);

  private static native long leaked(int kind);

  private static native long counted(int counter);

  private static native long countedOn(int counter, int device);

  private static native int diagnosisByte(int index);
}
