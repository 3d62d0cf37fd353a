package dev.plumb.backend.cuda.hostdevice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import java.util.Arrays;
import java.util.SplittableRandom;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The host device multiplies matrices by mma, and finds what is wrong with the kernels of broken_tf32.cu. */
class HostDeviceTf32Test extends HostDeviceFixture {
  private static final int ROWS = 16;
  private static final int COLUMNS = 8;
  private static final int TERMS = 8;

  private final SplittableRandom random = new SplittableRandom(7);

  @Override
  String moduleName() {
    return "broken_tf32";
  }

  private float[] matrix(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource
  void productsAreOfRoundedFactors(Order order) {
    HostDevice.order(order, 5);
    float[] a = matrix(ROWS * TERMS);
    float[] b = matrix(TERMS * COLUMNS);
    float[] c = matrix(ROWS * COLUMNS);
    float[] expected = new float[c.length];
    for (int i = 0; i < c.length; i++) {
      double sum = c[i];
      for (int k = 0; k < TERMS; k++) {
        sum += (double) Tf32.rounded(a[i / COLUMNS * TERMS + k]) * Tf32.rounded(b[k * COLUMNS + i % COLUMNS]);
      }
      expected[i] = (float) sum;
    }
    CUdeviceptr result = upload(c);
    launch("product_f32", 1, 32, upload(a), upload(b), result);
    synchronize();
    assertArrayEquals(expected, read(result, c.length));
  }

  /** Computes as tensor cores do. */
  @ParameterizedTest
  @EnumSource
  void sumsAreTruncatedWhereInstructionsAreApproximate(Order order) {
    HostDevice.order(order, 5);
    HostDevice.arithmetic(false, 1);
    float[] a = new float[ROWS * TERMS];
    float[] b = new float[TERMS * COLUMNS];
    Arrays.fill(a, 1);
    Arrays.fill(b, 0x1p-3f);
    float[] c = new float[ROWS * COLUMNS];
    Arrays.fill(c, Math.nextUp(0x1p24f)); // the sum with 1 is half way, and even above
    c[0] = -c[0];
    CUdeviceptr result = upload(c);
    launch("product_f32", 1, 32, upload(a), upload(b), result);
    synchronize();
    float[] truncated = c.clone();
    truncated[0] = Math.nextUp(c[0]);
    assertArrayEquals(truncated, read(result, c.length));
  }

  /** Each failure ends the context, so that there is one in a test. */
  @ParameterizedTest
  @CsvSource({
    "unrounded_f32, operand of mma that is not in TF32 format", "half_a_warp_f32, lanes that never come",
    "exited_half_f32, mma that some lanes of the warp do not reach",
  })
  void faultIsFound(String kernel, String diagnosis) {
    fails("LAUNCH_FAILED", diagnosis, () -> {
      launch(kernel, 1, 32, upload(matrix(ROWS * TERMS)), upload(matrix(TERMS * COLUMNS)), upload(matrix(ROWS * COLUMNS)));
      synchronize();
    });
    assertTrue(HostDevice.diagnosis().matches("(?s).*PTX line \\d+ \\(broken_tf32\\.cu:\\d+\\).*"), HostDevice.diagnosis());
  }
}
