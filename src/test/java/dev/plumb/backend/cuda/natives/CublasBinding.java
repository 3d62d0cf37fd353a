package dev.plumb.backend.cuda.natives;

import dev.plumb.backend.natives.NativeFolder;
import dev.plumb.backend.natives.NativeLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jcuda.jcublas.JCublas2;
import jcuda.libraryPropertyType;

/**
 * The program of {@code scripts/check-cublas}: loads a cuBLAS and JCublas's native as Plumb does, but neither the driver nor
 * its native, so that no GPU and no driver are needed. It uses classes from the jar only.
 */
final class CublasBinding {
  /** Parameters of cublasGetProperty: the three numbers of a version. */
  private static final int[] VERSION_PROPERTIES = {
      libraryPropertyType.MAJOR_VERSION, libraryPropertyType.MINOR_VERSION, libraryPropertyType.PATCH_LEVEL};

  /** A function that the native refers to, and a name of the same length that no library has. */
  private static final String FUNCTION = "cublasDestroy_v2";

  private static final String ALTERED_FUNCTION = "cublasDestroy_vX";

  private CublasBinding() {}

  /**
   * Prints which libraries were loaded and what cuBLAS says its version is. Exits with 1 and the loader's message when the
   * native cannot be loaded, with 2 when there is no such cuBLAS.
   *
   * @param args "bind", or "altered" to ask for a function that does not exist; then the path of a cuBLAS, or nothing to
   *     search for cuBLAS 13
   */
  public static void main(String[] args) throws IOException {
    boolean altered = args[0].equals("altered");
    CudaSystem.CublasFile cublas = args.length > 1 ? given(Path.of(args[1])) : searched();
    CudaPlatform platform = CudaPlatform.LINUX;
    String name = platform.cublasNative();
    byte[] content = CudaNatives.resource(name);
    NativeLibrary library =
        CudaNatives.nativeLibrary(platform, name, altered ? altered(content) : content, cublas.version());
    try (NativeFolder folder = NativeFolder.open("check-cublas", List.of(library))) {
      CudaNatives.loadCublas(cublas.file());
      CudaNatives.loadNative(platform, folder.file(name));
      // JCuda's own loader finds there the file that is loaded already.
      System.setProperty("java.io.tmpdir", folder.path().toString());
      System.out.println("loaded: " + name + ", with these libraries mapped:");
      mapped().forEach(file -> System.out.println("  " + file));
      System.out.println("called: cublasGetProperty, which says version " + IntStream.of(VERSION_PROPERTIES)
          .mapToObj(property -> {
            int[] value = new int[1];
            JCublas2.cublasGetProperty(property, value);
            return String.valueOf(value[0]);
          })
          .collect(Collectors.joining(".")));
    } catch (CudaNatives.LoadingFailed e) {
      System.out.println("not loaded: " + e.getMessage());
      System.exit(1);
    }
  }

  private static CudaSystem.CublasFile given(Path file) {
    for (CudaVersions.Cublas version : CudaVersions.CURRENT.cublas()) {
      String name = version.fileName(CudaPlatform.LINUX).orElseThrow();
      if (Files.isRegularFile(file) && file.getFileName().toString().startsWith(name)) {
        System.out.println("cuBLAS " + version.major() + ": " + file);
        return new CudaSystem.CublasFile(version, file);
      }
    }
    throw missing(file + " is not a file named libcublas.so.12 or libcublas.so.13");
  }

  private static CudaSystem.CublasFile searched() {
    for (var entry : CudaSystem.inspect(HostEnvironment.current()).withCublas().cublas().entrySet()) {
      Optional<Path> file = entry.getValue().file();
      if (entry.getKey().major() == 13 && file.isPresent()) {
        System.out.println("cuBLAS 13: " + file.get() + " (" + entry.getValue().source().orElseThrow() + ")");
        return new CudaSystem.CublasFile(entry.getKey(), file.get());
      }
    }
    throw missing("no libcublas.so.13 was found; install one (pip install nvidia-cublas), or give its path");
  }

  /** Ends the program; the exception is only for the compiler. */
  private static IllegalStateException missing(String message) {
    System.err.println("check-cublas: " + message);
    System.exit(2);
    return new IllegalStateException(message);
  }

  private static byte[] altered(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    return text.replace("\0" + FUNCTION + "\0", "\0" + ALTERED_FUNCTION + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Returns the files with cuBLAS in their names that this process has mapped, each once. */
  private static List<String> mapped() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1).stream()
        .filter(line -> line.contains("ublas") && line.contains("/"))
        .map(line -> line.substring(line.indexOf('/')))
        .distinct()
        .toList();
  }
}
