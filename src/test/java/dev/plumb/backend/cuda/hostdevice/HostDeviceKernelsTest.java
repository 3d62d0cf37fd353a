package dev.plumb.backend.cuda.hostdevice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The host device finds the errors in the kernels of broken.cu in every order of threads, and none in correct kernels. */
class HostDeviceKernelsTest extends HostDeviceFixture {
  private static final int BYTES = 1024;

  /**
   * A launch of one kernel.
   *
   * @param arrays number of leading pointer arguments, each to an allocation of its own
   * @param arguments what follows them
   */
  private record Launch(String kernel, int blocks, int threads, int arrays, Object... arguments) {
    @Override
    public String toString() {
      return kernel + " " + Arrays.toString(arguments);
    }
  }

  /** A launch, and what it fails with: the error code and a part of the diagnosis. */
  private record Wrong(Launch launch, String code, String diagnosis) {}

  static Stream<Wrong> wrong() {
    return Stream.of(
        race("missing_barrier_f32", 1, 64, 2, "race in shared memory, PTX line"),
        race("late_barrier_f32", 1, 64, 2, "race in shared memory"),
        race("warp_without_sync_f32", 1, 64, 2, "race in shared memory"),
        race("syncwarp_across_f32", 1, 64, 2, "race in shared memory"),
        race("order_of_blocks_f32", 16, 1, 1, "race between blocks"),
        race("plain_and_atomic_s32", 1, 64, 1, "race in global memory within a block"),
        race("read_and_atomic_s32", 1, 64, 1, "race in global memory within a block"),
        race("bytes_of_blocks_u8", 2, 1, 1, "race between blocks"),
        race("syncwarp_reader_across_f32", 1, 64, 2, "race in shared memory"),
        race("divergent_barrier_f32", 1, 64, 1, "barrier that threads have exited from"),
        race("early_exit_f32", 1, 64, 1, "barrier that threads have exited from"),
        race("two_barriers_f32", 1, 64, 1, "bar.sync in a diverged warp"),
        race("missing_lanes_f32", 1, 64, 1, "lanes that never come"),
        race("shuffle_inactive_f32", 1, 32, 1, "shuffle from a lane that takes no part"),
        illegal(new Launch("before_start_f32", 1, 1, 1), "write of 4 bytes: access at byte offset -4 of allocation"),
        illegal(new Launch("off_by_one_f32", 3, 128, 1, BYTES / 4), "write of 4 bytes: access at byte offset 1024 of allocation"),
        illegal(new Launch("wild_f32", 1, 1, 1), "access at byte offset 4194304"),
        illegal(new Launch("misaligned_f32", 1, 1, 2), "misaligned read of 16 bytes of global memory"),
        illegal(new Launch("static_shared_f32", 1, 8, 1, 1), "of shared memory, outside of all variables"));
  }

  static Stream<Launch> right() {
    return Stream.of(
        new Launch("sum_64_f64", 1, 64, 2), new Launch("syncwarp_f32", 1, 64, 2), new Launch("atomics_s32", 4, 64, 1),
        new Launch("static_shared_f32", 1, 8, 1, 0), new Launch("bytes_u8", 4, 66, 1), new Launch("grid_f32", 8, 32, 1, 1, 250),
        new Launch("off_by_one_f32", 3, 128, 1, BYTES / 4 - 1), new Launch("read_only_f32", 1, 1, 2),
        new Launch("same_value_s32", 1, 64, 1), new Launch("syncwarp_reader_f32", 1, 64, 2));
  }

  private static Wrong race(String kernel, int blocks, int threads, int arrays, String diagnosis) {
    return new Wrong(new Launch(kernel, blocks, threads, arrays), "LAUNCH_FAILED", diagnosis);
  }

  private static Wrong illegal(Launch launch, String diagnosis) {
    return new Wrong(launch, "ILLEGAL_ADDRESS", diagnosis);
  }

  private void run(Launch launch) {
    List<Object> arguments = new ArrayList<>();
    for (int i = 0; i < launch.arrays; i++) {
      arguments.add(upload(new float[BYTES / 4]));
    }
    arguments.addAll(List.of(launch.arguments));
    launch(launch.kernel, launch.blocks, launch.threads, arguments.toArray());
    synchronize();
  }

  /** Each failure ends the context, so that there is one in a test. */
  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundForward(Wrong wrong) {
    assertFound(wrong, Order.FORWARD);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundInReverse(Wrong wrong) {
    assertFound(wrong, Order.REVERSE);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void faultIsFoundAtRandom(Wrong wrong) {
    assertFound(wrong, Order.RANDOM);
  }

  private void assertFound(Wrong wrong, Order order) {
    HostDevice.order(order, 5);
    fails(wrong.code, wrong.diagnosis, () -> run(wrong.launch));
    String diagnosis = HostDevice.diagnosis();
    assertTrue(diagnosis.startsWith("kernel " + wrong.launch.kernel + ": "), diagnosis);
    assertTrue(diagnosis.matches("(?s).*PTX line \\d+ \\(broken\\.cu:\\d+\\).*"), diagnosis);
    fails(wrong.code, "", () -> allocate(4));
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsFoundInKernelsThatAreRight(Order order) {
    HostDevice.order(order, 5);
    right().forEach(this::run);
    assertEquals("", HostDevice.diagnosis());
  }

  @Test
  void readOnlyMemoryThatTheLaunchWritesIsFound() {
    CUdeviceptr same = upload(new float[1]);
    launch("read_only_f32", 1, 1, same, same);
    fails("LAUNCH_FAILED", "ld.global.nc of memory that the launch writes", this::synchronize);
  }

  @Test
  void readOfMemoryThatNobodyWroteIsFound() {
    launch("read_only_f32", 1, 1, allocate(4), allocate(4));
    fails("LAUNCH_FAILED", "read of global memory that was never written", this::synchronize);
  }

  @Test
  void localMemoryHasBounds() {
    CUdeviceptr out = allocate(4);
    launch("local_array_f32", 1, 1, indices(3, 3), out);
    synchronize();
    assertArrayEquals(new float[] {9}, read(out, 1));
    launch("local_array_f32", 1, 1, indices(3, 8), out);
    fails("ILLEGAL_ADDRESS", "access to 4 bytes of local memory at 32 of 32", this::synchronize);
  }

  @Test
  void localMemoryHasAStart() {
    launch("local_array_f32", 1, 1, indices(-1, 3), allocate(4));
    fails("ILLEGAL_ADDRESS", "access to 4 bytes of local memory at", this::synchronize);
  }

  private CUdeviceptr indices(int first, int second) {
    return upload(new float[] {Float.intBitsToFloat(first), Float.intBitsToFloat(second)});
  }

  @Test
  void allBlocksCount() {
    CUdeviceptr counter = upload(new float[1]);
    launch("atomics_s32", 4, 64, counter);
    synchronize();
    assertEquals(256, Float.floatToRawIntBits(read(counter, 1)[0]));
  }
}
