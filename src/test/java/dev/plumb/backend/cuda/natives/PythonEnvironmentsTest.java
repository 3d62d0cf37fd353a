package dev.plumb.backend.cuda.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.natives.PythonEnvironments.Environment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The search for cuBLAS in Python environments, on folder trees as pip, venv, uv, conda and pyenv lay them. */
@DisabledOnOs(OS.WINDOWS)
class PythonEnvironmentsTest {
  private static final String CUDA_12 = "/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12";
  private static final String CUDA_13 = "/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13";
  private static final String OF_PYTHON3 = "pip, in the environment of python3 on PATH";

  @TempDir Path root;
  private FakeMachine machine;

  /**
   * Makes a machine with an installation of Python in /system, which is no folder of the real machine: JUnit warns of links
   * that lead out of its temporary folder.
   */
  @BeforeEach
  void makeMachine() throws IOException {
    machine = new FakeMachine(root).file("/system/bin/python3.11", "").link("/system/bin/python3", "python3.11")
        .file("/system/lib/python3/dist-packages/six.py", "");
  }

  @Test
  void virtualEnvironmentOnPathNeedsNoActivation() throws IOException {
    venv("/opt/torch/.venv", "/system/bin", false).library("/opt/torch/.venv" + CUDA_13)
        .file("/opt/torch/.venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13", "")
        .file("/opt/torch/.venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9", "")
        .variable("PATH", "/opt/torch/.venv/bin:/usr/local/bin:/system/bin");
    assertFound("/opt/torch/.venv" + CUDA_13, OF_PYTHON3);
    assertEquals(Optional.empty(), search("libcublas.so.12").file());
    assertEquals(List.of(
        new Environment("/opt/torch/.venv", "the environment of python3 on PATH"),
        new Environment("/system", "the environment of python3 on PATH")), environments());
  }

  @Test
  void packagesForCuda12AreFoundInTheirOwnFolder() throws IOException {
    venv("/v", "/system/bin", false).library("/v" + CUDA_12).library("/v" + CUDA_13).variable("PATH", "/v/bin");
    assertFound("/v" + CUDA_12, OF_PYTHON3);
    assertFound("/v" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void lib64AndDistPackagesAreSearchedToo() throws IOException {
    machine.library("/system/lib64/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12")
        .library("/system/lib/python3/dist-packages/nvidia/cu13/lib/libcublas.so.13").variable("PATH", "/system/bin");
    assertFound("/system/lib64/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12", OF_PYTHON3);
    assertFound("/system/lib/python3/dist-packages/nvidia/cu13/lib/libcublas.so.13", OF_PYTHON3);
  }

  @Test
  void pythonAloneIsEnough() throws IOException {
    machine.file("/opt/py/bin/python", "").library("/opt/py" + CUDA_13).variable("PATH", "/opt/py/bin:/system/bin");
    assertFound("/opt/py" + CUDA_13, "pip, in the environment of python on PATH");
  }

  @Test
  void linkIntoAVirtualEnvironmentLeadsToIt() throws IOException {
    venv("/opt/venv", "/system/bin", false).library("/opt/venv" + CUDA_13)
        .link("/usr/local/bin/python3", "/etc/alternatives/python3")
        .link("/etc/alternatives/python3", "../../opt/venv/bin/python3")
        .variable("PATH", "/usr/local/bin:/system/bin");
    assertFound("/opt/venv" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void folderOnPathMayBeALink() throws IOException {
    venv("/opt/venv", "/system/bin", false).library("/opt/venv" + CUDA_13)
        .link("/home/me/current", "/opt/venv").link("/opt/tools", "venv/bin");
    for (String entry : List.of("/home/me/current/bin", "/opt/tools/", "/opt/tools/../bin", "/opt/./venv/bin")) {
      machine.variable("PATH", entry);
      assertFound("/opt/venv" + CUDA_13, OF_PYTHON3);
    }
  }

  @Test
  void everyPythonOnPathCountsInItsOrder() throws IOException {
    venv("/first", "/system/bin", false);
    venv("/second", "/system/bin", false).library("/second" + CUDA_13).variable("PATH", "/first/bin:/second/bin");
    assertFound("/second" + CUDA_13, OF_PYTHON3);
    machine.library("/first" + CUDA_13);
    assertFound("/first" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void activatedEnvironmentComesBeforePath() throws IOException {
    venv("/active", "/system/bin", false).library("/active" + CUDA_13);
    venv("/other", "/system/bin", false).library("/other" + CUDA_13)
        .variable("PATH", "/other/bin:/active/bin").variable("VIRTUAL_ENV", "/active");
    assertFound("/active" + CUDA_13, "pip, in VIRTUAL_ENV");
  }

  @Test
  void installationBelowAnEnvironmentCountsWhereItsPackagesAreSeen() throws IOException {
    machine.file("/opt/python/bin/python3.12", "").link("/opt/python/bin/python3", "python3.12")
        .link("/opt/bin/python3", "../python/bin/python3").library("/opt/python" + CUDA_13);
    venv("/closed", "/opt/bin", false).variable("PATH", "/closed/bin");
    assertEquals(Optional.empty(), search("libcublas.so.13").file());
    venv("/open", "/opt/bin", true).variable("PATH", "/open/bin");
    assertFound("/opt/python" + CUDA_13, "pip, in the base installation of python3 on PATH");
    machine.variable("PATH", "").variable("VIRTUAL_ENV", "/open");
    assertFound("/opt/python" + CUDA_13, "pip, in the base installation of VIRTUAL_ENV");
  }

  @Test
  void baseInstallationWithoutAPythonOfThatNameIsTheFolderAboveHome() throws IOException {
    machine.file("/opt/python/bin/python3.12", "").library("/opt/python" + CUDA_13)
        .file("/v/bin/python3", "")
        .file("/v/pyvenv.cfg", "# made by hand\nHOME=/opt/python/bin\nInclude-System-Site-Packages=True\nhome")
        .variable("PATH", "/v/bin");
    assertFound("/opt/python" + CUDA_13, "pip, in the base installation of python3 on PATH");
  }

  @Test
  void configurationBesideTheExecutableCounts() throws IOException {
    machine.link("/odd/python3", "/system/bin/python3").file("/odd/pyvenv.cfg", "home = /system/bin").library("/odd" + CUDA_13)
        .variable("PATH", "/odd");
    assertFound("/odd" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void condaEnvironmentOnPathNeedsNoActivation() throws IOException {
    machine.file("/opt/conda/bin/python3.12", "").link("/opt/conda/bin/python3", "python3.12")
        .file("/opt/conda/conda-meta/history", "").library("/opt/conda/lib/libcublas.so.12").library("/opt/conda" + CUDA_13)
        .variable("PATH", "/opt/conda/bin:/system/bin");
    assertFound("/opt/conda/lib/libcublas.so.12", "conda, in the environment of python3 on PATH");
    assertFound("/opt/conda" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void pyenvsScriptIsPassedOverForTheNextPython() throws IOException {
    venv("/v", "/system/bin", false).library("/v" + CUDA_13)
        .file("/root/.pyenv/shims/python3", "#!/usr/bin/env bash\nexec pyenv exec python3 \"$@\"\n")
        .variable("PATH", "/root/.pyenv/shims:/v/bin");
    assertFound("/v" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void pyenvsVersionOnPathIsAnInstallation() throws IOException {
    machine.file("/root/.pyenv/versions/3.12.1/bin/python3.12", "")
        .link("/root/.pyenv/versions/3.12.1/bin/python3", "python3.12")
        .library("/root/.pyenv/versions/3.12.1" + CUDA_13).variable("PATH", "/root/.pyenv/versions/3.12.1/bin");
    assertFound("/root/.pyenv/versions/3.12.1" + CUDA_13, OF_PYTHON3);
  }

  @Test
  void brokenLinksAndCirclesArePassedOver() throws IOException {
    venv("/v", "/system/bin", false).library("/v" + CUDA_13)
        .link("/broken/bin/python3", "/gone/python3").file("/broken/pyvenv.cfg", "home = /gone")
        .link("/circle/bin/python3", "python").link("/circle/bin/python", "../bin/python3")
        .link("/loop/a", "b").link("/loop/b", "a").link("/up/python3", "..").link("/up/python", "/")
        .file("/folder/bin/python3/file", "")
        .variable("PATH", "/broken/bin:/circle/bin:/loop/a/bin:/loop/a:/up:/folder/bin:/v/bin");
    assertEquals(List.of(new Environment("/v", "the environment of python3 on PATH")), environments());
    assertFound("/v" + CUDA_13, OF_PYTHON3);
    // JUnit warns of a link that leads out of its temporary folder.
    Files.delete(machine.path("/up/python"));
  }

  @Test
  void configurationThatNamesNothingOfUseDoesNoHarm() throws IOException {
    for (String home : List.of("", "bin", "/gone/bin", "/", "/loop/a", "/\0")) {
      FakeMachine other = new FakeMachine(root.resolve("m" + home.hashCode()))
          .file("/v/bin/python3", "").file("/v/pyvenv.cfg", "home = " + home + "\ninclude-system-site-packages = true\n")
          .link("/loop/a", "a").variable("PATH", "/v/bin");
      assertEquals(new Environment("/v", "the environment of python3 on PATH"),
          PythonEnvironments.find(other.host()).get(0));
      assertEquals(Optional.empty(), new LibrarySearch(other.host()).cublas(CudaPlatform.LINUX, "x").file());
    }
  }

  @Test
  void emptyRelativeAndImpossibleEntriesAreIgnored() {
    machine.variable("PATH", ":.:bin:/nowhere:/\0:~/bin:").variable("VIRTUAL_ENV", "venv").variable("CONDA_PREFIX", " ");
    assertEquals(List.of(), environments());
    assertTrue(search("libcublas.so.13").file().isEmpty());
  }

  @Test
  void pythonInTheRootFoldersBinHasTheRootForPrefix() throws IOException {
    FakeMachine other = new FakeMachine(root.resolve("other")).file("/bin/python3", "").library(CUDA_13)
        .variable("PATH", "/bin");
    LibrarySearch.Result result = new LibrarySearch(other.host()).cublas(CudaPlatform.LINUX, "libcublas.so.13");
    assertEquals(Optional.of(other.path(CUDA_13)), result.file());
    assertEquals(List.of(new Environment("", "the environment of python3 on PATH")),
        PythonEnvironments.find(other.host()));
  }

  /** Makes a virtual environment as {@code python3 -m venv} does. */
  private FakeMachine venv(String folder, String home, boolean systemPackages) throws IOException {
    return machine.link(folder + "/bin/python3", home + "/python3").link(folder + "/bin/python", "python3")
        .link(folder + "/lib64", "lib")
        .file(folder + "/pyvenv.cfg", "home = " + home + "\ninclude-system-site-packages = " + systemPackages
            + "\nversion = 3.12.1\n");
  }

  private void assertFound(String file, String source) {
    LibrarySearch.Result result = search(file.substring(file.lastIndexOf('/') + 1));
    assertEquals(Optional.of(machine.path(file)), result.file());
    assertEquals(Optional.of(source), result.source());
  }

  private LibrarySearch.Result search(String name) {
    return new LibrarySearch(machine.host()).cublas(CudaPlatform.LINUX, name);
  }

  private List<Environment> environments() {
    return PythonEnvironments.find(machine.host());
  }

  /** Java 17 cannot open a name with letters that the locale does not have; such a Python is none, and no reason to fail. */
  @Test
  void nameWithLettersThatTheLocaleLacksIsSkipped(@TempDir Path folder) throws Exception {
    bash(folder, "mkdir -p bin $'j\\xc3\\xb3zef/bin' && : >$'j\\xc3\\xb3zef/bin/python3' && ln -s \"$PWD\"/$'j\\xc3\\xb3zef/bin/python3' bin/python3");
    ProcessBuilder devices = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-cp",
        System.getProperty("java.class.path"), "dev.plumb.cli.Main", "devices").redirectErrorStream(true);
    devices.environment().put("LC_ALL", "C");
    devices.environment().put("PATH", folder.resolve("bin").toString());
    Process process = devices.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    // Java may not be able to delete what it cannot name.
    bash(folder, "rm -rf bin j*");
    assertTrue(List.of(0, 3).contains(process.waitFor()), said);
    assertTrue(said.contains("GPU: "), said);
  }

  private static void bash(Path folder, String script) throws Exception {
    assertEquals(0, new ProcessBuilder("bash", "-c", script).directory(folder.toFile()).inheritIO().start().waitFor());
  }
}
