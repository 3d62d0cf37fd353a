package dev.plumb.backend.cuda;

import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.cuda.natives.CudaNatives;
import java.util.stream.Stream;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/**
 * Opens the CUDA backend for tests, with guards: on the host device, or with {@code -Dplumb.test.device=gpu} on the GPU that
 * Plumb itself would open, which is how {@code scripts/make-gpu-kit} runs these tests on a GPU. There a block's threads run in
 * the order of the GPU, and tests tagged "host-device" must be excluded: they control or query the host device.
 */
public final class CudaUnderTest {
  /** For {@code @MethodSource}. */
  public static final String ORDERS = "dev.plumb.backend.cuda.CudaUnderTest#orders";

  private static final String DEVICE = "plumb.test.device";
  /** The seed of the random order of threads; fixed, so that failures are reproducible. */
  private static final long SEED = 20240607;

  /** The primary context of the GPU, kept until the JVM ends: to create it for every test takes up to 0.8 s. */
  private static final class GpuContext {
    static {
      CudaNatives.load();
      CUdevice device = new CUdevice();
      JCudaDriver.cuDeviceGet(device, 0);
      JCudaDriver.cuDevicePrimaryCtxRetain(new CUcontext(), device);
    }

    /** Creates it on the first call. */
    static void keep() {}
  }

  private CudaUnderTest() {}

  public static CudaBackend open() {
    return open(Execution.GRAPH, Order.FORWARD);
  }

  /** Opens the layered planner. */
  public static CudaBackend open(Execution execution, Order order) {
    return open(execution, order, Planner.LAYERED);
  }

  public static CudaBackend open(Planner planner) {
    return open(Execution.GRAPH, Order.FORWARD, planner);
  }

  /** Opens the layered planner, with all products in cuBLAS. */
  public static CudaBackend openCublas(Execution execution, Order order) {
    return open(order, new CudaOptions(execution, true, Planner.LAYERED, false));
  }

  /** Opens a planner with all products in cuBLAS, and with one block per launch where blocks loop over the rest. */
  public static CudaBackend openWithOneBlock(Order order, Planner planner) {
    return open(order, new CudaOptions(Execution.GRAPH, true, planner, false).withMaxBlocks(1));
  }

  /**
   * Opens a planner.
   *
   * @param order the order of threads and blocks; only on the host device
   */
  public static CudaBackend open(Execution execution, Order order, Planner planner) {
    return open(order, new CudaOptions(execution, true, planner, true));
  }

  /** Opens the fused planner with the same rounding in every order. */
  public static CudaBackend openFusedRoundingAlike(Order order) {
    return openFusedRoundingAlike(order, Clusters.OFF);
  }

  public static CudaBackend openFusedRoundingAlike(Order order, Clusters clusters) {
    load(order);
    if (isHostDevice()) {
      HostDevice.arithmetic(false, 0);
    }
    return new CudaBackend(0, new CudaOptions(Execution.GRAPH, true, Planner.FUSED, true).withClusters(clusters));
  }

  private static CudaBackend open(Order order, CudaOptions options) {
    load(order);
    return new CudaBackend(0, options);
  }

  /**
   * Loads the host device, unless a GPU is tested. Rounding varies with the order: in reverse and random order products and sums
   * are contracted as ptxas does it, in random order approximate instructions are also off by their documented error.
   *
   * @param order the order of threads and blocks
   */
  public static void load(Order order) {
    if (isHostDevice()) {
      HostDevice.load();
      HostDevice.reset();
      HostDevice.order(order, SEED);
      HostDevice.arithmetic(order != Order.FORWARD, order == Order.RANDOM ? 1 : 0);
    } else {
      GpuContext.keep();
    }
  }

  /** Returns the orders to test: all on the host device; on a GPU, which has its own order, one. For {@link #ORDERS}. */
  static Stream<Order> orders() {
    return isHostDevice() ? Stream.of(Order.values()) : Stream.of(Order.FORWARD);
  }

  /** Opens the fused planner, with the layered one for networks that do not fit a block. */
  public static FusedWherePossible openFused(Execution execution, Order order) {
    return openFused(execution, order, Clusters.OFF);
  }

  public static FusedWherePossible openFused(Execution execution, Order order, Clusters clusters) {
    CudaBackend fused = open(order, new CudaOptions(execution, true, Planner.FUSED, true).withClusters(clusters));
    try {
      return new FusedWherePossible(fused, new CudaBackend(0, new CudaOptions(execution, true, Planner.LAYERED, true)));
    } catch (RuntimeException e) {
      fused.close();
      throw e;
    }
  }

  public static boolean isHostDevice() {
    String device = System.getProperty(DEVICE, "host-device");
    return switch (device) {
      case "host-device" -> true;
      case "gpu" -> false;
      default -> throw new AssertionError("-D" + DEVICE + "=" + device + ": one of host-device, gpu");
    };
  }
}
