package dev.plumb.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Everything in a folder, to see whether a command has changed something. */
final class FolderContents {
  private FolderContents() {}

  /** Returns every path below a folder in order, files with a hash of their bytes. */
  static List<String> of(Path folder) throws IOException {
    List<String> contents = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted().toList()) {
        contents.add(path + (Files.isRegularFile(path) ? " " + Arrays.hashCode(Files.readAllBytes(path)) : ""));
      }
    }
    return contents;
  }
}
