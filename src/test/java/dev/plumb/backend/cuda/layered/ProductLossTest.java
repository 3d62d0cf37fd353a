package dev.plumb.backend.cuda.layered;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;

import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.DeviceArrays;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.cuda.session.ListedRows;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code product_forward_loss} against the two kernels that it replaces: the forward pass of the last layer, and the loss. */
@Tag("cuda")
class ProductLossTest {
  private static final long SEED = 20240607;
  private static final int REPLICAS = 2;
  /** n, in, out: around the tiles of 16 rows and 32 outputs; whole packs, and more terms than all warps load at once. */
  private static final int[][] SHAPES = {{1, 3, 1}, {15, 4, 2}, {16, 36, 32}, {17, 5, 31}, {33, 36, 5}, {130, 600, 10}};

  @ParameterizedTest
  @CsvSource({"FP64, FORWARD", "FP64, RANDOM", "FP32, FORWARD", "FP32, REVERSE", "TF32, FORWARD", "TF32, RANDOM"})
  void lossAndItsGradientAreThoseOfTheSeparateKernels(Precision precision, Order order) {
    CudaUnderTest.load(order);
    SplittableRandom random = new SplittableRandom(SEED);
    try (DeviceArrays device = new DeviceArrays(precision)) {
      for (Loss loss : Loss.values()) {
        for (int[] shape : SHAPES) {
          for (boolean listed : new boolean[] {false, true}) {
            for (boolean weighted : new boolean[] {false, true}) {
              compare(device, random, precision, loss, shape, listed, weighted);
              device.releaseArrays();
            }
          }
        }
      }
    }
  }

  /** A unit's outputs are not finite because its bias is not. */
  @ParameterizedTest
  @CsvSource({"NaN, 0", "NaN, 3", "Infinity, 0", "Infinity, 3", "-Infinity, 0", "-Infinity, 3"})
  void outputsThatAreNotFiniteHaveTheSameEffect(double value, int unit) {
    CudaUnderTest.load(Order.FORWARD);
    SplittableRandom random = new SplittableRandom(SEED);
    try (DeviceArrays device = new DeviceArrays(Precision.FP32)) {
      for (Loss loss : Loss.values()) {
        compare(device, random, Precision.FP32, loss, new int[] {17, 5, 7}, true, false, value, unit);
        device.releaseArrays();
      }
    }
  }

  private static void compare(
      DeviceArrays device, SplittableRandom random, Precision precision, Loss loss, int[] shape, boolean listed, boolean weighted) {
    compare(device, random, precision, loss, shape, listed, weighted, 0, -1);
  }

  /** @param unit whose bias is `value`; -1 for none */
  private static void compare(DeviceArrays device, SplittableRandom random, Precision precision, Loss loss, int[] shape,
      boolean listed, boolean weighted, double value, int unit) {
    String what = loss.key() + Arrays.toString(shape) + (listed ? ", listed" : "") + (weighted ? ", weighted" : "");
    int n = shape[0];
    int in = shape[1];
    int out = shape[2];
    boolean labels = loss == Loss.CROSS_ENTROPY;
    long a = device.upload(random(random, REPLICAS * n * in)).address();
    // W is followed by b, at a whole number of packs.
    int stride = in * out + 3 * out;
    stride += -stride & 3;
    int biases = stride - out - (-out & 3);
    double[] parameters = random(random, REPLICAS * stride);
    if (unit >= 0) {
      parameters[biases + unit] = value;
    }
    long p = device.upload(parameters).address();
    int columns = labels ? 1 : out;
    double[] targets = random(random, REPLICAS * n * columns);
    if (labels) {
      Arrays.setAll(targets, i -> random.nextInt(out));
    }
    ListedRows rows = ListedRows.of(device, random, targets, n, columns, 0, false);
    RowList list = listed ? rows.list() : new RowList(rows.list().cursor(), rows.list().steps(), 0);
    long ofTargets = labels
        ? device.upload(Arrays.stream(rows.data()).mapToInt(label -> (int) label).toArray()).address()
        : device.upload(rows.data()).address();
    double[] weights = new double[REPLICAS * n];
    Arrays.setAll(weights, i -> (float) random.nextDouble(0.5, 2));
    long ofWeights = weighted ? device.upload(weights).address() : 0;
    // The step is entry 1 of the table.
    long divisor = Double.doubleToRawLongBits(2.5 * n);
    long divisors = weighted ? device.upload(new long[] {0, 0, divisor, divisor}).address() : 0;
    double terms = labels ? n : (double) n * out;
    boolean packed = in % 4 == 0;
    Grid ofProduct = new Grid(REPLICAS * Launches.ceilDiv(n, 16), 1, 1, 256, 1);
    Buffer z = device.fresh((long) REPLICAS * n * out * device.bytes());
    Buffer delta = device.fresh((long) REPLICAS * n * out * device.bytes());
    int tiles = (int) Launches.ceilDiv(n, 16);
    Buffer partial = device.fresh((long) REPLICAS * tiles * Double.BYTES);
    long b = p + (long) biases * device.bytes();
    device.launch("product_forward_loss", ofProduct, list.cursor(), list.steps(), list.rows(), a, p, b, z.address(), n, in, out, (long) stride, packed ? 1 : 0, loss.ordinal(), labels ? 0L : ofTargets, labels ? ofTargets : 0L,
        ofWeights, divisors, terms, delta.address(), partial.address());

    Buffer expectedZ = device.fresh((long) REPLICAS * n * out * device.bytes());
    device.launch("product_forward", ofProduct, 0L, 0L, 0L, a, p, b, expectedZ.address(), expectedZ.address(), n, in, out, (long) n * in, (long) stride, Activation.LINEAR.ordinal(), packed ? 1 : 0);
    Buffer expectedDelta = device.fresh((long) REPLICAS * n * out * device.bytes());
    int blocks = LayerNodes.lossBlocks(loss, n, out);
    Buffer expectedPartial = device.fresh((long) REPLICAS * blocks * Double.BYTES);
    separateLoss(device, precision, loss, Grid.of(blocks, REPLICAS), list, expectedZ, ofTargets, ofWeights, divisors,
        expectedDelta, expectedPartial, n, out, terms);

    int size = REPLICAS * n * out;
    double rounding = precision == Precision.FP64 ? 0x1p-52 : 0x1p-23;
    assertSameBits(what + ", Z", device.read(expectedZ, 0, size), device.read(z, 0, size));
    assertClose(what + ", delta", device.read(expectedDelta, 0, size), device.read(delta, 0, size), 4 * rounding);
    assertClose(what + ", loss", sums(device.readDoubles(expectedPartial, REPLICAS * blocks)),
        sums(device.readDoubles(partial, REPLICAS * tiles)), 4 * rounding);
  }

  /** What is not finite is the same; the rest differs by rounding. */
  private static void assertClose(String what, double[] expected, double[] actual, double tolerance) {
    assertSameBits(what, notFinite(expected), notFinite(actual));
    assertRelativeToLargest(what, finite(expected), finite(actual), tolerance);
  }

  private static double[] notFinite(double[] values) {
    return Arrays.stream(values).map(value -> Double.isNaN(value) ? Double.NaN : Double.isFinite(value) ? 0 : value).toArray();
  }

  private static double[] finite(double[] values) {
    return Arrays.stream(values).map(value -> Double.isFinite(value) ? value : 0).toArray();
  }

  private static void separateLoss(DeviceArrays device, Precision precision, Loss loss, Grid grid, RowList list, Buffer z,
      long targets, long weights, long divisors, Buffer delta, Buffer partial, int n, int out, double terms) {
    String suffix = (weights != 0 ? "_weighted" : "") + (precision == Precision.FP64 ? "_f64" : "_f32");
    boolean labels = loss == Loss.CROSS_ENTROPY;
    String kernel = (labels ? "softmax_loss" : "loss_terms") + suffix;
    long nothing = 0;
    if (labels && weights != 0) {
      device.launchNamed(kernel, grid, list.cursor(), list.steps(), list.rows(), z.address(), targets, weights, divisors,
          delta.address(), partial.address(), nothing, (long) n, out, REPLICAS);
    } else if (labels) {
      device.launchNamed(kernel, grid, list.cursor(), list.steps(), list.rows(), z.address(), targets, delta.address(),
          partial.address(), nothing, (long) n, out, terms, REPLICAS);
    } else if (weights != 0) {
      device.launchNamed(kernel, grid, list.cursor(), list.steps(), list.rows(), z.address(), targets, weights, divisors,
          delta.address(), partial.address(), nothing, (long) n, out, REPLICAS, loss.ordinal());
    } else {
      device.launchNamed(kernel, grid, list.cursor(), list.steps(), list.rows(), z.address(), targets, delta.address(),
          partial.address(), nothing, (long) n, out, terms, REPLICAS, loss.ordinal());
    }
  }

  /** Returns the sum of each replica's partial sums. */
  private static double[] sums(double[] partials) {
    int blocks = partials.length / REPLICAS;
    double[] sums = new double[REPLICAS];
    for (int i = 0; i < partials.length; i++) {
      sums[i / blocks] += partials[i];
    }
    return sums;
  }

  /** From U(-1, 1), as single precision has them. */
  private static double[] random(SplittableRandom random, int length) {
    double[] values = new double[length];
    Arrays.setAll(values, i -> (float) random.nextDouble(-1, 1));
    return values;
  }
}
