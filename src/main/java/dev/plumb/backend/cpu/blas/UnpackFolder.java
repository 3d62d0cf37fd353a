package dev.plumb.backend.cpu.blas;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where JavaCPP unpacks its libraries. It keeps them in the user's home for the next process, {@code .javacpp/cache}. Where that
 * cannot be written it would take a folder of a known name among the temporary files, which others can make before it and fill
 * with libraries of theirs; instead of that, it gets a folder that nobody else can write to, deleted when all is loaded.
 *
 * @param made is the folder, if it had to be made
 */
record UnpackFolder(Optional<Path> made) {
  private static final String PROPERTY = "org.bytedeco.javacpp.cachedir";

  /** To be called before JavaCPP is. */
  static UnpackFolder choose() throws IOException {
    if (System.getProperty(PROPERTY) != null || homeIsWritable()) {
      return new UnpackFolder(Optional.empty());
    }
    Path made = Files.createTempDirectory("plumb-openblas");
    System.setProperty(PROPERTY, made.toString());
    return new UnpackFolder(Optional.of(made));
  }

  private static boolean homeIsWritable() {
    File cache = new File(System.getProperty("user.home"), ".javacpp/cache");
    try {
      // Users that the system does not know have a home called "?".
      return cache.isAbsolute() && Files.isWritable(Files.createDirectories(cache.toPath()));
    } catch (IOException e) {
      return false;
    }
  }

  /** For when all is loaded. */
  void deleteIfMade() {
    made.ifPresent(UnpackFolder::delete);
  }

  private static void delete(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      // Windows does not let go of a library that is loaded; what is left is found among the temporary files.
    }
  }
}
