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
 * OpenBLAS, with native libraries from Maven Central. Bytedeco's library contains and loads the native code; netlib's library
 * calls it on Java arrays without copies. On platforms that netlib does not support, bytedeco's library calls it on copies.
 *
 * <p>OpenBLAS is set to one thread: Plumb distributes the work, and threads of both would wait for each other.
 */
public record OpenBlas(Gemm<double[]> doubles, Gemm<float[]> floats) {
  /** The result of loading OpenBLAS. */
  public sealed interface Loading {}

  /** OpenBLAS was loaded, and passed its self-check. */
  public record Loaded(OpenBlas openBlas) implements Loading {}

  /**
   * OpenBLAS cannot be used.
   *
   * @param reason the reason, in one line
   */
  public record Refused(String reason) implements Loading {}

  private static final String NETLIB_LIBRARY = "dev.ludovic.netlib.blas.nativeLibPath";

  /** Names of the kernels for x86-64 that have their own table, from OpenBLAS's dynamic.c. */
  private static final List<String> KERNELS = List.of("SAPPHIRERAPIDS", "COOPERLAKE", "SKYLAKEX", "ZEN", "HASWELL", "EXCAVATOR",
      "STEAMROLLER", "PILEDRIVER", "BULLDOZER", "SANDYBRIDGE", "NEHALEM", "BARCELONA", "CORE2", "PRESCOTT");

  private static Loading loading;

  /** Returns the result of loading OpenBLAS. The first call in a process loads it, which takes some tenths of a second. */
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
      return new Refused("OpenBLAS cannot be used: " + rootMessage(e));
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

  /** Returns OpenBLAS with netlib's calls. Netlib finds the loaded library by its file. */
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

  /** Returns the version of OpenBLAS and the kernels that it chose for this processor. */
  public String description() {
    return doubles.name() + " " + openblas_nolapack.OPENBLAS_VERSION.replace("OpenBLAS", "").strip() + ", kernels " + kernels();
  }

  /**
   * Returns the name of the kernels in use. Bytedeco does not bridge the function that returns it, but the symbol gotoblas points
   * to the table of the kernels in use, and each table has a symbol.
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
   * Sets the number of OpenBLAS's own threads that share each product. For comparisons only: no other thread may multiply at the
   * same time, and the caller must reset it to 1.
   */
  public static void ownThreads(int number) {
    openblas_nolapack.blas_set_num_threads(number);
  }

  private static String letter(boolean transpose) {
    return transpose ? "T" : "N";
  }

  /** Returns OpenBLAS with bytedeco's calls. */
  static OpenBlas copying() {
    return of("OpenBLAS on copies", CopyingGemm.doubles(), CopyingGemm.floats());
  }

  private static OpenBlas of(String name, ArrayGemm<double[]> doubles, ArrayGemm<float[]> floats) {
    return new OpenBlas(new RowMajorGemm<>(name, doubles), new RowMajorGemm<>(name, floats));
  }

  /** Returns the first line of the root cause's message. */
  private static String rootMessage(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = Objects.requireNonNullElse(cause.getMessage(), cause.getClass().getSimpleName());
    return message.lines().findFirst().orElse(message);
  }
}
