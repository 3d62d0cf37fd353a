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

/** The problems detected from a machine's files and from the driver's errors. */
@DisabledOnOs(OS.WINDOWS)
class CudaSystemTest {
  private static final String CUBLAS_12 = "/usr/local/cuda-12.6/lib64/libcublas.so.12";
  private static final String CUBLAS_13 = "/usr/local/cuda-13.0/lib64/libcublas.so.13";

  @TempDir Path root;

  @Test
  void completeMachineHasNoProblem() throws IOException {
    FakeMachine machine = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12);
    CudaSystem system = machine.inspect();
    assertEquals(Optional.empty(), system.problem());
    assertEquals(Optional.of("535.183.01"), system.driverVersion());
    assertEquals(Optional.of("535.183.01"), system.kernelVersion());
    assertEquals(List.of(machine.path("/dev/nvidia0"), machine.path("/dev/nvidiactl")), system.deviceFiles());
    assertEquals(machine.path(CUBLAS_12), system.cublasFile().orElseThrow().file());
    assertEquals(12, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void otherPlatformIsReportedBeforeAnySearch() throws IOException {
    for (List<String> platform : List.of(
        List.of("Mac OS X", "aarch64"), List.of("Linux", "aarch64"), List.of("Linux", "i386"))) {
      CudaSystem system = FakeMachine.withDriver(Files.createTempDirectory(root, "m"), "535.183.01")
          .platform(platform.get(0), platform.get(1)).inspect();
      assertTrue(system.problem().orElseThrow().reason().contains(platform.get(0) + " " + platform.get(1)));
      assertEquals(List.of(), system.driver().lookedIn());
    }
  }

  @Test
  void machineWithoutDriver() throws IOException {
    CudaProblem problem = new FakeMachine(root).library(CUBLAS_12).problem().orElseThrow();
    assertEquals("no NVIDIA driver is installed: libcuda.so.1 was not found", problem.reason());
    assertTrue(problem.remedy().contains("525.60.13"), problem.remedy());
  }

  @Test
  void cublasIsSearchedForWithoutADriverOnlyForTheReport() throws IOException {
    FakeMachine machine = new FakeMachine(root).library(CUBLAS_12);
    assertEquals(Map.of(), machine.inspect().cublas());
    List<GpuReport.Detection> detections = CudaReport.detections(machine.inspect().withCublas());
    assertTrue(detections.contains(new GpuReport.Detection("cuBLAS 12",
        machine.path(CUBLAS_12) + " (CUDA Toolkit in /usr/local; used)", Optional.of("CUDA Toolkit in /usr/local"), List.of())),
        detections.toString());
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
    assertEquals(Optional.empty(), machine.problem());
    List<GpuReport.Detection> detections = CudaReport.detections(machine.inspect());
    String source = "pip, in the environment of python3 on PATH";
    assertTrue(detections.contains(new GpuReport.Detection("cuBLAS 13",
        machine.path(file) + " (" + source + "; used, through a patched copy of JCublas)", Optional.of(source),
        List.of())), detections.toString());
    assertTrue(detections.contains(new GpuReport.Detection("cuBLAS 12", "not found", Optional.empty(), List.of())),
        detections.toString());
  }

  @Test
  void containerWithoutTheDriverLibraryDiffersFromAMachineWithoutDriver() throws IOException {
    CudaProblem problem = new FakeMachine(root).file("/dev/nvidia0", "").file("/sys/module/nvidia/version", "550.54.14\n")
        .problem().orElseThrow();
    assertTrue(problem.reason().startsWith("the NVIDIA driver 550.54.14 is running on this machine, but"), problem.reason());
    assertTrue(problem.remedy().contains("--gpus all"), problem.remedy());
  }

  @Test
  void tooOldDriverIsReportedWithTheNeededBranch() throws IOException {
    CudaProblem problem = FakeMachine.withDriver(root, "470.57.02").library(CUBLAS_12).problem().orElseThrow();
    assertEquals("the NVIDIA driver is too old: found driver 470.57.02, but cuBLAS 12 needs CUDA 12.0 (driver 525.60.13 or newer)",
        problem.reason());
    assertEquals("install driver branch 525 or newer", problem.remedy());
  }

  @Test
  void firstSufficientDriverIsAccepted() throws IOException {
    assertTrue(FakeMachine.withDriver(root.resolve("a"), "525.60.12").library(CUBLAS_12).problem().isEmpty(),
        "the third number is not compared: the driver itself reports its CUDA version");
    assertTrue(FakeMachine.withDriver(root.resolve("b"), "525.60.13").library(CUBLAS_12).problem().isEmpty());
    assertFalse(FakeMachine.withDriver(root.resolve("c"), "525.53").library(CUBLAS_12).problem().isEmpty());
  }

  /** A newer library of the driver may run on an older kernel module (NVIDIA's cuda-compat packages). */
  @Test
  void versionOfTheDriversLibraryCountsBeforeTheKernelModules() throws IOException {
    FakeMachine machine = FakeMachine.withDriver(root, "470.57.02").library(CUBLAS_12)
        .library("/usr/local/cuda/compat/libcuda.so.560.35.05")
        .link("/usr/local/cuda/compat/libcuda.so.1", "libcuda.so.560.35.05")
        .variable("LD_LIBRARY_PATH", "/usr/local/cuda/compat");
    assertEquals(Optional.empty(), machine.problem());
    assertEquals(Optional.of("560.35.05"), machine.inspect().driverVersion());
    assertEquals(Optional.of("470.57.02"), machine.inspect().kernelVersion());
  }

  @Test
  void missingCublasIsReported() throws IOException {
    CudaProblem problem = FakeMachine.withDriver(root, "535.183.01").problem().orElseThrow();
    assertEquals("the NVIDIA driver is installed, but cuBLAS is not: neither libcublas.so.12 nor libcublas.so.13 was found",
        problem.reason());
    assertTrue(problem.remedy().contains("install cuBLAS 12 or 13"), problem.remedy());
  }

  @Test
  void oldDriverIsReportedBeforeMissingCublas() throws IOException {
    assertTrue(FakeMachine.withDriver(root, "470.57.02").problem().orElseThrow().reason().contains("too old"));
  }

  @Test
  void cublas13IsUsedWithADriverForCuda13() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "580.65.06").library(CUBLAS_13).inspect();
    assertEquals(Optional.empty(), system.problem());
    assertEquals(13, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void cublas13NeedsANewerDriver() throws IOException {
    CudaProblem problem = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_13).problem().orElseThrow();
    assertTrue(problem.reason().contains("driver 535.183.01, but cuBLAS 13 needs CUDA 13.0"), problem.reason());
    assertEquals("install driver branch 580 or newer, or cuBLAS 12 next to cuBLAS 13", problem.remedy());
  }

  @Test
  void cublas12IsPreferred() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "580.65.06").library(CUBLAS_12).library(CUBLAS_13).inspect();
    assertEquals(12, system.cublasFile().orElseThrow().version().major());
  }

  @Test
  void truncatedLibrariesAreReportedAndNotLoaded() throws IOException {
    FakeMachine noDriver = new FakeMachine(root.resolve("a")).truncatedLibrary("/usr/lib64/libcuda.so.1").library(CUBLAS_12);
    assertTrue(
        noDriver.problem().orElseThrow().reason().contains(noDriver.path("/usr/lib64/libcuda.so.1") + " is damaged"));
    FakeMachine noCublas = FakeMachine.withDriver(root.resolve("b"), "535.183.01").truncatedLibrary(CUBLAS_12);
    assertTrue(noCublas.problem().orElseThrow().reason().contains(noCublas.path(CUBLAS_12) + " is damaged"));
    FakeMachine another = FakeMachine.withDriver(root.resolve("c"), "535.183.01")
        .truncatedLibrary("/usr/lib64/libcublas.so.12").file("/lib/libcublas.so.12", "no library").library(CUBLAS_12);
    assertEquals(Optional.empty(), another.problem());
    assertEquals(another.path(CUBLAS_12), another.inspect().cublasFile().orElseThrow().file());
  }

  @Test
  void windowsHasItsOwnNamesAndNoCublas13() throws IOException {
    FakeMachine machine = new FakeMachine(root).platform("Windows 11", "amd64")
        .variable("SystemRoot", "/Windows").variable("CUDA_PATH", "/CUDA/v12.6");
    assertTrue(machine.problem().orElseThrow().reason().contains("nvcuda.dll was not found"));
    machine.file("/Windows/System32/nvcuda.dll", "MZ");
    assertEquals("the NVIDIA driver is installed, but cuBLAS is not: cublas64_12.dll was not found",
        machine.problem().orElseThrow().reason());
    machine.file("/CUDA/v12.6/bin/cublas64_12.dll", "MZ");
    assertEquals(Optional.empty(), machine.problem());
  }

  // Errors of the driver's first calls

  @Test
  void driverWithoutGpuIsReportedWithARemedy() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    assertTrue(CudaProblem.noDevice(system).reason().contains("reports no GPU"));
    assertEquals(CudaProblem.noDevice(system), CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_NO_DEVICE));
  }

  @Test
  void containerWithoutGpuIsReportedWithItsOption() throws IOException {
    CudaSystem system = new FakeMachine(root).library("/usr/lib64/libcuda.so.1").library(CUBLAS_12).inspect();
    assertEquals(Optional.empty(), system.problem());
    assertTrue(CudaProblem.noDevice(system).reason().contains("/dev/nvidia0 does not exist"));
    assertTrue(CudaProblem.noDevice(system).remedy().contains("--gpus all"));
  }

  @Test
  void hiddenGpusAreReportedAsHidden() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12)
        .variable("CUDA_VISIBLE_DEVICES", "").inspect();
    assertTrue(CudaProblem.noDevice(system).reason().contains("CUDA_VISIBLE_DEVICES is \"\""));
  }

  @Test
  void inaccessibleDeviceFilesAreListed() throws IOException {
    CudaSystem open = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    // The superuser can read and write all files, so the test sets the inaccessible ones itself.
    CudaSystem closed = new CudaSystem(open.host(), open.platform(), open.driver(), open.driverVersion(),
        open.kernelVersion(), open.deviceFiles(), List.of(root.resolve("dev/nvidia0")), open.cublas());
    for (int code : new int[] {CUresult.CUDA_ERROR_NO_DEVICE, CUresult.CUDA_ERROR_OPERATING_SYSTEM}) {
      CudaProblem problem = CudaProblem.driverRefuses(closed, "cuInit", code);
      assertTrue(problem.reason().contains("no permission to read and write " + root.resolve("dev/nvidia0")),
          problem.reason());
    }
  }

  @Test
  void otherErrorsKeepTheDriversCode() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    assertEquals("the NVIDIA driver failed to start: cuInit returned CUDA_ERROR_UNKNOWN (999)",
        CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_UNKNOWN).reason());
    assertEquals("restart the machine",
        CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH).remedy());
    assertTrue(CudaProblem.driverRefuses(system, "cuInit", CUresult.CUDA_ERROR_STUB_LIBRARY).reason().contains("stub"));
  }

  @Test
  void everyReasonAndRemedyIsOneLine() throws IOException {
    CudaSystem system = FakeMachine.withDriver(root, "535.183.01").library(CUBLAS_12).inspect();
    for (CudaProblem problem : List.of(CudaProblem.noDriver(system), CudaProblem.noCublas(system), CudaProblem.noDevice(system),
        CudaProblem.cannotLoad("x: file too short"), CudaProblem.cannotLoad("x: failed to map segment from shared object"),
        CudaProblem.cannotUnpack("no space"), CudaProblem.damagedJar("x"), CudaProblem.damagedCublas(root))) {
      assertEquals(1, problem.asException().getMessage().lines().count());
      assertFalse(problem.reason().endsWith(".") || problem.remedy().endsWith("."), problem.toString());
    }
  }
}
