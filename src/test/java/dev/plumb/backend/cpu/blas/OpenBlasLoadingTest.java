package dev.plumb.backend.cpu.blas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading OpenBLAS, in processes of their own: with nothing unpacked yet, and where something stands in the way. */
class OpenBlasLoadingTest {
  private static final String WIDE_STUDY = """
      {"learningRate": 0.001, "epochs": 2, "lossAtEpochs": [1], "data": {"source": "notebook", "samples": 40},
       "networks": [{"layers": [3, 100, 100, 1], "activation": "tanh"}]}
      """;

  /** In which nobody can make a file, not even root. Of a folder that is missing newer Javas complain by themselves. */
  private static final Path UNWRITABLE = Path.of("/proc");

  private record Ran(int code, String out, String err) {}

  @TempDir Path folder;
  private Path home;
  private Path temp;

  @BeforeEach
  void makeFolders() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
    temp = Files.createDirectory(folder.resolve("temp"));
  }

  @Test
  void firstAndLaterProcessesLoadItWithoutAWord() throws Exception {
    for (int i = 0; i < 2; i++) {
      assertEquals(new Ran(0, "OpenBLAS\n", ""), load());
      assertNothingIsLeftInTemp();
    }
    assertFalse(Files.exists(home.resolve(".javacpp")));
    assertEquals(7, libraries().size(), libraries().toString());
  }

  /** As a loss of power may leave it: size and time are right. The system's loader would end the process. */
  @Test
  void libraryThatWasDamagedInTheCacheIsUnpackedAnew() throws Exception {
    assertEquals(new Ran(0, "OpenBLAS\n", ""), load());
    for (Path library : libraries()) {
      byte[] whole = Files.readAllBytes(library);
      FileTime time = Files.getLastModifiedTime(library);
      byte[] damaged = whole.clone();
      Arrays.fill(damaged, whole.length / 4, whole.length, (byte) 0);
      Files.write(library, damaged);
      Files.setLastModifiedTime(library, time);
      assertEquals(new Ran(0, "OpenBLAS\n", ""), load(), library.toString());
      assertArrayEquals(whole, Files.readAllBytes(library));
    }
    assertNothingIsLeftInTemp();
  }

  @Test
  void killedProcessLeavesNothingInTemp() throws Exception {
    for (Path home : List.of(home, Path.of("?"))) {
      Path out = folder.resolve("out");
      Process process = start(LoadedOpenBlas.class, home, temp, List.of(), out, "wait");
      while (!Files.readString(out).equals("OpenBLAS\n") && process.isAlive()) {
        Thread.sleep(10);
      }
      assertNothingIsLeftInTemp();
      process.destroyForcibly().waitFor();
      assertNothingIsLeftInTemp();
    }
  }

  @Test
  void processesThatUnpackAtOnceDoNotDisturbEachOther() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      processes.add(start(LoadedOpenBlas.class, home, temp, List.of(), folder.resolve("out" + i)));
    }
    for (int i = 0; i < 4; i++) {
      assertEquals(0, processes.get(i).waitFor());
      assertEquals("OpenBLAS\n", Files.readString(folder.resolve("out" + i)));
    }
    assertNothingIsLeftInTemp();
  }

  /** JavaCPP unpacks in place when it cannot make a link, which ends processes that load the library meanwhile. */
  @Test
  void librariesInTheCacheAreNeverRewrittenInPlace() throws Exception {
    assertEquals(new Ran(0, "OpenBLAS\n", ""), load());
    Map<Path, Object> inodes = inodes();
    Path link = libraries().get(0).resolveSibling("libopenblas_nolapack.so");
    assertTrue(Files.isSymbolicLink(link));
    Files.delete(link);
    Files.createDirectories(link.resolve("in the link's place"));
    assertEquals(new Ran(0, "OpenBLAS\n", ""), load());
    assertEquals(inodes, inodes());
    assertNothingIsLeftInTemp();
  }

  /** JavaCPP itself would unpack into the folder here that others may have made, and load what they put there. */
  @Test
  void whereHomeCannotBeWrittenAFolderOfItsOwnIsUsedAndDeleted() throws Exception {
    Path home = Files.createFile(folder.resolve("no-folder"));
    Path known = Files.createDirectories(temp.resolve(".javacpp-" + System.getProperty("user.name") + "/cache"));
    assertEquals(new Ran(0, "OpenBLAS\n", ""), run(LoadedOpenBlas.class, home, temp, List.of()));
    assertEquals(new Ran(0, "OpenBLAS\n", ""), run(LoadedOpenBlas.class, Path.of("?"), temp, List.of()));
    assertFalse(Files.exists(Path.of("?")));
    try (Stream<Path> inside = Files.list(known)) {
      assertEquals(List.of(), inside.toList());
    }
    Files.delete(known);
    Files.delete(known.getParent());
    assertNothingIsLeftInTemp();
  }

  @Test
  void whereTemporaryFilesCannotBeWrittenTheCacheIsEnough() throws Exception {
    assertEquals(new Ran(0, "OpenBLAS\n", ""), run(LoadedOpenBlas.class, home, UNWRITABLE, List.of()));
  }

  @Test
  void whereNetlibHasNoLibraryProductsAreComputedOnCopies() throws Exception {
    assertEquals(new Ran(0, "OpenBLAS on copies\n", ""), run(LoadedOpenBlas.class, home, temp,
        List.of("-Dorg.bytedeco.javacpp.platform=linux-x86_64", "-Dos.arch=another")));
  }

  @Test
  void whereNothingCanBeUnpackedOneLineSaysSo() throws Exception {
    Ran ran = run(LoadedOpenBlas.class, Files.createFile(folder.resolve("no-folder")), UNWRITABLE, List.of());
    assertRefused("OpenBLAS cannot be used: " + UNWRITABLE + ": native libraries cannot be unpacked there: ", ran);
  }

  @Test
  void platformWithoutOpenBlasIsRefusedInOneLine() throws Exception {
    assertEquals(new Ran(3, "OpenBLAS cannot be used: there is none for linux-riscv64\n", ""),
        run(LoadedOpenBlas.class, home, temp, List.of("-Dorg.bytedeco.javacpp.platform=linux-riscv64")));
    assertEquals(new Ran(3, "OpenBLAS cannot be used: there is none for macosx-arm64; add openblas and javacpp of org.bytedeco with the "
        + "classifier macosx-arm64 to the class path\n", ""),
        run(LoadedOpenBlas.class, home, temp, List.of("-Dos.name=Mac OS X", "-Dos.arch=aarch64")));
  }

  @Test
  void otherLibraryIsNotTakenForOpenBlas() throws Exception {
    assertRefused("what was loaded as OpenBLAS is ",
        run(LoadedOpenBlas.class, home, temp, List.of("-Dorg.bytedeco.openblas.load=none")));
  }

  private void assertRefused(String start, Ran ran) {
    assertEquals(3, ran.code(), ran.toString());
    assertTrue(ran.out().startsWith(start) && ran.out().length() > start.length() + 1, ran.toString());
    assertEquals(1, ran.out().lines().count(), ran.toString());
    assertEquals("", ran.err());
  }

  @Test
  void wrongProductsAreFound() {
    Gemm<double[]> doubles = new dev.plumb.backend.cpu.fp64.BlockedGemm();
    Gemm<float[]> floats = new dev.plumb.backend.cpu.fp32.BlockedGemm();
    SelfCheck.run(doubles, floats);
    Gemm<double[]> wrongDoubles = new RowMajorGemm<>("wrong", (transposeA, transposeB, m, n, k, a, aOffset, lda, b, bOffset, ldb,
        c, cOffset, ldc) -> {
      doubles.multiply(transposeB, transposeA, n, m, k, b, bOffset, ldb, a, aOffset, lda, c, cOffset, ldc);
      c[c.length - 1] += transposeA && transposeB && m > 100 ? 1 : 0;
    });
    Gemm<float[]> wrongFloats = new RowMajorGemm<>("wrong", (transposeA, transposeB, m, n, k, a, aOffset, lda, b, bOffset, ldb,
        c, cOffset, ldc) -> {
      floats.multiply(transposeB, transposeA, n, m, k, b, bOffset, ldb, a, aOffset, lda, c, cOffset, ldc);
      c[0] = m < 10 ? Float.NaN : c[0];
    });
    assertEquals("its products are wrong on this processor",
        assertThrows(IllegalStateException.class, () -> SelfCheck.run(wrongDoubles, floats)).getMessage());
    assertThrows(IllegalStateException.class, () -> SelfCheck.run(doubles, wrongFloats));
  }

  @Test
  void javaIsUsedWhereItIsAskedForAndWhereOpenBlasCannotBe() throws Exception {
    Path study = Files.writeString(folder.resolve("wide.json"), WIDE_STUDY);
    String[] command = {"study", study.toString(), "--device", "cpu"};
    Ran openBlas = run(Main.class, home, temp, List.of(), command);
    assertEquals(0, openBlas.code(), openBlas.toString());
    assertEquals("", openBlas.err());
    String note = "note: matrix products of wide networks are computed in plain Java, which is slower: ";
    Ran java = run(Main.class, home, temp, List.of("-Dplumb.cpu.products=java"), command);
    assertEquals(new Ran(0, openBlas.out(), note + "plumb.cpu.products is set to java\n"), java);
    Ran none = run(Main.class, home, temp, List.of("-Dorg.bytedeco.javacpp.platform=linux-riscv64"), command);
    assertEquals(0, none.code());
    assertEquals(openBlas.out(), none.out());
    assertTrue(none.err().startsWith(note + "OpenBLAS cannot be used: "), none.err());
    assertEquals(1, none.err().lines().count(), none.err());
  }

  private void assertNothingIsLeftInTemp() throws IOException {
    try (Stream<Path> files = Files.list(temp)) {
      assertEquals(List.of(), files.filter(file -> !file.getFileName().toString().startsWith("hsperfdata")).toList());
    }
  }

  private Map<Path, Object> inodes() throws IOException {
    Map<Path, Object> inodes = new TreeMap<>();
    for (Path library : libraries()) {
      inodes.put(library, Files.readAttributes(library, BasicFileAttributes.class).fileKey());
    }
    return inodes;
  }

  private List<Path> libraries() throws IOException {
    try (Stream<Path> files = Files.walk(home.resolve(".cache/plumb"))) {
      return files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
    }
  }

  private Ran load() throws Exception {
    return run(LoadedOpenBlas.class, home, temp, List.of());
  }

  private Ran run(Class<?> main, Path home, Path temp, List<String> jvm, String... arguments) throws Exception {
    Path out = folder.resolve("out");
    int code = start(main, home, temp, jvm, out, arguments).waitFor();
    return new Ran(code, Files.readString(out), Files.readString(Path.of(out + ".err")));
  }

  private static Process start(Class<?> main, Path home, Path temp, List<String> jvm, Path out, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-XX:TieredStopAtLevel=1",
        "-Duser.home=" + home, "-Djava.io.tmpdir=" + temp, "--enable-native-access=ALL-UNNAMED",
        "-cp", System.getProperty("java.class.path")));
    command.addAll(jvm);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(Path.of(out + ".err").toFile());
    builder.environment().remove("XDG_CACHE_HOME");
    return builder.start();
  }
}
