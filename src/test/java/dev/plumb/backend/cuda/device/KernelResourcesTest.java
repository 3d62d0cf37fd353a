package dev.plumb.backend.cuda.device;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.device.Cubin.Resources;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * The resources of a multiprocessor that the committed machine code of each kernel uses, without a GPU and without ptxas;
 * {@code scripts/kernel-report} prints the same and more. Registers that do not suffice are spilled to the stack, which is local
 * memory and slow; the compiler does that silently.
 */
class KernelResourcesTest {
  private static final int WARP = 32;
  /** The registers of a multiprocessor of compute capability 9.0, allocated to warps in units. */
  private static final int REGISTERS = 65_536;
  private static final int REGISTER_UNIT = 256;
  /** Kernels without a bound whose blocks are those of {@code ActivationNodes.tiles}; the others have those of {@link Launches.Grid}. */
  private static final Set<String> LAUNCHED_IN_TILES = Set.of("activation_backward_f32", "activation_backward_f64",
      "activation_backward_bf16", "normalization_batch_statistics_f32", "normalization_batch_statistics_f64",
      "normalization_output_gradient_f32", "normalization_output_gradient_f64", "normalization_delta_f32", "normalization_delta_f64");
  private static final int TILE_THREADS = 512;
  private static final int DEFAULT_THREADS = 256;

  /**
   * The bounds of one kernel.
   *
   * @param registers per thread, at most
   * @param stack bytes per thread, at most
   * @param blocks of the largest size, at least, that the registers of a multiprocessor suffice for
   */
  private record Bounds(int registers, int stack, int blocks) {}

  /** A few registers above what ptxas 13.0 allocates: another version may differ, but must not spill or cost a block. */
  private static final Map<String, Bounds> BOUNDS = Map.ofEntries(
      // By the compiler, 128 registers are the most for 512 threads.
      Map.entry("fused_narrow_leaky_relu_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_linear_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_relu_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_sigmoid_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_tanh_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_leaky_relu_weighted_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_linear_weighted_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_relu_weighted_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_sigmoid_weighted_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_narrow_tanh_weighted_f32", new Bounds(128, 8, 1)),
      Map.entry("fused_cluster_leaky_relu_f32", new Bounds(224, 0, 1)),
      Map.entry("fused_cluster_linear_f32", new Bounds(224, 0, 1)),
      Map.entry("fused_cluster_relu_f32", new Bounds(224, 0, 1)),
      Map.entry("fused_cluster_sigmoid_f32", new Bounds(224, 0, 1)),
      Map.entry("fused_cluster_tanh_f32", new Bounds(224, 0, 1)),
      Map.entry("fused_train_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_train_f64", new Bounds(128, 0, 1)),
      Map.entry("fused_train_weighted_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_train_weighted_f64", new Bounds(128, 0, 1)),
      Map.entry("fused_outputs_f32", new Bounds(128, 0, 1)),
      Map.entry("fused_outputs_f64", new Bounds(128, 0, 1)),
      Map.entry("product_forward_f32", new Bounds(200, 0, 1)),
      Map.entry("product_forward_f64", new Bounds(200, 0, 1)),
      Map.entry("product_forward_loss_f32", new Bounds(208, 0, 1)),
      Map.entry("product_forward_loss_f64", new Bounds(224, 0, 1)),
      Map.entry("product_input_gradient_f32", new Bounds(208, 0, 1)),
      Map.entry("product_input_gradient_f64", new Bounds(208, 0, 1)),
      Map.entry("product_weight_gradients_f32", new Bounds(168, 0, 6)),
      Map.entry("product_weight_gradients_f64", new Bounds(208, 0, 4)),
      Map.entry("product_forward_tf32", new Bounds(128, 0, 2)),
      Map.entry("product_forward_loss_tf32", new Bounds(128, 0, 2)),
      Map.entry("product_input_gradient_tf32", new Bounds(128, 0, 2)),
      Map.entry("product_weight_gradients_tf32", new Bounds(168, 0, 6)),
      Map.entry("activation_backward_f32", new Bounds(56, 0, 2)),
      Map.entry("activation_backward_f64", new Bounds(64, 0, 2)),
      Map.entry("activation_backward_bf16", new Bounds(56, 0, 2)),
      Map.entry("bias_activation_f32", new Bounds(40, 0, 6)),
      Map.entry("bias_activation_f64", new Bounds(40, 0, 6)),
      Map.entry("bias_activation_bf16", new Bounds(40, 0, 6)),
      Map.entry("bias_activation_dropout_f32", new Bounds(40, 0, 6)),
      Map.entry("bias_activation_dropout_f64", new Bounds(48, 0, 5)),
      Map.entry("bias_activation_dropout_bf16", new Bounds(48, 0, 5)),
      Map.entry("normalization_batch_statistics_f32", new Bounds(56, 0, 2)),
      Map.entry("normalization_batch_statistics_f64", new Bounds(64, 0, 2)),
      Map.entry("normalization_merge_statistics_f32", new Bounds(48, 0, 5)),
      Map.entry("normalization_merge_statistics_f64", new Bounds(64, 0, 4)),
      Map.entry("normalization_layer_statistics_f32", new Bounds(40, 0, 6)),
      Map.entry("normalization_layer_statistics_f64", new Bounds(48, 0, 5)),
      Map.entry("normalization_activation_f32", new Bounds(64, 0, 4)),
      Map.entry("normalization_activation_f64", new Bounds(64, 0, 4)),
      Map.entry("normalization_output_gradient_f32", new Bounds(64, 0, 2)),
      Map.entry("normalization_output_gradient_f64", new Bounds(80, 0, 1)),
      Map.entry("normalization_layer_sums_f32", new Bounds(48, 0, 5)),
      Map.entry("normalization_layer_sums_f64", new Bounds(56, 0, 4)),
      Map.entry("normalization_delta_f32", new Bounds(56, 0, 2)),
      Map.entry("normalization_delta_f64", new Bounds(80, 0, 1)),
      Map.entry("finish_loss", new Bounds(32, 0, 8)),
      Map.entry("finish_loss_and_step", new Bounds(40, 0, 6)),
      Map.entry("finish_loss_weighted", new Bounds(40, 0, 6)),
      Map.entry("finish_loss_and_step_weighted", new Bounds(40, 0, 6)),
      Map.entry("finish_step", new Bounds(32, 0, 8)),
      Map.entry("gather_rows_f32", new Bounds(40, 0, 6)),
      Map.entry("gather_rows_f64", new Bounds(40, 0, 6)),
      Map.entry("gradient_squares_f32", new Bounds(32, 0, 8)),
      Map.entry("gradient_squares_f64", new Bounds(32, 0, 8)),
      Map.entry("loss_terms_f32", new Bounds(56, 0, 4)),
      Map.entry("loss_terms_f64", new Bounds(64, 0, 4)),
      Map.entry("loss_terms_weighted_f32", new Bounds(64, 0, 4)),
      Map.entry("loss_terms_weighted_f64", new Bounds(80, 0, 3)),
      Map.entry("softmax_loss_f32", new Bounds(56, 0, 4)),
      Map.entry("softmax_loss_f64", new Bounds(64, 0, 4)),
      Map.entry("softmax_loss_weighted_f32", new Bounds(56, 0, 4)),
      Map.entry("softmax_loss_weighted_f64", new Bounds(72, 0, 3)),
      Map.entry("sum_segments_f32", new Bounds(40, 0, 6)),
      Map.entry("sum_segments_f64", new Bounds(40, 0, 6)),
      Map.entry("update_sgd_f32", new Bounds(40, 0, 6)),
      Map.entry("update_sgd_f64", new Bounds(40, 0, 6)),
      Map.entry("update_sgd_bf16", new Bounds(40, 0, 6)),
      Map.entry("update_adam_f32", new Bounds(64, 0, 4)),
      Map.entry("update_adam_f64", new Bounds(64, 0, 4)),
      Map.entry("update_adam_bf16", new Bounds(64, 0, 4)),
      Map.entry("update_rmsprop_f32", new Bounds(48, 0, 5)),
      Map.entry("update_rmsprop_f64", new Bounds(56, 0, 4)),
      Map.entry("update_rmsprop_bf16", new Bounds(56, 0, 4)));

  @Test
  void everyKernelHasBoundsAndEveryBoundAKernel() {
    assertEquals(Set.of(), without(resources().keySet(), BOUNDS.keySet()),
        "kernels without bounds in this test; scripts/kernel-report prints what they take");
    assertEquals(Set.of(), without(BOUNDS.keySet(), resources().keySet()), "bounds of kernels that do not exist");
  }

  private static Set<String> without(Set<String> all, Set<String> others) {
    Set<String> rest = new TreeSet<>(all);
    rest.removeAll(others);
    return rest;
  }

  @Test
  void kernelsKeepToTheirBounds() {
    Map<String, Resources> all = resources();
    assertAll(all.entrySet().stream().filter(kernel -> BOUNDS.containsKey(kernel.getKey()))
        .<Executable>map(kernel -> () -> requireBounds(kernel.getKey(), kernel.getValue(), BOUNDS.get(kernel.getKey()))));
  }

  private static void requireBounds(String kernel, Resources resources, Bounds bounds) {
    assertTrue(resources.stackBytes() <= bounds.stack(), () -> kernel + " has a stack of " + resources.stackBytes()
        + " bytes per thread, which is local memory, and not at most " + bounds.stack() + ": registers are spilled");
    assertTrue(resources.registers() <= bounds.registers(), () -> kernel + " takes " + resources.registers()
        + " registers per thread, and not at most " + bounds.registers());
    int blocks = blocksByRegisters(resources.registers(), threads(kernel, resources));
    assertTrue(blocks >= bounds.blocks(), () -> "registers allow " + blocks + " blocks of " + threads(kernel, resources)
        + " threads of " + kernel + " per multiprocessor, and not at least " + bounds.blocks());
  }

  /** The registers that a launch bound allows must allow the blocks that it requires. */
  @Test
  void boundsAgreeWithEachOther() {
    Map<String, Resources> all = resources();
    all.keySet().retainAll(BOUNDS.keySet());
    all.forEach((kernel, resources) -> {
      Bounds bounds = BOUNDS.get(kernel);
      assertTrue(blocksByRegisters(bounds.registers(), threads(kernel, resources)) >= bounds.blocks(), kernel);
    });
  }

  /** Kernels with many registers are compiled for the sizes that the plans and LayerNodes launch them with. */
  @Test
  void largestBlocksAreDeclaredWhereRegistersAreMany() {
    resources().forEach((kernel, resources) -> {
      int declared = kernel.startsWith("fused_cluster_") ? 256
          : kernel.startsWith("fused_") ? 512
          : kernel.startsWith("product_weight_gradients_") ? 64
          : kernel.startsWith("product_") ? 256 : 0;
      assertEquals(declared, resources.maxThreads(), kernel);
    });
  }

  @Test
  void registersAreGivenToWarpsInUnits() {
    assertEquals(1, blocksByRegisters(128, 512));
    assertEquals(0, blocksByRegisters(129, 512), "136 registers for 16 warps");
    assertEquals(8, blocksByRegisters(32, 256));
    assertEquals(6, blocksByRegisters(33, 256));
    assertEquals(2, blocksByRegisters(224, 128));
  }

  private static int threads(String kernel, Resources resources) {
    return resources.maxThreads() > 0
        ? resources.maxThreads()
        : LAUNCHED_IN_TILES.contains(kernel) ? TILE_THREADS : DEFAULT_THREADS;
  }

  /** Returns how many blocks the registers of a multiprocessor suffice for. Each of the four schedulers has a quarter of them. */
  private static int blocksByRegisters(int registers, int threads) {
    int ofWarp = (int) Launches.ceilDiv((long) registers * WARP, REGISTER_UNIT) * REGISTER_UNIT;
    int warps = (int) Launches.ceilDiv(threads, WARP);
    return REGISTERS / 4 / ofWarp * 4 / warps;
  }

  private static Map<String, Resources> resources() {
    Map<String, Resources> all = new TreeMap<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/resources/ptx"))) {
      for (Path cubin : files.filter(file -> file.toString().endsWith(".cubin")).toList()) {
        all.putAll(Cubin.read(cubin).resources());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }
}
