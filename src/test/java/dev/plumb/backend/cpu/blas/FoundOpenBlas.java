package dev.plumb.backend.cpu.blas;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Prints the libraries of OpenBLAS that are found on the class path for the platform in os.name and os.arch, in the order in
 * which they would be loaded, the links to them, and netlib's library.
 */
final class FoundOpenBlas {
  private FoundOpenBlas() {}

  public static void main(String[] arguments) throws Exception {
    try (OpenBlasNatives natives = OpenBlasNatives.open()) {
      List<Path> files = natives.files();
      files.forEach(file -> System.out.println(file.getFileName()));
      try (Stream<Path> all = Files.list(files.get(0).getParent())) {
        for (Path link : all.filter(Files::isSymbolicLink).sorted().toList()) {
          System.out.println(link.getFileName() + " -> " + Files.readSymbolicLink(link).getFileName());
        }
      }
      natives.netlib().ifPresent(file -> System.out.println("netlib: " + file.getFileName()));
    }
  }
}
