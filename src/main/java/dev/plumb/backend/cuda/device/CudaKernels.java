package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;

import dev.plumb.backend.DeviceUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import jcuda.CudaException;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/**
 * The kernels in the jar, loaded into the current context: one module immediately, the others with the first use of one of their
 * kernels. Devices of compute capability 9.0 get machine code, which the driver only copies. All others get PTX, which it
 * compiles, and so do devices whose driver is older than the toolkit that made the machine code.
 */
public final class CudaKernels implements AutoCloseable {
  /**
   * System property for Plumb's own tests: {@code ptx} or {@code cubin} loads the kernels only in this form. Without it, machine
   * code is loaded if there is some for the device and its driver accepts it, otherwise PTX.
   */
  static final String KERNEL_CODE = "plumb.cuda.code";

  /** The compute capability of the machine code in the jar. */
  private static final int CUBIN_CAPABILITY = 90;

  /** The form of the kernels that the driver loads. */
  public enum Code {
    /** Code that the driver compiles for its device. */
    PTX,
    /** Machine code, made from the PTX by scripts/build-kernels. */
    CUBIN;

    /** Returns the value of {@link #KERNEL_CODE}, if it is set. */
    private static Optional<Code> requested() {
      String value = System.getProperty(KERNEL_CODE);
      if (value == null || value.isBlank()) {
        return Optional.empty();
      }
      return Optional.of(switch (value) {
        case "ptx" -> PTX;
        case "cubin" -> CUBIN;
        default -> throw new DeviceUnavailableException("system property " + KERNEL_CODE + ": \"" + value
            + "\" is neither ptx nor cubin; remove it to let Plumb choose");
      });
    }
  }

  /** The modules; the driver compiles each as a whole. */
  private enum Source {
    PLUMB("/ptx/plumb"),
    BF16("/ptx/bf16"),
    NORMALIZATION("/ptx/normalization"),
    FUSED("/ptx/fused_mlp"),
    FUSED_WEIGHTED("/ptx/fused_mlp_weighted"),
    NARROW("/ptx/fused_narrow"),
    NARROW_WEIGHTED("/ptx/fused_narrow_weighted"),
    /** For compute capability 9.0 and newer. */
    CLUSTER("/ptx/fused_cluster"),
    PRODUCT("/ptx/product"),
    /** For compute capability 8.0 and newer. */
    PRODUCT_TF32("/ptx/product_tf32");

    private final String resource;
    private byte[] ptx;
    private Map<String, int[]> parameterSizes;

    Source(String resource) {
      this.resource = resource;
    }

    static Source of(String kernel) {
      boolean weighted = kernel.contains("_weighted_");
      if (kernel.startsWith("fused_narrow_")) {
        return weighted ? NARROW_WEIGHTED : NARROW;
      }
      if (kernel.startsWith("fused_cluster_")) {
        return CLUSTER;
      }
      if (kernel.endsWith("_bf16")) {
        return BF16;
      }
      if (kernel.endsWith("_tf32")) {
        return PRODUCT_TF32;
      }
      if (kernel.startsWith("normalization_")) {
        return NORMALIZATION;
      }
      if (kernel.startsWith("fused_")) {
        return weighted ? FUSED_WEIGHTED : FUSED;
      }
      return kernel.startsWith("product_") ? PRODUCT : PLUMB;
    }

    /** Returns the PTX in the jar. */
    synchronized byte[] ptx() {
      if (ptx == null) {
        ptx = read(resource + ".ptx");
        parameterSizes = PtxParameters.of(ptx);
      }
      return ptx;
    }

    /** Returns the machine code in the jar. */
    byte[] cubin() {
      return read(resource + ".sm_" + CUBIN_CAPABILITY + ".cubin");
    }

    /** Returns the sizes of the parameters of each kernel, the same for PTX and machine code. */
    synchronized Map<String, int[]> parameterSizes() {
      ptx();
      return parameterSizes;
    }
  }

  /**
   * A loaded kernel.
   *
   * @param parameterSizes the sizes in bytes of its parameters in the PTX
   * @param code the form that it was loaded in
   */
  public record Kernel(String name, CUfunction function, int[] parameterSizes, Code code) {}

  private record Module(CUmodule handle, Code code) {}

  private final Map<Source, Module> modules = new EnumMap<>(Source.class);
  private final Map<String, Kernel> kernels = new HashMap<>();
  private final boolean mayFallBack;
  private Code code;

  /**
   * Loads the module that is always needed.
   *
   * @param capability the compute capability of the current context's device, 90 for 9.0
   * @throws DeviceUnavailableException when {@link #KERNEL_CODE} is neither ptx nor cubin
   */
  CudaKernels(int capability) {
    Optional<Code> requested = Code.requested();
    mayFallBack = requested.isEmpty();
    code = requested.orElse(capability == CUBIN_CAPABILITY ? Code.CUBIN : Code.PTX);
    module(Source.PLUMB);
  }

  private Module module(Source source) {
    Module loaded = modules.get(source);
    if (loaded == null) {
      loaded = load(source);
      modules.put(source, loaded);
    }
    return loaded;
  }

  private Module load(Source source) {
    CUmodule module = new CUmodule();
    if (code == Code.CUBIN) {
      try {
        cuModuleLoadData(module, source.cubin());
        return new Module(module, Code.CUBIN);
      } catch (CudaException e) {
        if (!mayFallBack || !CudaFailures.isKernelsRefused(e)) {
          throw e;
        }
        code = Code.PTX;
      }
    }
    // The driver takes PTX as a C string.
    cuModuleLoadData(module, Arrays.copyOf(source.ptx(), source.ptx().length + 1));
    return new Module(module, Code.PTX);
  }

  /**
   * Returns a kernel, and loads its module on first use.
   *
   * @throws IllegalArgumentException when there is no kernel with that name
   */
  Kernel kernel(String name) {
    Kernel known = kernels.get(name);
    if (known != null) {
      return known;
    }
    Source source = Source.of(name);
    int[] sizes = source.parameterSizes().get(name);
    if (sizes == null) {
      throw new IllegalArgumentException("there is no kernel " + name + " in " + source.resource + ".ptx");
    }
    CUfunction function = new CUfunction();
    Module module = module(source);
    cuModuleGetFunction(function, module.handle(), name);
    Kernel kernel = new Kernel(name, function, sizes, module.code());
    kernels.put(name, kernel);
    return kernel;
  }

  private static byte[] read(String resource) {
    try (InputStream in = CudaKernels.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is missing from the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Unloads all modules, also after failures; the first failure is thrown. */
  @Override
  public void close() {
    RuntimeException first = null;
    for (Module module : modules.values()) {
      try {
        cuModuleUnload(module.handle());
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
