package dev.plumb.backend.cpu.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Finding OpenBLAS on platforms whose natives are not among Plumb's dependencies: on a class path with files that are named as in
 * bytedeco's jars, in a process that is told the platform's os.name and os.arch.
 */
class OpenBlasPlatformsTest {
  private static final String MAC = """
      javacpp/%1$s/libjnijavacpp.dylib openblas/%1$s/libgfortran.dylib openblas/%1$s/libgfortran.5.dylib
      openblas/%1$s/libquadmath.0.dylib openblas/%1$s/libgcc_s.1.1.dylib openblas/%1$s/libopenblas.0.dylib
      openblas/%1$s/libjniopenblas.dylib openblas/%1$s/libjniopenblas_full.dylib openblas/%1$s/libjniopenblas_nolapack.dylib""";

  private static final String MAC_FOUND = """
      libjnijavacpp.dylib
      libgcc_s.1.1.dylib
      libquadmath.0.dylib
      libgfortran.5.dylib
      libgfortran.dylib
      libgfortran.dylib
      libopenblas_nolapack.0.dylib
      libjniopenblas_nolapack.dylib
      libgcc_s.dylib -> libgcc_s.1.1.dylib
      libopenblas_nolapack.dylib -> libopenblas_nolapack.0.dylib
      libquadmath.dylib -> libquadmath.0.dylib
      """;

  @TempDir Path folder;

  static Stream<Arguments> platforms() {
    return Stream.of(
        Arguments.of("linux-arm64", "Linux", "aarch64", """
            javacpp/%1$s/libjnijavacpp.so openblas/%1$s/libopenblas.so.0 openblas/%1$s/libgfortran.so.5 openblas/%1$s/libgcc_s.so.1
            openblas/%1$s/libjniopenblas.so openblas/%1$s/libjniopenblas_full.so openblas/%1$s/libjniopenblas_nolapack.so""", """
            libjnijavacpp.so
            libgcc_s.so.1
            libgfortran.so.5
            libopenblas_nolapack.so.0
            libjniopenblas_nolapack.so
            libgcc_s.so -> libgcc_s.so.1
            libgfortran.so -> libgfortran.so.5
            libopenblas_nolapack.so -> libopenblas_nolapack.so.0
            netlib: libnetlibblasjni.so
            """),
        Arguments.of("macosx-arm64", "Mac OS X", "aarch64", MAC, MAC_FOUND),
        Arguments.of("macosx-x86_64", "Mac OS X", "x86_64", MAC, MAC_FOUND),
        Arguments.of("windows-x86_64", "Windows 11", "amd64", """
            javacpp/%1$s/jnijavacpp.dll javacpp/%1$s/msvcp140.dll javacpp/%1$s/vcruntime140.dll javacpp/%1$s/ucrtbase.dll
            openblas/%1$s/libopenblas.dll openblas/%1$s/jniopenblas.dll openblas/%1$s/jniopenblas_full.dll
            openblas/%1$s/jniopenblas_nolapack.dll""", """
            ucrtbase.dll
            vcruntime140.dll
            msvcp140.dll
            jnijavacpp.dll
            libopenblas_nolapack.dll
            jniopenblas_nolapack.dll
            """));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("platforms")
  void everyLibraryIsFoundInItsOrder(String platform, String osName, String osArch, String files, String found) throws Exception {
    Path jar = folder.resolve("natives.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (String file : files.formatted(platform).split("\\s+")) {
        out.putNextEntry(new JarEntry("org/bytedeco/" + file));
        out.write(file.getBytes(StandardCharsets.UTF_8));
      }
    }
    Path output = folder.resolve("output");
    ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Duser.home=" + folder, "-Dos.name=" + osName, "-Dos.arch=" + osArch,
        "-cp", System.getProperty("java.class.path") + File.pathSeparator + jar, FoundOpenBlas.class.getName());
    builder.environment().remove("XDG_CACHE_HOME");
    builder.redirectErrorStream(true).redirectOutput(output.toFile()).start().waitFor();
    assertEquals(found, Files.readString(output));
  }
}
