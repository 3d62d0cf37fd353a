package dev.plumb.backend.cuda.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisabledOnOs(OS.WINDOWS)
class LibrarySearchTest {
  private static final String NAME = "libcublas.so.12";

  @TempDir Path root;

  @ParameterizedTest
  @CsvSource({
      "/usr/lib/x86_64-linux-gnu, system loader",
      "/usr/lib64, system loader",
      "/usr/local/cuda/lib64, CUDA Toolkit in /usr/local",
      "/usr/local/cuda-12.4/targets/x86_64-linux/lib, CUDA Toolkit in /usr/local",
      "/opt/cuda/lib64, CUDA Toolkit in /opt",
      "/home/me/.local/lib/python3.11/site-packages/nvidia/cublas/lib, 'pip, in ~/.local'",
      "/usr/local/lib/python3.10/dist-packages/nvidia/cublas/lib, 'pip, in /usr/local'",
      "/venv/lib/python3.12/site-packages/nvidia/cu13/lib, 'pip, in VIRTUAL_ENV'",
      "/conda/lib, 'conda, in CONDA_PREFIX'",
      "/conda/targets/x86_64-linux/lib, 'conda, in CONDA_PREFIX'",
      "/conda/lib/python3.12/site-packages/nvidia/cublas/lib, 'pip, in CONDA_PREFIX'",
      "/home/cuda/lib64, CUDA_HOME",
      "/home/cuda/lib, CUDA_HOME",
      "/home/cuda/targets/x86_64-linux/lib, CUDA_HOME",
      "/path/cuda/lib64, CUDA_PATH",
      "/path/cuda/lib, CUDA_PATH",
      "/path/cuda/targets/x86_64-linux/lib, CUDA_PATH",
      "/mine/too, LD_LIBRARY_PATH"})
  void cublasIsFoundWhereInstallersPutIt(String folder, String source) throws IOException {
    FakeMachine machine = new FakeMachine(root).library(folder + "/" + NAME)
        .variable("HOME", "/home/me").variable("VIRTUAL_ENV", "/venv").variable("CONDA_PREFIX", "/conda")
        .variable("CUDA_HOME", "/home/cuda/").variable("CUDA_PATH", "/path/cuda")
        .variable("LD_LIBRARY_PATH", ":/nowhere:/mine/too");
    assertEquals(Optional.of(machine.path(folder + "/" + NAME)), cublas(machine).file());
    assertEquals(Optional.of(source), cublas(machine).source());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib", "/lib64"})
  void driverIsFoundWhereItsInstallersPutIt(String folder) throws IOException {
    FakeMachine machine = new FakeMachine(root).library(folder + "/libcuda.so.1");
    assertEquals(Optional.of(machine.path(folder + "/libcuda.so.1")),
        new LibrarySearch(machine.host()).driver(CudaPlatform.LINUX).file());
  }

  @Test
  void loadersOwnOrderIsKept() throws IOException {
    FakeMachine machine = new FakeMachine(root).library("/usr/lib64/" + NAME).library("/usr/local/cuda/lib64/" + NAME);
    assertEquals(Optional.of(machine.path("/usr/lib64/" + NAME)), cublas(machine).file());
    machine.library("/odd/place/" + NAME)
        .file("/etc/ld.so.cache",
            "glibc-ld.so.cache1.1\0\1\0" + NAME + "\0/odd/place/" + NAME + "\0/odd/" + NAME + ".old\0");
    assertEquals(Optional.of(machine.path("/odd/place/" + NAME)), cublas(machine).file());
    machine.library("/first/" + NAME).variable("LD_LIBRARY_PATH", "/first");
    assertEquals(Optional.of(machine.path("/first/" + NAME)), cublas(machine).file());
  }

  @Test
  void libraryOfAnotherProcessorIsPassedOver() throws IOException {
    FakeMachine machine = new FakeMachine(root).foreignLibrary("/lib64/" + NAME).library("/usr/lib/" + NAME);
    LibrarySearch.Result result = cublas(machine);
    assertEquals(Optional.of(machine.path("/usr/lib/" + NAME)), result.file());
    assertTrue(result.damaged().isEmpty(), result.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "/gone", "/dangling", "/\0", "*", "/[*", "relative", "/"})
  void emptyAndImpossibleFoldersDoNoHarm(String folder) throws IOException {
    FakeMachine machine = new FakeMachine(root).link("/dangling", "/gone").variable("LD_LIBRARY_PATH", "::;:")
        .variable("CUDA_HOME", folder).variable("CUDA_PATH", folder).variable("CONDA_PREFIX", folder)
        .variable("VIRTUAL_ENV", folder).variable("HOME", folder).variable("PATH", folder);
    LibrarySearch.Result result = cublas(machine);
    assertTrue(result.file().isEmpty());
    assertTrue(result.source().isEmpty());
    assertTrue(result.lookedIn().contains("/usr/local/cuda*/lib64"), result.toString());
  }

  private static LibrarySearch.Result cublas(FakeMachine machine) {
    return new LibrarySearch(machine.host()).cublas(CudaPlatform.LINUX, NAME);
  }
}
