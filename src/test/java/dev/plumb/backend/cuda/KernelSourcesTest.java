package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The committed PTX is made of the committed sources. */
class KernelSourcesTest {
  /** KERNEL(name, ...), or KERNEL_OF(bounds, name, ...). */
  private static final Pattern DECLARATION = Pattern.compile("KERNEL(?:_OF\\(.*\\))?(?:\\(|, )(\\w+),.*");
  private static final Path PTX = Path.of("src/main/resources/ptx/plumb.ptx");
  private static final Path FUSED_PTX = Path.of("src/main/resources/ptx/fused_mlp.ptx");

  @Test
  void ptxIsOfTheseSources() throws Exception {
    MessageDigest hash = MessageDigest.getInstance("SHA-256");
    for (Path source : sources()) {
      hash.update((source.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
      hash.update(Files.readAllBytes(source));
    }
    String expected = "sources " + HexFormat.of().formatHex(hash.digest());
    for (Path module : List.of(PTX, FUSED_PTX)) {
      String first = Files.readAllLines(module).get(0);
      assertTrue(first.endsWith(expected), "kernels/ was changed without scripts/build-kernels: " + module + ": " + first);
    }
  }

  @Test
  void ptxIsForOldDriversAndOldCards() throws Exception {
    for (Path module : List.of(PTX, FUSED_PTX)) {
      String ptx = Files.readString(module);
      assertTrue(ptx.contains("\n.version 6.3\n"), "a later version needs a later driver");
      assertTrue(ptx.contains("\n.target sm_75\n"));
    }
  }

  @Test
  void everyKernelOfTheSourcesIsInThePtx() throws Exception {
    Map<String, int[]> kernels = new HashMap<>(PtxParameters.of(Files.readAllBytes(PTX)));
    PtxParameters.of(Files.readAllBytes(FUSED_PTX)).forEach((name, sizes) -> assertNull(kernels.put(name, sizes), name));
    int declared = 0;
    for (Path source : sources()) {
      for (String line : Files.readAllLines(source)) {
        Matcher declaration = DECLARATION.matcher(line);
        if (declaration.matches()) {
          declared++;
          String name = declaration.group(1);
          assertTrue(kernels.containsKey(name + "_f32") && kernels.containsKey(name + "_f64"), name);
        }
      }
    }
    assertEquals(14, declared);
    assertEquals(2 * declared + 2, kernels.size(), "with finish_loss and finish_step");
  }

  @Test
  void parametersAreReadAsPtxDeclaresThem() {
    byte[] ptx = """
        .visible .entry nothing()
        { ret; }
        .visible .entry several(
        \t.param .u64 several_param_0,
        \t.param .u32 several_param_1,
        \t.param .f32 several_param_2,
        \t.param .align 8 .b8 several_param_3[40]
        )
        { ret; }
        """.getBytes(StandardCharsets.UTF_8);
    assertArrayEquals(new int[0], PtxParameters.of(ptx).get("nothing"));
    assertArrayEquals(new int[] {8, 4, 4, 40}, PtxParameters.of(ptx).get("several"));
  }

  private static List<Path> sources() throws Exception {
    try (Stream<Path> files = Files.list(Path.of("kernels"))) {
      return files.filter(file -> file.toString().matches(".*\\.cuh?")).sorted().toList();
    }
  }
}
