package dev.plumb.backend.cpu.fp64;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A rule for the source code that uses the Vector API. */
class VectorSourcesTest {
  private static final Pattern REDUCTION = Pattern.compile("(\\.|::)\\s*reduceLanes");
  private static final Path SOURCES = Path.of("src/main/vector/dev/plumb/backend/cpu/fp64");

  /** The order in which reduceLanes adds is not specified; the exception tests whether products with 0 are 0. */
  @Test
  void sumsHaveTheirOrder() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.sorted().toList()) {
        if (REDUCTION.matcher(Files.readString(file)).find()) {
          found.add(file.getFileName().toString());
        }
      }
    }
    assertEquals(List.of("VectorGradientDescent.java"), found);
  }
}
