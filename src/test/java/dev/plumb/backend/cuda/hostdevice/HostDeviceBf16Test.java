package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.model.Bfloat16;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The host device computes with 2-byte numbers, and finds what is wrong with the kernels of broken_bf16.cu. */
class HostDeviceBf16Test extends HostDeviceFixture {
  /** A multiple of 8, the largest number of numbers per thread, but not of a warp's. */
  private static final int NUMBERS = 264;

  @Override
  String moduleName() {
    return "broken_bf16";
  }

  /** Returns numbers with ties, and the special ones. */
  private static float[] numbers() {
    float[] values = HostDeviceGemmFixture.random(1, NUMBERS);
    float[] special = {0, -0f, 1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f, Float.NaN, Float.intBitsToFloat(0xff800001),
        Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, Bfloat16.MAX_VALUE, Float.MIN_VALUE};
    System.arraycopy(special, 0, values, 0, special.length);
    return values;
  }

  private static short[] readShorts(CUdeviceptr from, int n) {
    short[] values = new short[n];
    cuMemcpyDtoH(Pointer.to(values), from, (long) Bfloat16.BYTES * n);
    return values;
  }

  private static short[] rounded(float[] values) {
    short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Bfloat16.bits(values[i]);
    }
    return bits;
  }

  /** Blocks of 33 threads: two threads write the halves of a word, also threads of two blocks. */
  @ParameterizedTest
  @EnumSource
  void threadsMayRoundIntoTheHalvesOfAWord(Order order) {
    HostDevice.order(order, 5);
    CUdeviceptr out = allocate(Bfloat16.BYTES * NUMBERS);
    launch("round_bf16", NUMBERS / 33, 33, upload(numbers()), out, NUMBERS);
    synchronize();
    assertArrayEquals(rounded(numbers()), readShorts(out, NUMBERS));
    assertEquals("", HostDevice.diagnosis());
  }

  @ParameterizedTest
  @CsvSource({"round_4_bf16, 4", "round_8_bf16, 8"})
  void packsAreRounded(String kernel, int pack) {
    CUdeviceptr out = allocate(Bfloat16.BYTES * NUMBERS);
    launch(kernel, 3, NUMBERS / pack / 3, upload(numbers()), out);
    synchronize();
    assertArrayEquals(rounded(numbers()), readShorts(out, NUMBERS));
  }

  @ParameterizedTest
  @CsvSource({"widen_bf16, 1", "widen_2_bf16, 2", "widen_4_bf16, 4", "widen_4_words_bf16, 4", "widen_8_words_bf16, 8"})
  void everyNumberIsWidened(String kernel, int pack) {
    int n = 1 << 10;
    short[] bits = new short[n];
    int[] expected = new int[n];
    for (int i = 0; i < n; i++) {
      bits[i] = (short) (61 * i);
      expected[i] = bits[i] << 16;
    }
    CUdeviceptr out = allocate(4L * n);
    launch(kernel, 2, n / pack / 2, upload(bits), out);
    synchronize();
    int[] found = new int[n];
    cuMemcpyDtoH(Pointer.to(found), out, 4L * n);
    assertArrayEquals(expected, found);
  }

  @ParameterizedTest
  @EnumSource
  void threadsMayWriteHalvesOfAWordOfSharedMemory(Order order) {
    HostDevice.order(order, 5);
    float[] in = HostDeviceGemmFixture.random(2, 128);
    float[] reversed = new float[128];
    for (int i = 0; i < in.length; i++) {
      reversed[i / 64 * 64 + 63 - i % 64] = in[i];
    }
    CUdeviceptr out = allocate(Bfloat16.BYTES * 128);
    launch("reverse_bf16", 2, 64, upload(in), out);
    synchronize();
    assertArrayEquals(rounded(reversed), readShorts(out, 128));
    assertEquals("", HostDevice.diagnosis());
  }

  @Test
  void integersOfTwoBytesWrapAround() {
    short[] in = new short[2 * NUMBERS];
    for (int i = 0; i < in.length; i++) {
      in[i] = (short) (i * 40503 + 1);
    }
    CUdeviceptr out = allocate(Bfloat16.BYTES * 8 * NUMBERS);
    launch("integers_u16", NUMBERS / 33, 33, upload(in), out);
    synchronize();
    short[] found = readShorts(out, 8 * NUMBERS);
    for (int i = 0; i < NUMBERS; i++) {
      short x = in[2 * i];
      short y = in[2 * i + 1];
      int[] expected = {x - y, x * y, x << 3, x >> 3, Math.min(x & 0xffff, y & 0xffff), Math.max(x, y), x < y ? x : ~y,
          (x & 0xffff) >> 3 ^ y | 1};
      for (int j = 0; j < expected.length; j++) {
        assertEquals((short) expected[j], found[8 * i + j], x + " " + y + " " + j);
      }
    }
  }

  static Stream<Arguments> races() {
    String block = "race in global memory within a block";
    String shared = "race in shared memory";
    return Stream.of(
        races("same_half_bf16", 1, block), races("same_half_of_blocks_bf16", 64, "race between blocks"),
        races("neighbor_half_bf16", 1, block), races("half_of_word_bf16", 1, block), races("half_of_4_bf16", 1, block),
        races("same_half_shared_bf16", 1, shared), races("neighbor_half_shared_bf16", 1, shared),
        races("half_of_word_shared_bf16", 1, shared), races("overwritten_word_shared_bf16", 1, shared)).flatMap(race -> race);
  }

  private static Stream<Arguments> races(String kernel, int blocks, String diagnosis) {
    return Stream.of(Order.values()).map(order -> Arguments.of(kernel, blocks, diagnosis, order));
  }

  /** Each failure ends the context, so that there is one in a test. */
  @ParameterizedTest
  @MethodSource("races")
  void raceIsFound(String kernel, int blocks, String diagnosis, Order order) {
    HostDevice.order(order, 5);
    launch(kernel, blocks, 64 / blocks, upload(new float[64]));
    fails("LAUNCH_FAILED", diagnosis, this::synchronize);
    assertTrue(HostDevice.diagnosis().matches("(?s).*PTX line \\d+ \\(broken_bf16\\.cu:\\d+\\).*"), HostDevice.diagnosis());
  }

  @Test
  void writeOfANumberTooManyIsFound() {
    launch("round_bf16", 1, 8, upload(numbers()), allocate(14), 7);
    synchronize();
    launch("round_bf16", 1, 8, upload(numbers()), allocate(14), 8);
    fails("ILLEGAL_ADDRESS", "write of 2 bytes: access at byte offset 14 of allocation", this::synchronize);
  }

  @Test
  void readOfANumberTooManyIsFound() {
    launch("widen_bf16", 1, 7, upload(new short[7]), allocate(32));
    synchronize();
    launch("widen_bf16", 1, 8, upload(new short[7]), allocate(32));
    fails("ILLEGAL_ADDRESS", "read of 2 bytes: access at byte offset 14 of allocation", this::synchronize);
  }

  @ParameterizedTest
  @CsvSource({"misaligned_bf16, misaligned read of 2 bytes", "misaligned_4_bf16, misaligned read of 8 bytes"})
  void misalignedAccessIsFound(String kernel, String diagnosis) {
    launch(kernel, 1, 1, upload(numbers()), allocate(64));
    fails("ILLEGAL_ADDRESS", diagnosis + " of global memory", this::synchronize);
  }

  /** Eight numbers, of which the first ones are written. */
  @ParameterizedTest
  @CsvSource({"widen_bf16, 1, 7", "widen_2_bf16, 2, 7", "widen_4_bf16, 4, 7", "widen_8_words_bf16, 8, 6"})
  void readOfNumbersThatNobodyWroteIsFound(String kernel, int pack, int written) {
    CUdeviceptr in = allocate(16);
    short[] values = new short[8];
    IntStream.range(0, values.length).forEach(i -> values[i] = (short) i);
    cuMemcpyHtoD(in, Pointer.to(values), (long) Bfloat16.BYTES * written);
    launch(kernel, 1, 8 / pack, in, allocate(32));
    fails("LAUNCH_FAILED", "read of global memory that was never written", this::synchronize);
  }
}
