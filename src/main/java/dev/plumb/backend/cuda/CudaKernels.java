package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** The kernels of the jar, loaded into the current context: at once those that are always needed, the others with the first of them. */
final class CudaKernels implements AutoCloseable {
  /** The modules there are; a driver compiles each as a whole. */
  private enum Source {
    PLUMB("/ptx/plumb.ptx"),
    FUSED("/ptx/fused_mlp.ptx");

    private final String resource;
    private byte[] ptx;
    private Map<String, int[]> parameterSizes;

    Source(String resource) {
      this.resource = resource;
    }

    static Source of(String kernel) {
      return kernel.startsWith("fused_") ? FUSED : PLUMB;
    }

    /** The PTX as the jar has it. */
    synchronized byte[] ptx() {
      if (ptx == null) {
        ptx = read(resource);
        parameterSizes = PtxParameters.of(ptx);
      }
      return ptx;
    }

    /** The parameter lists of its kernels. */
    synchronized Map<String, int[]> parameterSizes() {
      ptx();
      return parameterSizes;
    }
  }

  /**
   * One kernel.
   *
   * @param parameterSizes in bytes, as the PTX declares them
   */
  record Kernel(String name, CUfunction function, int[] parameterSizes) {}

  private final Map<Source, CUmodule> modules = new EnumMap<>(Source.class);
  private final Map<String, Kernel> kernels = new HashMap<>();

  CudaKernels() {
    module(Source.PLUMB);
  }

  private CUmodule module(Source source) {
    CUmodule loaded = modules.get(source);
    if (loaded == null) {
      loaded = new CUmodule();
      // The driver takes PTX as a C string.
      cuModuleLoadData(loaded, Arrays.copyOf(source.ptx(), source.ptx().length + 1));
      modules.put(source, loaded);
    }
    return loaded;
  }

  /** @throws IllegalArgumentException when there is no kernel of that name */
  Kernel kernel(String name) {
    Kernel known = kernels.get(name);
    if (known != null) {
      return known;
    }
    Source source = Source.of(name);
    int[] sizes = source.parameterSizes().get(name);
    if (sizes == null) {
      throw new IllegalArgumentException("there is no kernel " + name + " in " + source.resource);
    }
    CUfunction function = new CUfunction();
    cuModuleGetFunction(function, module(source), name);
    Kernel kernel = new Kernel(name, function, sizes);
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

  /** Each module, whatever became of those before; the first failure is thrown. */
  @Override
  public void close() {
    RuntimeException first = null;
    for (CUmodule module : modules.values()) {
      try {
        cuModuleUnload(module);
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
