package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.natives.NativeFolder;
import dev.plumb.backend.natives.NativeLibrary;
import dev.plumb.model.FileErrors;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * Loads JCuda's native libraries, once per process, from a folder that no other user can write to: JCuda itself unpacks them
 * under fixed names in the shared temporary folder, and loads any file that is already there. They are loaded before JCuda's
 * classes are initialized, because a failed initialization is final and hides the loader's message in nested stack traces. The
 * driver and cuBLAS are loaded first, by their full paths, so that the natives' references to them by name are resolved.
 */
public final class CudaNatives {
  /**
   * System property for Plumb's own tests: a folder with a libcuda.so.1 and a libcublas.so.12 that compute on the CPU, loaded
   * instead of the system's.
   */
  public static final String HOST_DEVICE = "plumb.cuda.hostDevice";

  private static CudaSystem system;
  private static Optional<CudaProblem> problem;

  /** Ends loading with a problem. */
  static final class LoadingFailed extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient CudaProblem problem;

    LoadingFailed(CudaProblem problem) {
      super(problem.reason());
      this.problem = problem;
    }
  }

  private CudaNatives() {}

  /**
   * Loads the natives. Afterwards JCudaDriver and JCublas2 can be used and throw exceptions for failures, cuInit has succeeded,
   * and there is at least one device. A failure is remembered, and thrown again by the next call.
   *
   * @throws DeviceUnavailableException when CUDA cannot be used on this machine
   */
  public static void load() {
    Optional<CudaProblem> found = tryLoad();
    if (found.isPresent()) {
      throw found.get().asException();
    }
  }

  /** Returns the number of devices; 0 before {@link #load}. */
  public static int deviceCount() {
    int[] count = new int[1];
    JCudaDriver.cuDeviceGetCount(count);
    return count[0];
  }

  /** Loads the natives like {@link #load}, but returns the problem instead of throwing it. */
  static synchronized Optional<CudaProblem> tryLoad() {
    if (problem == null) {
      problem = system().problem();
      if (problem.isEmpty()) {
        try {
          loadLibraries(
              system.platform().orElseThrow(), system.driver().file().orElseThrow(), system.cublasFile().orElseThrow());
          initializeDriver();
        } catch (LoadingFailed e) {
          problem = Optional.of(e.problem);
        }
      }
    }
    return problem;
  }

  /** Returns the driver and libraries of this machine, as found by the first call. */
  static synchronized CudaSystem system() {
    if (system == null) {
      system = CudaSystem.inspect(HostEnvironment.current());
    }
    return system;
  }

  /** Returns the version of the driver, which compiles PTX, and the CUDA version that it reports; after {@link #load}. */
  public static String driver() {
    int[] cuda = new int[1];
    JCudaDriver.cuDriverGetVersion(cuda);
    return system().driverVersion().map(version -> version + ", ").orElse("") + "CUDA " + CudaVersions.text(cuda[0]);
  }

  /** Returns whether the tests' host device replaces the GPU. Its timings must not be shown as those of a GPU. */
  public static boolean onHostDevice() {
    return HostEnvironment.current().hostDevice().isPresent();
  }

  private static void loadLibraries(CudaPlatform platform, Path driver, CudaSystem.CublasFile cublas) throws LoadingFailed {
    load(driver);
    loadCublas(cublas.file());
    List<NativeLibrary> natives = new ArrayList<>();
    try {
      for (String library : platform.natives()) {
        natives.add(nativeLibrary(platform, library, resource(library), cublas.version()));
      }
      try (NativeFolder folder = NativeFolder.open("jcuda", natives)) {
        for (String library : platform.natives()) {
          loadNative(platform, folder.file(library));
        }
        initialize(folder.path());
      }
    } catch (IOException e) {
      throw new LoadingFailed(CudaProblem.cannotUnpack(FileErrors.reason(e)));
    }
  }

  /**
   * Loads cuBLAS, and before it libcublasLt, which it needs, from the same folder. NVIDIA's libraries name their own folder in
   * their RUNPATH; those of other packagers may not. cuBLASLt opens libnvrtc itself when it needs it.
   */
  static void loadCublas(Path cublas) throws LoadingFailed {
    String name = cublas.getFileName().toString();
    Path cublasLt = cublas.resolveSibling(name.replace("cublas", "cublasLt"));
    if (Files.exists(cublasLt)) {
      load(cublasLt);
    }
    load(cublas);
  }

  /** Returns the content of one of the natives in the jar. */
  static byte[] resource(String name) throws IOException {
    // By the class loader: a class of a named module would find resources of its own module only.
    try (InputStream in = CudaNatives.class.getClassLoader().getResourceAsStream("lib/" + name)) {
      if (in == null) {
        throw new FileNotFoundException("lib/" + name + " is not on the class path; it is in jcuda-natives or jcublas-natives of org.jcuda");
      }
      return in.readAllBytes();
    }
  }

  /**
   * Returns one of JCuda's natives, patched if it is to use cuBLAS 13.
   *
   * @param content the native's content in the jar
   */
  static NativeLibrary nativeLibrary(CudaPlatform platform, String name, byte[] content, CudaVersions.Cublas cublas)
      throws IOException {
    boolean rewrite = cublas.major() == 13 && name.equals(platform.cublasNative());
    return NativeLibrary.of(name, rewrite ? Cublas13.patched(content) : content);
  }

  /** Loads one of JCuda's natives. */
  static void loadNative(CudaPlatform platform, Path file) throws IOException, LoadingFailed {
    if (platform == CudaPlatform.LINUX && SharedObject.state(file) != SharedObject.State.WHOLE) {
      throw new LoadingFailed(CudaProblem.damagedJar(file.getFileName().toString()));
    }
    load(file);
  }

  /**
   * Initializes JCuda's classes. Their loader finds the libraries that are already loaded in the temporary folder that it is
   * given.
   */
  private static void initialize(Path folder) throws LoadingFailed {
    String temp = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
      JCublas2.setExceptionsEnabled(true);
    } catch (LinkageError e) {
      throw new LoadingFailed(CudaProblem.cannotLoad(lastLine(e)));
    } finally {
      System.setProperty("java.io.tmpdir", temp);
    }
  }

  private static void load(Path library) throws LoadingFailed {
    try {
      System.load(library.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new LoadingFailed(CudaProblem.cannotLoad(lastLine(e)));
    }
  }

  private static String lastLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines()
        .filter(line -> !line.isBlank())
        .reduce((first, second) -> second)
        .orElse("");
  }

  /**
   * Calls only functions that every driver has: a call of a function that is missing from an old driver would end the process.
   */
  private static void initializeDriver() throws LoadingFailed {
    int[] cuda = new int[1];
    check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(cuda));
    CudaVersions.Cublas cublas = system.cublasFile().orElseThrow().version();
    if (cuda[0] < cublas.cuda()) {
      String version = system.driverVersion().map(driver -> "driver " + driver + ", ").orElse("");
      throw new LoadingFailed(CudaProblem.driverTooOld(system, version + "CUDA " + CudaVersions.text(cuda[0]), cublas));
    }
    check("cuInit", JCudaDriver.cuInit(0));
    int[] count = new int[1];
    check("cuDeviceGetCount", JCudaDriver.cuDeviceGetCount(count));
    if (count[0] == 0) {
      throw new LoadingFailed(CudaProblem.noDevice(system));
    }
    JCudaDriver.setExceptionsEnabled(true);
  }

  private static void check(String call, int code) throws LoadingFailed {
    if (code != CUresult.CUDA_SUCCESS) {
      throw new LoadingFailed(CudaProblem.driverRefuses(system, call, code));
    }
  }
}
