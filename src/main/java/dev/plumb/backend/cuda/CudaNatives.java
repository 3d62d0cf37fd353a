package dev.plumb.backend.cuda;

import dev.plumb.backend.DeviceUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * JCuda's natives, loaded once a process, from copies that no other process can touch. They are loaded here before JCuda's classes
 * initialise: a failed initialisation of those is final, and buries the loader's one useful line in nested traces.
 */
final class CudaNatives {
  /**
   * For Plumb's own tests: a folder with a libcuda.so.1 and a libcublas.so.12 that compute on the CPU, which are taken instead of
   * the system's.
   */
  static final String HOST_DEVICE = "plumb.cuda.hostDevice";

  private static boolean loaded;
  private static Obstacle obstacle;

  private CudaNatives() {}

  /**
   * Loads them. Afterwards JCudaDriver and JCublas2 can be used, throw exceptions for failures, cuInit has succeeded, and there is
   * at least one card. A failure is remembered, and thrown again by the next call.
   *
   * @throws DeviceUnavailableException when CUDA cannot be used here
   */
  static synchronized void load() {
    if (obstacle != null) {
      throw obstacle.asException();
    }
    if (!loaded) {
      try {
        loadOnce();
        loaded = true;
      } catch (ObstacleException e) {
        obstacle = e.obstacle();
        throw obstacle.asException();
      }
    }
  }

  /** Whether a stand-in on the CPU takes the place of the GPU, so that no figure of it is shown as a GPU's. */
  static boolean onHostDevice() {
    return hostDevice() != null;
  }

  private static String hostDevice() {
    String folder = System.getProperty(HOST_DEVICE);
    return folder == null || folder.isBlank() ? null : folder;
  }

  private static void loadOnce() {
    CudaPlatform platform = CudaPlatform.of(System.getProperty("os.name"), System.getProperty("os.arch")).orElseThrow(() ->
        new ObstacleException(Obstacle.unsupportedPlatform(System.getProperty("os.name"), System.getProperty("os.arch"))));
    if (onHostDevice()) {
      for (String name : List.of("libcuda.so.1", "libcublas.so.12")) {
        Path library = Path.of(hostDevice(), name).toAbsolutePath();
        if (Files.exists(library)) {
          load(library);
        }
      }
    }
    unpackAndInitialise(platform);
    JCudaDriver.setExceptionsEnabled(false);
    check("cuInit", JCudaDriver.cuInit(0));
    int[] cards = new int[1];
    check("cuDeviceGetCount", JCudaDriver.cuDeviceGetCount(cards));
    if (cards[0] == 0) {
      throw new ObstacleException(Obstacle.noCard());
    }
    JCudaDriver.setExceptionsEnabled(true);
    JCublas2.setExceptionsEnabled(true);
  }

  private static void unpackAndInitialise(CudaPlatform platform) {
    try (NativeFolder folder = NativeFolder.make(platform.natives())) {
      for (String name : platform.natives()) {
        load(folder.write(name, NativeFolder.resource(name)));
      }
      initialise(folder.path());
    } catch (IOException e) {
      throw new ObstacleException(Obstacle.cannotUnpack(String.valueOf(e.getMessage())));
    }
  }

  /** JCuda's loader finds in its temp folder the very files that are loaded already, and is content. */
  private static void initialise(Path folder) {
    String temp = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
      JCublas2.setExceptionsEnabled(false);
    } catch (LinkageError e) {
      throw new ObstacleException(Obstacle.cannotLoad(lastLine(e)));
    } finally {
      System.setProperty("java.io.tmpdir", temp);
    }
  }

  private static void load(Path library) {
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new ObstacleException(Obstacle.cannotLoad(lastLine(e)));
    }
  }

  private static String lastLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().filter(line -> !line.isBlank()).reduce((first, second) -> second).orElse("");
  }

  private static void check(String call, int code) {
    if (code != CUresult.CUDA_SUCCESS) {
      throw new ObstacleException(code == CUresult.CUDA_ERROR_NO_DEVICE
          ? Obstacle.noCard()
          : Obstacle.driverRefuses(call, code, CUresult.stringFor(code)));
    }
  }
}
