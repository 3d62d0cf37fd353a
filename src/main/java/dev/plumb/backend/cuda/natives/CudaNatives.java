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
 * JCuda's natives, loaded once per process, from a folder that no other user can write to: JCuda itself unpacks to fixed names in
 * the shared temp folder, and loads whatever is there. They are loaded here before JCuda's classes initialise: a failed initialisation of those is final, and buries the loader's one useful line in nested traces.
 * The driver and cuBLAS are loaded before them by their full paths, which satisfies what the natives then ask for by name.
 */
public final class CudaNatives {
  /**
   * For Plumb's own tests: a folder with a libcuda.so.1 and a libcublas.so.12 that compute on the CPU, which are taken
   * instead of the system's.
   */
  public static final String HOST_DEVICE = "plumb.cuda.hostDevice";

  private static CudaSystem system;
  private static Optional<CudaProblem> obstacle;
  private static int cards;

  /** Carries an obstacle out of the steps below. */
  static final class Stopped extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient CudaProblem obstacle;

    Stopped(CudaProblem obstacle) {
      super(obstacle.reason());
      this.obstacle = obstacle;
    }
  }

  private CudaNatives() {}

  /**
   * Loads them. Afterwards JCudaDriver and JCublas2 can be used, throw exceptions for failures, cuInit has succeeded, and
   * there is at least one card. A failure is remembered, and thrown again by the next call.
   *
   * @throws DeviceUnavailableException when CUDA cannot be used here
   */
  public static void load() {
    Optional<CudaProblem> found = tryLoad();
    if (found.isPresent()) {
      throw found.get().asException();
    }
  }

  /** How many cards there are; 0 before {@link #load}. */
  public static synchronized int cards() {
    return cards;
  }

  /** As {@link #load}, but gives back why CUDA cannot be used. */
  static synchronized Optional<CudaProblem> tryLoad() {
    if (obstacle == null) {
      obstacle = system().obstacle();
      if (obstacle.isEmpty()) {
        try {
          loadLibraries(
              system.platform().orElseThrow(), system.driver().file().orElseThrow(), system.cublasFile().orElseThrow());
          askDriver();
        } catch (Stopped e) {
          obstacle = Optional.of(e.obstacle);
        }
      }
    }
    return obstacle;
  }

  /** What there is on this machine, as it was when it was first asked for. */
  static synchronized CudaSystem system() {
    if (system == null) {
      system = CudaSystem.inspect(HostEnvironment.current());
    }
    return system;
  }

  /** Returns the driver's version, which compiles PTX, and the CUDA version that it reports; after {@link #load}. */
  public static String driver() {
    int[] cuda = new int[1];
    JCudaDriver.cuDriverGetVersion(cuda);
    return system().driverVersion().map(version -> version + ", ").orElse("") + "CUDA " + CudaVersions.text(cuda[0]);
  }

  /** Whether a stand-in on the CPU takes the place of the GPU, so that no figure of it is shown as a GPU's. */
  public static boolean onHostDevice() {
    return HostEnvironment.current().hostDevice().isPresent();
  }

  private static void loadLibraries(CudaPlatform platform, Path driver, CudaSystem.CublasFile cublas) throws Stopped {
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
        initialise(folder.path());
      }
    } catch (IOException e) {
      throw new Stopped(CudaProblem.cannotUnpack(FileErrors.reason(e)));
    }
  }

  /**
   * Loads cuBLAS, and before it libcublasLt, which it needs, from the same folder: NVIDIA's libraries name their own folder
   * in their RUNPATH, those of other packagers may not. cuBLASLt opens libnvrtc itself when it needs it.
   */
  static void loadCublas(Path cublas) throws Stopped {
    String name = cublas.getFileName().toString();
    Path half = cublas.resolveSibling(name.replace("cublas", "cublasLt"));
    if (Files.exists(half)) {
      load(half);
    }
    load(cublas);
  }

  /** Returns one of the natives in the jar, whole. */
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
   * Returns one of JCuda's natives, changed where it is to use cuBLAS 13.
   *
   * @param content the native as it is in the jar
   */
  static NativeLibrary nativeLibrary(CudaPlatform platform, String name, byte[] content, CudaVersions.Cublas cublas)
      throws IOException {
    boolean rewrite = cublas.major() == 13 && name.equals(platform.cublasNative());
    return NativeLibrary.of(name, rewrite ? Cublas13.rewritten(content) : content);
  }

  /** Loads one of JCuda's natives. */
  static void loadNative(CudaPlatform platform, Path file) throws IOException, Stopped {
    if (platform == CudaPlatform.LINUX && SharedObject.state(file) != SharedObject.State.WHOLE) {
      throw new Stopped(CudaProblem.damagedJar(file.getFileName().toString()));
    }
    load(file);
  }

  /** JCuda's loader finds in its temp folder the very files that are loaded already, and is content. */
  private static void initialise(Path folder) throws Stopped {
    String temp = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
      JCublas2.setExceptionsEnabled(true);
    } catch (LinkageError e) {
      throw new Stopped(CudaProblem.cannotLoad(lastLine(e)));
    } finally {
      System.setProperty("java.io.tmpdir", temp);
    }
  }

  private static void load(Path library) throws Stopped {
    try {
      System.load(library.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new Stopped(CudaProblem.cannotLoad(lastLine(e)));
    }
  }

  private static String lastLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines()
        .filter(line -> !line.isBlank())
        .reduce((first, second) -> second)
        .orElse("");
  }

  /** These calls exist in every driver; any other, missing from an old one, would end the process. */
  private static void askDriver() throws Stopped {
    int[] cuda = new int[1];
    check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(cuda));
    CudaVersions.Cublas cublas = system.cublasFile().orElseThrow().version();
    if (cuda[0] < cublas.cuda()) {
      String version = system.driverVersion().map(driver -> "driver " + driver + ", ").orElse("");
      throw new Stopped(CudaProblem.driverTooOld(system, version + "CUDA " + CudaVersions.text(cuda[0]), cublas));
    }
    check("cuInit", JCudaDriver.cuInit(0));
    int[] count = new int[1];
    check("cuDeviceGetCount", JCudaDriver.cuDeviceGetCount(count));
    if (count[0] == 0) {
      throw new Stopped(CudaProblem.noCard(system));
    }
    cards = count[0];
    JCudaDriver.setExceptionsEnabled(true);
  }

  private static void check(String call, int code) throws Stopped {
    if (code != CUresult.CUDA_SUCCESS) {
      throw new Stopped(CudaProblem.driverRefuses(system, call, code));
    }
  }
}
