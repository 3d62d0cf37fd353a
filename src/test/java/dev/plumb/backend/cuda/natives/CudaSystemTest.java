package dev.plumb.backend.cuda.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.GpuReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is made of each situation that a machine's files can show. */
@DisabledOnOs(OS.WINDOWS)
class CudaSystemTest {
  private static final String CUBLAS_12 = "/usr/local/cuda-12.6/lib64/libcublas.so.12";
  private static final String CUBLAS_13 = "/usr/local/cuda-13.0/lib64/libcublas.so.13";

  @TempDir Path root;

  @Test
  void completeMachineHasNoObstacle() throws IOException {
    FakeMachine machine = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12);
    CudaSystem system = machine.inspect();
    assertEquals(Optional.empty(), system.obstacle());
    assertEquals(Optional.of("535.183.01"), system.driverVersion());
    assertEquals(Optional.of("535.183.01"), system.kernelVersion());
    assertEquals(List.of(machine.path("/dev/nvidia0"), machine.path("/dev/nvidiactl")), system.deviceFiles());
    assertEquals(machine.path(CUBLAS_12), system.cublasFile().orElseThrow().file());
    assertEquals(12, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void otherPlatformIsNamedBeforeAnythingIsLookedFor() throws IOException {
    for (List<String> platform : List.of(
        List.of("Mac OS X", "aarch64"), List.of("Linux", "aarch64"), List.of("Linux", "i386"))) {
      CudaSystem system = FakeMachine.withDriver(Files.createTempDirectory(root, "m"), "535.183.01")
          .platform(platform.get(0), platform.get(1)).inspect();
      assertTrue(system.obstacle().orElseThrow().reason().contains(platform.get(0) + " " + platform.get(1)));
      assertEquals(List.of(), system.driver().lookedIn());
    }
  }

  @Test
  void machineWithoutDriver() throws IOException {
    CudaProblem obstacle = new FakeMachine(root).library(CUBLAS_12).obstacle().orElseThrow();
    assertEquals("there is no NVIDIA driver: libcuda.so.1 was not found", obstacle.reason());
    assertTrue(obstacle.remedy().contains("525.60.13"), obstacle.remedy());
  }

  @Test
  void cublasIsLookedForWithoutADriverOnlyToReportIt() throws IOException {
    FakeMachine machine = new FakeMachine(root).library(CUBLAS_12);
    assertEquals(Map.of(), machine.inspect().cublas());
    List<GpuReport.Detection> findings = CudaReport.findings(machine.inspect().withCublas());
    assertTrue(findings.contains(new GpuReport.Detection("cuBLAS 12",
        machine.path(CUBLAS_12) + " (CUDA Toolkit in /usr/local; used)", Optional.of("CUDA Toolkit in /usr/local"), List.of())),
        findings.toString());
  }

  @Test
  void reportNamesTheEnvironmentInWhichPipPutCublas() throws IOException {
    String file = "/opt/torch/.venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13";
    FakeMachine machine = FakeMachine.withDriver(root, "580.65.06").library(file)
        .file("/opt/python/bin/python3.12", "")
        .link("/opt/torch/.venv/bin/python3", "../../../python/bin/python3.12")
        .file("/opt/torch/.venv/pyvenv.cfg", "home = /opt/python/bin\ninclude-system-site-packages = false\n")
        .file("/usr/local/cuda/bin/nvcc", "")
        .variable("PATH", "/opt/torch/.venv/bin:/usr/local/cuda/bin:/usr/bin");
    assertEquals(Optional.empty(), machine.obstacle());
    List<GpuReport.Detection> findings = CudaReport.findings(machine.inspect());
    String source = "pip, in the environment of python3 on PATH";
    assertTrue(findings.contains(new GpuReport.Detection("cuBLAS 13",
        machine.path(file) + " (" + source + "; used, by a private copy of JCublas that asks for it)", Optional.of(source),
        List.of())), findings.toString());
    assertTrue(findings.contains(new GpuReport.Detection("cuBLAS 12", "not found", Optional.empty(), List.of())),
        findings.toString());
  }

  @Test
  void containerWithoutTheDriversLibraryIsToldApartFromAMachineWithoutDriver() throws IOException {
    CudaProblem obstacle = new FakeMachine(root).file("/dev/nvidia0", "").file("/sys/module/nvidia/version", "550.54.14\n")
        .obstacle().orElseThrow();
    assertTrue(obstacle.reason().startsWith("the NVIDIA driver 550.54.14 runs on this machine, but"), obstacle.reason());
    assertTrue(obstacle.remedy().contains("--gpus all"), obstacle.remedy());
  }

  @Test
  void driverThatIsTooOldIsNamedWithTheBranchThatIsNeeded() throws IOException {
    CudaProblem obstacle = FakeMachine.withDriver(root, "470.57.02").library(CUBLAS_12).obstacle().orElseThrow();
    assertEquals("the NVIDIA driver is too old: driver 470.57.02, and cuBLAS 12 needs CUDA 12.0 (driver 525.60.13 or newer)",
        obstacle.reason());
    assertEquals("install a driver of branch 525 or newer", obstacle.remedy());
  }

  @Test
  void driverOfTheFirstVersionThatWillDoDoes() throws IOException {
    assertTrue(FakeMachine.withDriver(root.resolve("a"), "525.60.12").library(CUBLAS_12).obstacle().isEmpty(),
        "the third number is not compared: a driver says its CUDA version by itself");
    assertTrue(FakeMachine.withDriver(root.resolve("b"), "525.60.13").library(CUBLAS_12).obstacle().isEmpty());
    assertFalse(FakeMachine.withDriver(root.resolve("c"), "525.53").library(CUBLAS_12).obstacle().isEmpty());
  }

  /** A newer library of the driver may run on an older kernel module (NVIDIA's cuda-compat packages). */
  @Test
  void versionOfTheDriversLibraryCountsBeforeTheKernelModules() throws IOException {
    FakeMachine machine = FakeMachine.withDriver(root, "470.57.02").library(CUBLAS_12)
        .library("/usr/local/cuda/compat/libcuda.so.560.35.05")
        .link("/usr/local/cuda/compat/libcuda.so.1", "libcuda.so.560.35.05")
        .variable("LD_LIBRARY_PATH", "/usr/local/cuda/compat");
    assertEquals(Optional.empty(), machine.obstacle());
    assertEquals(Optional.of("560.35.05"), machine.inspect().driverVersion());
    assertEquals(Optional.of("470.57.02"), machine.inspect().kernelVersion());
  }

  @Test
  void missingCublasIsNamed() throws IOException {
    CudaProblem obstacle = FakeMachine.withDriver(root, "535.183.01").obstacle().orElseThrow();
    assertEquals("the driver is there, but cuBLAS is not: neither libcublas.so.12 nor libcublas.so.13 was found",
        obstacle.reason());
    assertTrue(obstacle.remedy().contains("install cuBLAS 12 or 13"), obstacle.remedy());
  }

  @Test
  void oldDriverComesBeforeMissingCublas() throws IOException {
    assertTrue(FakeMachine.withDriver(root, "470.57.02").obstacle().orElseThrow().reason().contains("too old"));
  }

  @Test
  void cublas13AloneIsUsedByADriverThatHasCuda13() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "580.65.06").library(CUBLAS_13).inspect();
    assertEquals(Optional.empty(), system.obstacle());
    assertEquals(13, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void cublas13AloneNeedsANewerDriver() throws IOException {
    CudaProblem obstacle = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_13).obstacle().orElseThrow();
    assertTrue(obstacle.reason().contains("driver 535.183.01, and cuBLAS 13 needs CUDA 13.0"), obstacle.reason());
    assertEquals("install a driver of branch 580 or newer, or cuBLAS 12 beside cuBLAS 13", obstacle.remedy());
  }

  @Test
  void cublas12IsPreferred() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "580.65.06").library(CUBLAS_12).library(CUBLAS_13).inspect();
    assertEquals(12, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void truncatedLibrariesAreNamedAndNotLoaded() throws IOException {
    FakeMachine noDriver = new FakeMachine(root.resolve("a")).truncatedLibrary("/usr/lib64/libcuda.so.1").library(CUBLAS_12);
    assertTrue(
        noDriver.obstacle().orElseThrow().reason().contains(noDriver.path("/usr/lib64/libcuda.so.1") + " is damaged"));
    FakeMachine noCublas = FakeMachine.withDriver(root.resolve("b"), "535.183.01").truncatedLibrary(CUBLAS_12);
    assertTrue(noCublas.obstacle().orElseThrow().reason().contains(noCublas.path(CUBLAS_12) + " is damaged"));
    FakeMachine another = FakeMachine.withDriver(root.resolve("c"), "535.183.01")
        .truncatedLibrary("/usr/lib64/libcublas.so.12").file("/lib/libcublas.so.12", "no library").library(CUBLAS_12);
    assertEquals(Optional.empty(), another.obstacle());
    assertEquals(another.path(CUBLAS_12), another.inspect().cublasFile().orElseThrow().file());
  }

  @Test
  void windowsTakesItsOwnNamesAndNoCublas13() throws IOException {
    FakeMachine machine = new FakeMachine(root).platform("Windows 11", "amd64")
        .variable("SystemRoot", "/Windows").variable("CUDA_PATH", "/CUDA/v12.6");
    assertTrue(machine.obstacle().orElseThrow().reason().contains("nvcuda.dll was not found"));
    machine.file("/Windows/System32/nvcuda.dll", "MZ");
    assertEquals("the driver is there, but cuBLAS is not: no cublas64_12.dll was found",
        machine.obstacle().orElseThrow().reason());
    machine.file("/CUDA/v12.6/bin/cublas64_12.dll", "MZ");
    assertEquals(Optional.empty(), machine.obstacle());
  }

  // What the driver's refusals are taken for

  @Test
  void driverWithoutCardSaysWhereToLook() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    assertTrue(CudaProblem.noCard(system).reason().contains("finds no card"));
    assertEquals(CudaProblem.noCard(system), CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_NO_DEVICE));
  }

  @Test
  void containerWithoutCardsIsToldHowToGetThem() throws IOException {
    CudaSystem system = new FakeMachine(root).library("/usr/lib64/libcuda.so.1").library(CUBLAS_12).inspect();
    assertEquals(Optional.empty(), system.obstacle());
    assertTrue(CudaProblem.noCard(system).reason().contains("there is no /dev/nvidia0"));
    assertTrue(CudaProblem.noCard(system).remedy().contains("--gpus all"));
  }

  @Test
  void hiddenCardsAreSaidToBeHidden() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12)
        .variable("CUDA_VISIBLE_DEVICES", "").inspect();
    assertTrue(CudaProblem.noCard(system).reason().contains("CUDA_VISIBLE_DEVICES is \"\""));
  }

  @Test
  void closedDeviceFilesAreNamed() throws IOException {
    CudaSystem open = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    // The super-user may read and write all files, so that closed ones are put into the record here.
    CudaSystem closed = new CudaSystem(open.host(), open.platform(), open.driver(), open.driverVersion(),
        open.kernelVersion(), open.deviceFiles(), List.of(root.resolve("dev/nvidia0")), open.cublas());
    for (int code : new int[] {CUresult.CUDA_ERROR_NO_DEVICE, CUresult.CUDA_ERROR_OPERATING_SYSTEM}) {
      CudaProblem obstacle = CudaProblem.driverRefuses(closed, "cuInit", code);
      assertTrue(obstacle.reason().contains("no permission to read and write " + root.resolve("dev/nvidia0")),
          obstacle.reason());
    }
  }

  @Test
  void otherRefusalsKeepTheDriversWord() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    assertEquals("the driver cannot start: cuInit says CUDA_ERROR_UNKNOWN (999)",
        CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_UNKNOWN).reason());
    assertEquals("restart the machine",
        CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH).remedy());
    assertTrue(CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_STUB_LIBRARY).reason().contains("stub"));
  }

  @Test
  void everyObstacleIsTwoSingleLines() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    for (CudaProblem obstacle : List.of(CudaProblem.noDriver(system), CudaProblem.noCublas(system), CudaProblem.noCard(system),
        CudaProblem.cannotLoad("x: file too short"), CudaProblem.cannotLoad("x: failed to map segment from shared object"),
        CudaProblem.cannotUnpack("no space"), CudaProblem.damagedJar("x"), CudaProblem.damagedCublas(root))) {
      assertEquals(1, obstacle.asException().getMessage().lines().count());
      assertFalse(obstacle.reason().endsWith(".") || obstacle.remedy().endsWith("."), obstacle.toString());
    }
  }
}
