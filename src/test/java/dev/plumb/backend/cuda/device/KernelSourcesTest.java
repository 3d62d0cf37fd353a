package dev.plumb.backend.cuda.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The committed PTX and machine code are made from the committed sources. */
class KernelSourcesTest {
  /** KERNEL(name, ...), or KERNEL_OF(bounds, name, ...). */
  private static final Pattern DECLARATION = Pattern.compile("KERNEL(?:_OF\\(.*\\))?(?:\\(|, )(\\w+),.*");
  /** A kernel of one precision, or of none. */
  private static final Pattern PLAIN =
      Pattern.compile("extern \"C\" __global__ void (?:__launch_bounds__\\([^()]*\\) )?(\\w+)\\(.*");
  /** A kernel of fused_narrow.cu, fused_narrow_weighted.cu or fused_cluster.cu, for one activation. */
  private static final Pattern NARROW = Pattern.compile("(NARROW|CLUSTER)(_WEIGHTED)?_KERNEL\\((\\w+), [A-Z_]+\\)");
  private static final List<String> ACTIVATIONS = List.of("linear", "relu", "leaky_relu", "sigmoid", "tanh");
  private static final List<Path> MODULES = Stream.of("plumb", "bf16", "normalization", "fused_mlp", "fused_mlp_weighted", "fused_narrow",
      "fused_narrow_weighted", "fused_cluster", "product", "product_tf32")
      .map(name -> Path.of("src/main/resources/ptx", name + ".ptx")).toList();
  private static final Path TEST_FOLDER = Path.of("src/test/resources/ptx");
  private static final Path SUMS = Path.of("src/main/resources/ptx/SHA256SUMS");

  @Test
  void codeIsOfTheseSources() throws Exception {
    MessageDigest hash = MessageDigest.getInstance("SHA-256");
    for (Path source : sources()) {
      hash.update((source.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
      hash.update(Files.readAllBytes(source));
    }
    String expected = "sources " + HexFormat.of().formatHex(hash.digest());
    Stream<Path> lines = MODULES.stream().map(module -> TEST_FOLDER.resolve(module.getFileName().toString().replace(".ptx", ".lines")));
    for (Path made : Stream.concat(Stream.concat(MODULES.stream(), lines), Stream.of(SUMS)).toList()) {
      String first = Files.readAllLines(made).get(0);
      assertTrue(first.endsWith(expected), "kernels/ was changed without scripts/build-kernels: " + made + ": " + first);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"broken", "broken_clusters", "broken_tf32", "broken_bf16"})
  void ptxOfTheHostDevicesTestsIsOfItsSource(String name) throws Exception {
    byte[] source = Files.readAllBytes(Path.of("src/test/native/broken", name + ".cu"));
    String expected = "sources " + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(source));
    for (String made : List.of(name + ".ptx", name + ".lines")) {
      String first = Files.readAllLines(TEST_FOLDER.resolve(made)).get(0);
      assertTrue(first.endsWith(expected), name + ".cu was changed without scripts/build-kernels: " + made + ": " + first);
    }
  }

  /** One build made all files: a cubin next to the PTX of another build would be launched with the wrong parameters. */
  @Test
  void filesAreThoseOfOneBuild() throws Exception {
    Map<String, String> expected = Files.readAllLines(SUMS).stream().filter(line -> !line.startsWith("#"))
        .collect(Collectors.toMap(line -> line.substring(66), line -> line.substring(0, 64)));
    Map<String, String> actual = new HashMap<>();
    try (Stream<Path> files = Files.list(SUMS.getParent())) {
      for (Path file : files.filter(file -> !file.equals(SUMS)).toList()) {
        actual.put(file.getFileName().toString(),
            HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file))));
      }
    }
    assertEquals(expected, actual, "run scripts/build-kernels");
    Set<String> names = MODULES.stream().map(module -> module.getFileName().toString())
        .flatMap(name -> Stream.of(name, name.replace(".ptx", ".sm_90.cubin"))).collect(Collectors.toSet());
    assertEquals(names, actual.keySet());
  }

  @Test
  void cubinsAreMachineCodeOfTheKernelsOfThePtx() throws Exception {
    for (Path module : MODULES) {
      Cubin cubin = Cubin.read(Path.of(module.toString().replace(".ptx", ".sm_90.cubin")));
      assertEquals(90, cubin.architecture(), module.toString());
      Map<String, int[]> kernels = PtxParameters.of(Files.readAllBytes(module));
      assertEquals(kernels.keySet(), cubin.kernels(), module.toString());
      kernels.forEach((name, sizes) -> assertEquals(bytes(sizes), cubin.parameterBytes(name), name));
    }
  }

  /** Returns the length of a parameter list: each parameter is aligned to its size, structures to 8 bytes. */
  private static int bytes(int[] sizes) {
    int end = 0;
    for (int size : sizes) {
      int alignment = Math.min(size, 8);
      end = (end + alignment - 1) / alignment * alignment + size;
    }
    return end;
  }

  @Test
  void ptxIsForOldDriversAndOldCards() throws Exception {
    for (Path module : MODULES) {
      String ptx = Files.readString(module);
      String version = module.endsWith("fused_cluster.ptx") ? "8.0" : module.endsWith("product_tf32.ptx") ? "7.0" : "6.3";
      int target = module.endsWith("fused_cluster.ptx") ? 90 : module.endsWith("product_tf32.ptx") ? 80 : 75;
      assertTrue(ptx.contains("\n.version " + version + "\n"), module + ": a later version needs a later driver");
      assertTrue(ptx.contains("\n.target sm_" + target + "\n"), module.toString());
    }
  }

  @Test
  void everyKernelOfTheSourcesIsInThePtx() throws Exception {
    Map<String, int[]> kernels = new HashMap<>();
    for (Path module : MODULES) {
      PtxParameters.of(Files.readAllBytes(module)).forEach((name, sizes) -> assertNull(kernels.put(name, sizes), name));
    }
    int declared = 0;
    Set<String> plain = new HashSet<>();
    for (Path source : sources()) {
      for (String line : Files.readAllLines(source)) {
        Matcher declaration = DECLARATION.matcher(line);
        if (declaration.matches()) {
          declared++;
          String name = declaration.group(1);
          assertTrue(kernels.containsKey(name + "_f32") && kernels.containsKey(name + "_f64"), name);
        }
        declaration = PLAIN.matcher(line);
        if (declaration.matches()) {
          plain.add(declaration.group(1));
        }
        declaration = NARROW.matcher(line);
        if (declaration.matches()) {
          plain.add("fused_" + declaration.group(1).toLowerCase(Locale.ROOT) + "_" + declaration.group(3)
              + (declaration.group(2) == null ? "_f32" : "_weighted_f32"));
        }
      }
    }
    assertEquals(27, declared);
    Set<String> expected = new HashSet<>(Set.of("finish_loss", "finish_step", "finish_loss_and_step", "finish_loss_weighted",
        "finish_loss_and_step_weighted", "product_forward_tf32", "product_forward_loss_tf32", "product_input_gradient_tf32",
        "product_weight_gradients_tf32", "bias_activation_bf16", "bias_activation_dropout_bf16", "activation_backward_bf16",
        "update_sgd_bf16", "update_adam_bf16", "update_rmsprop_bf16"));
    for (String activation : ACTIVATIONS) {
      expected.addAll(List.of("fused_narrow_" + activation + "_f32", "fused_narrow_" + activation + "_weighted_f32",
          "fused_cluster_" + activation + "_f32"));
    }
    assertEquals(expected, plain);
    assertTrue(kernels.keySet().containsAll(plain), plain.toString());
    assertEquals(2 * declared + plain.size(), kernels.size());
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
