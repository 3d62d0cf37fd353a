package dev.plumb.backend.cpu.blas;

import dev.plumb.backend.cpu.engine.Gemm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * OpenBLAS, with its natives from Maven Central. Two libraries carry it: bytedeco's brings the native code and loads it, netlib's
 * calls it on Java's own arrays. Where netlib has nothing for a platform, bytedeco's calls it too, on copies.
 *
 * <p>OpenBLAS's own threads stay out of it: Plumb deals out the work, and threads of both would wait for each other.
 */
public record OpenBlas(Gemm<double[]> doubles, Gemm<float[]> floats) {
  /** What came of loading it. */
  public sealed interface Loading {}

  /** It computes, and computes right. */
  public record Loaded(OpenBlas openBlas) implements Loading {}

  /** @param reason why there is no OpenBLAS here, in one line */
  public record Refused(String reason) implements Loading {}

  private static final String NETLIB_LIBRARY = "dev.ludovic.netlib.blas.nativeLibPath";

  /** Those of its kernels for x86-64 that have a table of their own (its dynamic.c). */
  private static final List<String> KERNELS = List.of("SAPPHIRERAPIDS", "COOPERLAKE", "SKYLAKEX", "ZEN", "HASWELL", "EXCAVATOR",
      "STEAMROLLER", "PILEDRIVER", "BULLDOZER", "SANDYBRIDGE", "NEHALEM", "BARCELONA", "CORE2", "PRESCOTT");

  private static Loading loading;

  /** Loads it when called first in a process, which takes some tenths of a second. */
  public static synchronized Loading load() {
    if (loading == null) {
      loading = loadFirst();
    }
    return loading;
  }

  private static Loading loadFirst() {
    try (OpenBlasNatives natives = OpenBlasNatives.open()) {
      return loaded(natives);
    } catch (LinkageError | RuntimeException | IOException e) {
      return new Refused("OpenBLAS cannot be used: " + lastLine(e));
    }
  }

  private static Loading loaded(OpenBlasNatives natives) throws IOException {
    natives.load();
    if (Loader.addressof("openblas_set_num_threads") == null) {
      return new Refused("what was loaded as OpenBLAS is another library");
    }
    openblas_nolapack.blas_set_num_threads(1);
    OpenBlas openBlas = inPlaceOrCopying(natives);
    SelfCheck.run(openBlas.doubles(), openBlas.floats());
    return new Loaded(openBlas);
  }

  private static OpenBlas inPlaceOrCopying(OpenBlasNatives natives) throws IOException {
    Optional<Path> netlib = natives.netlib();
    try {
      return netlib.isPresent() ? inPlace(netlib.get()) : copying();
    } catch (LinkageError | RuntimeException | ReflectiveOperationException e) {
      return copying();
    }
  }

  /** Netlib's calls, of the library that is loaded already, which it finds by its file. */
  private static OpenBlas inPlace(Path netlib) throws ReflectiveOperationException, IOException {
    String library = Loader.getLoadedLibraries().entrySet().stream()
        .filter(loaded -> loaded.getKey().startsWith("openblas"))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> new UnsatisfiedLinkError("OpenBLAS is not a library of its own"));
    System.setProperty(NETLIB_LIBRARY, library);
    NetlibCalls blas = NetlibLoader.load(netlib);
    return of("OpenBLAS",
        (transposeA, transposeB, m, n, k, a, aOffset, lda, b, bOffset, ldb, c, cOffset, ldc) -> blas.dgemmK(
            letter(transposeA), letter(transposeB), m, n, k, 1, a, aOffset, lda, b, bOffset, ldb, 0, c, cOffset, ldc),
        (transposeA, transposeB, m, n, k, a, aOffset, lda, b, bOffset, ldb, c, cOffset, ldc) -> blas.sgemmK(
            letter(transposeA), letter(transposeB), m, n, k, 1, a, aOffset, lda, b, bOffset, ldb, 0, c, cOffset, ldc));
  }

  /** Its version, and which of its kernels it chose for this processor. */
  public String description() {
    return doubles.name() + " " + openblas_nolapack.OPENBLAS_VERSION.replace("OpenBLAS", "").strip() + ", kernels " + kernels();
  }

  /**
   * OpenBLAS tells that by a function which bytedeco does not bridge; what the function looks at can be seen all the same:
   * gotoblas points to the table of the kernels in use, and each table has a name.
   */
  private static String kernels() {
    Pointer tableInUse = Loader.addressof("gotoblas");
    if (tableInUse != null) {
      long address = new LongPointer(tableInUse).get();
      for (String name : KERNELS) {
        Pointer table = Loader.addressof("gotoblas_" + name);
        if (table != null && table.address() == address) {
          return name;
        }
      }
    }
    return "unknown";
  }

  /**
   * Sets how many threads of OpenBLAS's own share each product from now on. For comparisons: nobody else may multiply meanwhile,
   * and whoever sets it sets it back to 1.
   */
  public static void ownThreads(int number) {
    openblas_nolapack.blas_set_num_threads(number);
  }

  private static String letter(boolean transpose) {
    return transpose ? "T" : "N";
  }

  /** Bytedeco's calls. */
  static OpenBlas copying() {
    return of("OpenBLAS on copies", CopyingGemm.doubles(), CopyingGemm.floats());
  }

  private static OpenBlas of(String name, ArrayGemm<double[]> doubles, ArrayGemm<float[]> floats) {
    return new OpenBlas(new RowMajorGemm<>(name, doubles), new RowMajorGemm<>(name, floats));
  }

  /** What a person needs to know stands at the end of a chain of causes. */
  private static String lastLine(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.getClass().getSimpleName());
    return message.lines().findFirst().orElse(message);
  }
}
