package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** The kernels of the jar, loaded into the current context. */
final class CudaKernels implements AutoCloseable {
  private static final String RESOURCE = "/ptx/plumb.ptx";

  /** The PTX as the jar has it, and the parameter lists of its kernels. */
  private static final byte[] PTX = read();
  private static final Map<String, int[]> PARAMETER_SIZES = PtxParameters.of(PTX);

  /**
   * One kernel.
   *
   * @param parameterSizes in bytes, as the PTX declares them
   */
  record Kernel(String name, CUfunction function, int[] parameterSizes) {}

  private final CUmodule module = new CUmodule();
  private final Map<String, Kernel> kernels = new HashMap<>();

  CudaKernels() {
    // The driver takes PTX as a C string.
    cuModuleLoadData(module, Arrays.copyOf(PTX, PTX.length + 1));
  }

  /** @throws IllegalArgumentException when there is no kernel of that name */
  Kernel kernel(String name) {
    return kernels.computeIfAbsent(name, key -> {
      int[] sizes = PARAMETER_SIZES.get(key);
      if (sizes == null) {
        throw new IllegalArgumentException("there is no kernel " + key + " in " + RESOURCE);
      }
      CUfunction function = new CUfunction();
      cuModuleGetFunction(function, module, key);
      return new Kernel(key, function, sizes);
    });
  }

  private static byte[] read() {
    try (InputStream in = CudaKernels.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    cuModuleUnload(module);
  }
}
