package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmodule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The host device runs thread block clusters, and finds what is wrong with the kernels of broken_clusters.cu in whatever order
 * their threads run.
 */
class HostDeviceClustersTest extends HostDeviceFixture {
  /** The size of a cluster. */
  private static final int BLOCKS = 4;
  private static final int THREADS = 64;
  /** The number of elements of a launch, whose input is 0, 1, 2 and so on. */
  private static final int CLUSTERS = 2;

  @Override
  String moduleName() {
    return "broken_clusters";
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        race("block_barrier_f32", "race between blocks of a cluster"), race("read_before_sent_f32", "race between blocks of a cluster"),
        race("write_after_reads_f32", "race between blocks of a cluster"), race("two_writers_f32", "race between blocks of a cluster"),
        race("global_without_barrier_f32", "race between blocks of a cluster"), race("order_of_clusters_f32", "race between blocks,"),
        race("no_barrier_at_start_f32", "shared memory of a block that may not have begun"),
        race("no_barrier_at_end_f32", "shared memory of a block that may have exited"),
        race("diverged_f32", "barrier.cluster in a diverged warp"), race("exited_f32", "barrier that threads have exited from"),
        race("mixed_f32", "deadlock: 32 threads wait at a barrier of their block, and 32 at one of the cluster"),
        Arguments.of("past_end_f32", "ILLEGAL_ADDRESS", "of shared memory, outside of all variables"),
        Arguments.of("remote_as_own_f32", "ILLEGAL_ADDRESS", "by an address of another block's shared memory"));
  }

  private static Arguments race(String kernel, String diagnosis) {
    return Arguments.of(kernel, "LAUNCH_FAILED", diagnosis);
  }

  /** Each failure ends the context, so that there is one in a test. */
  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundForward(String kernel, String code, String diagnosis) {
    assertFound(kernel, code, diagnosis, Order.FORWARD);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundInReverse(String kernel, String code, String diagnosis) {
    assertFound(kernel, code, diagnosis, Order.REVERSE);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundAtRandom(String kernel, String code, String diagnosis) {
    assertFound(kernel, code, diagnosis, Order.RANDOM);
  }

  private void assertFound(String kernel, String code, String diagnosis, Order order) {
    HostDevice.order(order, 5);
    fails(code, diagnosis, () -> run(kernel));
    String said = HostDevice.diagnosis();
    assertTrue(said.startsWith("kernel " + kernel + ": "), said);
    assertTrue(said.matches("(?s).*PTX line \\d+ \\(broken_clusters\\.cu:\\d+\\).*"), said);
  }

  @ParameterizedTest
  @EnumSource
  void blocksReachEachOther(Order order) {
    HostDevice.order(order, 5);
    assertRuns("read_next_f32", HostDeviceClustersTest::next);
    assertRuns("write_next_f32", i -> i / THREADS * THREADS + THREADS - 1 - i % THREADS + 1
        + (i / THREADS % BLOCKS == 0 ? (BLOCKS - 1) * THREADS : -THREADS));
    assertRuns("generic_f32", i -> next(i) + 100 * (i / (BLOCKS * THREADS)) + 1000 * CLUSTERS);
    assertRuns("own_barriers_f32", i -> {
      int read = next(i);
      return read / THREADS % BLOCKS % 2 == 1 ? read : read / THREADS * THREADS + THREADS - 1 - read % THREADS;
    });
    assertRuns("global_f32", HostDeviceClustersTest::next);
    assertEquals("", HostDevice.diagnosis());
  }

  /** Returns the element of the same thread of the next block of the cluster. */
  private static int next(int element) {
    return element + (element / THREADS % BLOCKS == BLOCKS - 1 ? (1 - BLOCKS) * THREADS : THREADS);
  }

  private void assertRuns(String kernel, IntToDoubleFunction expected) {
    float[] values = new float[CLUSTERS * BLOCKS * THREADS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) expected.applyAsDouble(i);
    }
    assertArrayEquals(values, read(run(kernel), values.length), kernel);
  }

  private CUdeviceptr run(String kernel) {
    float[] in = new float[CLUSTERS * BLOCKS * THREADS];
    for (int i = 0; i < in.length; i++) {
      in[i] = i;
    }
    CUdeviceptr out = upload(new float[in.length]);
    launch(kernel, CLUSTERS * BLOCKS, THREADS, upload(in), out);
    synchronize();
    return out;
  }

  @Test
  void gridIsAMultipleOfTheCluster() {
    fails("CUDA_ERROR_INVALID_CLUSTER_SIZE", "a grid of 6 blocks along x, which is no multiple of the 4 blocks of a cluster",
        () -> launch("read_next_f32", 6, THREADS, upload(new float[1]), upload(new float[1])));
  }

  @Test
  void blocksOfAClusterAreWholeWarps() {
    launch("read_next_f32", BLOCKS, 33, upload(new float[1]), upload(new float[1]));
    fails("LAUNCH_FAILED", "blocks of a cluster that are not whole warps are not implemented", this::synchronize);
  }

  @Test
  void whatTheInterpreterDoesNotImplementIsRefused() {
    String begin = "\tbarrier.cluster.arrive.release.aligned;";
    String end = "\tbarrier.cluster.wait.acquire.aligned;";
    assertRefused(begin, begin + "\n\tmov.u32 %r0, 1;", "must be an arrive and a wait");
    assertRefused(begin, begin + "\nBETWEEN:", "a label between");
    assertRefused(begin, "\tbarrier.cluster.arrive.relaxed.aligned;", "unknown instruction barrier.cluster.arrive.relaxed");
    assertRefused(begin, begin + "\n" + begin, "must be an arrive and a wait");
    assertRefused(end, end + "\n" + end, "unknown instruction barrier.cluster.wait");
    assertRefused(".reqnctapercluster 4, 1, 1", ".reqnctapercluster 1, 4, 1", "clusters along y and z");
    assertRefused(".reqnctapercluster 4, 1, 1", ".reqnctapercluster 16, 1, 1", "clusters of more than 8 blocks");
  }

  private void assertRefused(String text, String other, String diagnosis) {
    assertTrue(ptx.contains(text), text);
    fails("CUDA_ERROR_INVALID_PTX", diagnosis, () -> cuModuleLoadData(new CUmodule(), ptx.replaceFirst(Pattern.quote(text),
        Matcher.quoteReplacement(other))));
  }
}
