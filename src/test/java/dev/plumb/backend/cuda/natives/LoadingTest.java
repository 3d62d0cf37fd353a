package dev.plumb.backend.cuda.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.cli.Main;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading CUDA, and {@code plumb devices}, in processes of their own, on the host device whole, broken and in parts. */
@Tag("cuda")
@Tag("host-device")
class LoadingTest {
  private record Ran(int code, String out, String err) {
    /** The last lines of a report that ends with a verdict. */
    List<String> verdict() {
      return out.lines().filter(line -> line.startsWith("GPU: ") || line.startsWith("remedy: ")).toList();
    }
  }

  @TempDir Path folder;
  private Path home;
  private Path temp;
  private Path device;

  @BeforeEach
  void makeFolders() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
    temp = Files.createDirectory(folder.resolve("temp"));
    device = Files.createDirectory(folder.resolve("device"));
    for (String library : List.of("libcuda.so.1", "libcublas.so.12")) {
      Files.copy(HostDevice.folder().resolve(library), device.resolve(library));
    }
  }

  @Test
  void healthyDeviceIsUsableAndReportedAsNoGpu() throws Exception {
    Path json = folder.resolve("devices.json");
    Ran ran = devices(Map.of(), "--json", json.toString());
    assertEquals(0, ran.code(), ran.toString());
    assertEquals("", ran.err());
    assertEquals(1, ran.verdict().size(), ran.out());
    assertTrue(ran.verdict().get(0).startsWith("GPU: usable: --device cuda (HOST DEVICE, computed on the CPU, not a GPU: "));
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertTrue(written.get("usable").booleanValue());
    assertTrue(written.get("remedy").isNull());
    JsonNode gpu = written.get("gpus").get(0);
    assertEquals("cuda:0", gpu.get("device").textValue());
    assertTrue(gpu.get("memoryBytes").longValue() >= gpu.get("freeMemoryBytes").longValue());
    assertNothingIsLeft();
  }

  @Test
  void loadedLibrariesAreReadyAndNoFileIsLeft() throws Exception {
    Ran ran = run(LoadedCuda.class, Map.of());
    assertEquals(0, ran.code(), ran.toString());
    assertEquals("loaded, 1 devices, host device true, temp folder " + temp + "\nexceptions are on\n", ran.out());
    assertNothingIsLeft();
  }

  @Test
  void oldDriverIsRefusedByItsOwnVersion() throws Exception {
    assertRefused(Map.of("PLUMB_HOST_DEVICE_DRIVER", "11040"),
        "the NVIDIA driver is too old: found CUDA 11.4, but cuBLAS 12 needs CUDA 12.0", "install driver branch 525 or newer");
  }

  @Test
  void driverWithoutGpu() throws Exception {
    assertRefused(Map.of("PLUMB_HOST_DEVICE_COUNT", "0"), "the NVIDIA driver is installed but reports no GPU", "check that ");
  }

  @Test
  void missingCublas() throws Exception {
    Files.delete(device.resolve("libcublas.so.12"));
    assertRefused(Map.of(), "the NVIDIA driver is installed, but cuBLAS is not: neither libcublas.so.12 nor libcublas.so.13 was found",
        "install cuBLAS 12 or 13");
  }

  @Test
  void truncatedLibrariesAreRefusedInsteadOfCrashingTheProcess() throws Exception {
    for (String library : List.of("libcublas.so.12", "libcuda.so.1")) {
      // The loader reads the part after the first eighth; the second half may be only debugging information.
      byte[] whole = Files.readAllBytes(device.resolve(library));
      Files.write(device.resolve(library), Arrays.copyOf(whole, whole.length / 8));
      assertRefused(Map.of(), library + " is damaged", "reinstall ");
    }
  }

  @Test
  void damagedJarIsRefused() throws Exception {
    Path classes = Files.createDirectories(folder.resolve("classes/lib"));
    byte[] whole = CudaNatives.resource(CudaPlatform.LINUX.cublasNative());
    Files.write(classes.resolve(CudaPlatform.LINUX.cublasNative()), Arrays.copyOf(whole, whole.length / 2));
    Ran ran = run(LoadedCuda.class, Map.of(), List.of(classes.getParent().toString()));
    assertEquals(3, ran.code(), ran.toString());
    assertTrue(ran.out().startsWith("the GPU cannot be used: Plumb's jar is damaged: its library libJCublas2"), ran.out());
    assertEquals(1, ran.out().lines().count());
    assertNothingIsLeft();
  }

  @Test
  void wrongLibraryIsRefusedWithTheLoadersMessage() throws Exception {
    Files.delete(device.resolve("libcublas.so.12"));
    Files.copy(HostDevice.folder().resolve("libcuda.so.1"), device.resolve("libcublas.so.12"));
    Ran ran = devices(Map.of());
    assertEquals(3, ran.code(), ran.toString());
    assertEquals(2, ran.verdict().size(), ran.out());
    assertTrue(ran.verdict().get(0).startsWith("GPU: not usable: a library could not be loaded: "), ran.out());
  }

  @Test
  void cublas13IsUsedWithoutCublas12() throws Exception {
    Path old = device.resolve("libcublas.so.12");
    Files.write(device.resolve("libcublas.so.13"), asCublas13(Files.readAllBytes(old)));
    Files.delete(old);
    Ran ran = devices(Map.of("PLUMB_HOST_DEVICE_DRIVER", "13000"));
    assertEquals(0, ran.code(), ran.toString());
    assertTrue(ran.out().contains("libcublas.so.13 (host device; used, through a patched copy of JCublas)"), ran.out());
    Ran loaded = run(LoadedCuda.class, Map.of("PLUMB_HOST_DEVICE_DRIVER", "13000"));
    assertEquals(0, loaded.code(), loaded.toString());
    assertTrue(loaded.out().endsWith("exceptions are on\n"), loaded.out());
    assertRefused(Map.of("PLUMB_HOST_DEVICE_DRIVER", "12060"),
        "the NVIDIA driver is too old: found CUDA 12.6, but cuBLAS 13 needs CUDA 13.0", "install driver branch 580 or newer");
  }

  @Test
  void otherPlatformIsRefusedBeforeNativeCodeIsLoaded() throws Exception {
    Ran ran = run(Main.class, Map.of(), List.of(), List.of("-Dos.arch=aarch64"), "devices");
    assertEquals(3, ran.code(), ran.toString());
    assertTrue(ran.verdict().get(0).contains("CUDA for Java is not available on Linux aarch64"), ran.out());
    assertNothingIsLeft();
  }

  @Test
  void nativeDamagedInTheCacheIsUnpackedAgain() throws Exception {
    assertEquals(0, run(LoadedCuda.class, Map.of()).code());
    List<Path> natives;
    try (Stream<Path> files = Files.walk(home.resolve(".cache/plumb"))) {
      natives = files.filter(Files::isRegularFile).toList();
    }
    assertEquals(2, natives.size(), natives.toString());
    for (Path file : natives) {
      byte[] whole = Files.readAllBytes(file);
      FileTime time = Files.getLastModifiedTime(file);
      byte[] damaged = whole.clone();
      Arrays.fill(damaged, whole.length / 4, whole.length, (byte) 0);
      Files.write(file, damaged);
      Files.setLastModifiedTime(file, time);
      Ran ran = run(LoadedCuda.class, Map.of());
      assertEquals(0, ran.code(), ran.toString());
      assertArrayEquals(whole, Files.readAllBytes(file));
    }
    assertNothingIsLeft();
  }

  @Test
  void withoutACacheTheNativesAreLoadedFromATemporaryFolder() throws Exception {
    Files.delete(home);
    Files.createFile(home);
    Ran ran = run(LoadedCuda.class, Map.of());
    assertEquals(0, ran.code(), ran.toString());
    assertNothingIsLeft();
  }

  /** JCuda's own loader would load this file without a check. */
  @Test
  void fileWithJCudasNameInTheTemporaryFolderIsNotUsed() throws Exception {
    for (String name : CudaPlatform.LINUX.natives()) {
      Files.writeString(temp.resolve(name), "hostile");
    }
    Ran ran = run(LoadedCuda.class, Map.of());
    assertEquals(0, ran.code(), ran.toString());
    for (String name : CudaPlatform.LINUX.natives()) {
      assertEquals("hostile", Files.readString(temp.resolve(name)));
    }
  }

  @Test
  void processesThatStartAtTheSameTimeDoNotInterfere() throws Exception {
    for (int round = 0; round < 10; round++) {
      List<Process> processes = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        processes.add(start(LoadedCuda.class, Map.of(), List.of(), List.of(), folder.resolve("out" + i)));
      }
      for (Process process : processes) {
        assertEquals(0, process.waitFor(), "round " + round);
      }
    }
    assertNothingIsLeft();
  }

  private void assertRefused(Map<String, String> environment, String reason, String remedy) throws Exception {
    Ran ran = devices(environment);
    assertEquals(3, ran.code(), ran.toString());
    assertEquals("", ran.err());
    assertEquals(2, ran.verdict().size(), ran.out());
    assertTrue(ran.verdict().get(0).startsWith("GPU: not usable: ") && ran.verdict().get(0).contains(reason), ran.out());
    assertTrue(ran.verdict().get(1).startsWith("remedy: " + remedy), ran.out());
    assertEquals(ran.verdict().get(1), ran.out().lines().reduce((first, second) -> second).orElseThrow());
    assertFalse(ran.out().contains("\tat "), ran.out());
    Ran loaded = run(LoadedCuda.class, environment);
    assertEquals(3, loaded.code(), loaded.toString());
    assertEquals("the GPU cannot be used: " + ran.verdict().get(0).substring("GPU: not usable: ".length()) + "; "
        + ran.verdict().get(1).substring("remedy: ".length()) + "\n", loaded.out(), "the same reason and remedy in the report and in the exception");
    assertNothingIsLeft();
  }

  private void assertNothingIsLeft() throws IOException {
    try (var files = Files.list(temp)) {
      assertEquals(List.of(), files.filter(file -> !file.getFileName().toString().startsWith("hsperfdata")).toList());
    }
  }

  /**
   * Returns the host device's cuBLAS renamed to the next version: its name is that of the library and of its symbols' version.
   */
  private static byte[] asCublas13(byte[] library) {
    return new String(library, StandardCharsets.ISO_8859_1)
        .replace("libcublas.so.12", "libcublas.so.13")
        // The version's checksum, by the ELF specification's hash function: 0x0ef62132, and 0x0ef62133 for the next name.
        .replace("\u0032\u0021\u00f6\u000e", "\u0033\u0021\u00f6\u000e")
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private Ran devices(Map<String, String> environment, String... options) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("devices"));
    arguments.addAll(List.of(options));
    return run(Main.class, environment, List.of(), List.of(), arguments.toArray(String[]::new));
  }

  private Ran run(Class<?> main, Map<String, String> environment) throws Exception {
    return run(main, environment, List.of());
  }

  private Ran run(Class<?> main, Map<String, String> environment, List<String> classPath) throws Exception {
    return run(main, environment, classPath, List.of());
  }

  private Ran run(Class<?> main, Map<String, String> environment, List<String> classPath, List<String> jvm, String... arguments)
      throws Exception {
    Path out = folder.resolve("out");
    int code = start(main, environment, classPath, jvm, out, arguments).waitFor();
    return new Ran(code, Files.readString(out), Files.readString(Path.of(out + ".err")));
  }

  private Process start(Class<?> main, Map<String, String> environment, List<String> classPath, List<String> jvm, Path out,
      String... arguments) throws IOException {
    List<String> path = new ArrayList<>(classPath);
    path.add(System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-XX:TieredStopAtLevel=1",
        "-Duser.home=" + home, "-Djava.io.tmpdir=" + temp, "-D" + CudaNatives.HOST_DEVICE + "=" + device,
        "--enable-native-access=ALL-UNNAMED", "-cp", String.join(File.pathSeparator, path)));
    command.addAll(jvm);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command)
        .redirectOutput(out.toFile())
        .redirectError(Path.of(out + ".err").toFile());
    builder.environment().remove("XDG_CACHE_HOME");
    builder.environment().putAll(environment);
    return builder.start();
  }
}
