package dev.plumb.backend.cuda.layered;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cpu.DoublePrecisionOracle;
import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.DeviceArrays;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.backend.cuda.hostdevice.Tf32;
import dev.plumb.backend.cuda.session.ListedRows;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The kernels of kernels/product_kernels.cuh against plain loops in double precision, for sizes around those of their tiles.
 * Whether factors are read in packs, whether rows are those of a row list and how many replicas there are must not show in a
 * single bit. For TF32 the loops get rounded factors.
 */
@Tag("cuda")
class ProductKernelsTest {
  private static final long SEED = 20240607;
  private static final int REPLICAS = 3;
  private static final int[] SIZES = {1, 2, 3, 7, 13, 31, 33, 63, 65, 127, 129, 255};
  /** n, in and out, of which in and out are whole packs in both precisions. */
  private static final int[][] PACKED_SHAPES = {{1, 4, 8}, {7, 32, 12}, {16, 64, 32}, {33, 36, 128}, {65, 20, 132}, {129, 8, 4},
      {3, 60, 4}, {18, 12, 36}, {31, 28, 8}};
  /** More terms than all warps of a block load at once. */
  private static final int[][] LONG_SHAPES = {{2, 601, 3}, {2, 3, 601}, {2, 600, 4}, {2, 4, 600}};
  private static final DoublePrecisionOracle FUNCTIONS = new DoublePrecisionOracle();
  private static final int OTHER_UNITS = 7;

  /** Returns n rows, inputs, units, and the number of an activation: every size in each place, whole packs, and more terms. */
  private static List<int[]> shapes() {
    List<int[]> sizes = new ArrayList<>();
    for (int i = 0; i < SIZES.length; i++) {
      sizes.add(new int[] {SIZES[i], SIZES[(i + 5) % SIZES.length], SIZES[(7 * i + 3) % SIZES.length]});
    }
    sizes.addAll(List.of(PACKED_SHAPES));
    sizes.addAll(List.of(LONG_SHAPES));
    List<int[]> shapes = new ArrayList<>();
    for (int[] size : sizes) {
      shapes.add(new int[] {size[0], size[1], size[2], shapes.size() % Activation.values().length});
    }
    return shapes;
  }

  private static Activation activation(int[] shape) {
    return Activation.values()[shape[3]];
  }

  /** The launch of a kernel. */
  private record Launch(boolean packed, boolean gathered, int firstReplica, int replicas) {
    @Override
    public String toString() {
      return (packed ? "packed" : "not packed") + (gathered ? ", gathered" : "") + ", replica " + firstReplica + " and "
          + (replicas - 1) + " more";
    }
  }

  /** The first one is compared with plain loops, the others with the first. */
  private static List<Launch> launches(boolean canBePacked, boolean canBeGathered) {
    List<Launch> launches = new ArrayList<>();
    for (boolean packed : canBePacked ? new boolean[] {false, true} : new boolean[] {false}) {
      launches.add(new Launch(packed, false, 0, REPLICAS));
      launches.add(new Launch(packed, false, REPLICAS - 1, 1));
      if (canBeGathered) {
        launches.add(new Launch(packed, true, 0, REPLICAS));
        launches.add(new Launch(packed, true, REPLICAS - 1, 1));
      }
    }
    return launches;
  }

  /** From U(-1, 1), as the precision has them. */
  private static double[] random(SplittableRandom random, int length, Precision precision) {
    return IntStream.range(0, length).mapToDouble(i -> random.nextDouble(-1, 1))
        .map(value -> precision == Precision.FP64 ? value : (float) value).toArray();
  }

  private static double factor(double value, Precision precision) {
    return precision == Precision.TF32 ? Tf32.rounded((float) value) : value;
  }

  /** Parameters of replicas in their padded layout; what lies between tensors is NaN, and nothing may depend on it. */
  private static double[] parameters(SplittableRandom random, PaddedLayout layout, NetworkSpec network, Precision precision) {
    double[] all = new double[(int) layout.size() * REPLICAS];
    Arrays.fill(all, Double.NaN);
    for (int replica = 0; replica < REPLICAS; replica++) {
      for (int layer = 0; layer < network.layerCount(); layer++) {
        int weights = network.layer(layer).in() * network.layer(layer).out();
        int at = (int) layout.size() * replica;
        System.arraycopy(random(random, weights, precision), 0, all, at + (int) layout.weight(layer), weights);
        int units = network.layer(layer).out();
        System.arraycopy(random(random, units, precision), 0, all, at + (int) layout.bias(layer), units);
      }
    }
    return all;
  }

  /**
   * About four times the largest error observed on the host device, 8.4e-15 and 1.3e-6, where a single result is a sum that
   * cancels. How tensor cores round sums is not specified.
   */
  private static double tolerance(Precision precision) {
    return switch (precision) {
      case FP64 -> 3.5e-14;
      case TF32 -> 2e-5;
      default -> 5e-6;
    };
  }

  private static boolean isWhole(Precision precision, int... sizes) {
    int pack = Matrix.PACK_BYTES / Transfers.bytesOf(precision);
    return Arrays.stream(sizes).allMatch(size -> size % pack == 0);
  }

  private static Grid grid(int n, int columns, Launch launch) {
    return new Grid(launch.replicas() * Launches.ceilDiv(n, 16) * Launches.ceilDiv(columns, 32), 1, 1, 256, 1);
  }

  @ParameterizedTest
  @CsvSource({"FP64, FORWARD", "FP64, REVERSE", "FP32, FORWARD", "FP32, RANDOM", "TF32, FORWARD", "TF32, RANDOM"})
  void forwardIsProductBiasAndActivation(Precision precision, Order order) {
    CudaUnderTest.load(order);
    SplittableRandom random = new SplittableRandom(SEED);
    int packedLaunches = 0;
    try (DeviceArrays device = new DeviceArrays(precision)) {
      for (int[] shape : shapes()) {
        int n = shape[0];
        int in = shape[1];
        int out = shape[2];
        NetworkSpec network = NetworkSpec.of(activation(shape), in, out);
        PaddedLayout layout = new PaddedLayout(network, precision);
        boolean shared = n % 4 == 3;
        double[] a = random(random, (shared ? 1 : REPLICAS) * n * in, precision);
        double[] p = parameters(random, layout, network, precision);
        double[] expectedZ = new double[REPLICAS * n * out];
        Arrays.setAll(expectedZ, i -> {
          int replica = i / (n * out);
          int row = i / out % n;
          int base = replica * (int) layout.size();
          double sum = p[base + (int) layout.bias(0) + i % out];
          for (int k = 0; k < in; k++) {
            sum += factor(a[((shared ? 0 : replica) * n + row) * in + k], precision) * factor(p[base + i % out * in + k], precision);
          }
          return sum;
        });
        Buffer ofA = device.upload(a);
        Buffer ofP = device.upload(p);
        double[] z = null;
        double[] activated = null;
        for (Launch launch : launches(isWhole(precision, in), true)) {
          String what = Arrays.toString(shape) + ", " + launch + ": ";
          Buffer ofZ = device.fresh((long) launch.replicas() * n * out * device.bytes());
          Buffer ofActivated = device.fresh((long) launch.replicas() * n * out * device.bytes());
          long aStride = shared || launch.gathered() ? 0 : (long) n * in;
          ListedRows rows = ListedRows.of(device, random, a, n, in, launch.firstReplica(), false);
          RowList list = launch.gathered() ? rows.list() : RowList.NONE;
          Buffer factor = launch.gathered() ? device.upload(rows.data()) : ofA;
          long parameters = ofP.address() + launch.firstReplica() * layout.size() * device.bytes();
          device.launch("product_forward", grid(n, out, launch), list.cursor(), list.steps(), list.rows(),
              factor.address() + launch.firstReplica() * aStride * device.bytes(), parameters + layout.weight(0) * device.bytes(),
              parameters + layout.bias(0) * device.bytes(), ofZ.address(),
              ofActivated.address(), n, in, out, aStride, layout.size(), activation(shape).ordinal(),
              launch.packed() ? 1 : 0);
          double[] newZ = device.read(ofZ, 0, launch.replicas() * n * out);
          double[] newActivated = device.read(ofActivated, 0, launch.replicas() * n * out);
          if (z == null) {
            z = newZ;
            activated = newActivated;
            assertRelativeToLargest(what + "Z", expectedZ, z, tolerance(precision));
            double[] expectedA = Arrays.stream(expectedZ).map(value -> FUNCTIONS.value(activation(shape), value).doubleValue()).toArray();
            assertRelativeToLargest(what + "A", expectedA, activated, tolerance(precision));
          } else {
            assertSameBits(what + "Z", ofReplicas(z, launch), newZ);
            assertSameBits(what + "A", ofReplicas(activated, launch), newActivated);
          }
          packedLaunches += launch.packed() ? 1 : 0;
        }
        device.releaseArrays();
      }
    }
    assertTrue(packedLaunches >= 2 * PACKED_SHAPES.length);
  }

  /** Returns the expected results of a launch for some replicas, from all replicas' values. */
  private static double[] ofReplicas(double[] all, Launch launch) {
    int size = all.length / REPLICAS;
    return Arrays.copyOfRange(all, launch.firstReplica() * size, (launch.firstReplica() + launch.replicas()) * size);
  }

  @ParameterizedTest
  @CsvSource({"FP64, FORWARD", "FP64, REVERSE", "FP32, FORWARD", "FP32, RANDOM", "TF32, FORWARD", "TF32, RANDOM"})
  void inputGradientIsProductDropoutAndDerivative(Precision precision, Order order) {
    CudaUnderTest.load(order);
    SplittableRandom random = new SplittableRandom(SEED);
    int dropped = 0;
    try (DeviceArrays device = new DeviceArrays(precision)) {
      for (int[] shape : shapes()) {
        int n = shape[0];
        int in = shape[1];
        int out = shape[2];
        NetworkSpec network = NetworkSpec.of(activation(shape), in, out);
        PaddedLayout layout = new PaddedLayout(network, precision);
        double[] delta = random(random, REPLICAS * n * out, precision);
        double[] p = parameters(random, layout, network, precision);
        double[] z = random(random, REPLICAS * n * in, precision);
        byte[] kept = null;
        if (n % 4 != 3) {
          kept = new byte[REPLICAS * n * in];
          for (int i = 0; i < kept.length; i++) {
            kept[i] = (byte) random.nextInt(2);
            dropped += 1 - kept[i];
          }
        }
        byte[] mask = kept;
        double scale = precision == Precision.FP64 ? 1 / 0.7 : (float) (1 / 0.7);
        double[] expected = new double[REPLICAS * n * in];
        Arrays.setAll(expected, i -> {
          int replica = i / (n * in);
          int row = i / in % n;
          double sum = 0;
          for (int k = 0; k < out; k++) {
            sum += factor(delta[(replica * n + row) * out + k], precision)
                * factor(p[replica * (int) layout.size() + k * in + i % in], precision);
          }
          return sum * (mask == null ? 1 : mask[i] * scale) * FUNCTIONS.derivative(activation(shape), z[i]).doubleValue();
        });
        Buffer ofDelta = device.upload(delta);
        Buffer ofP = device.upload(p);
        Buffer ofZ = device.upload(z);
        Buffer ofKept = kept == null ? null : device.upload(kept);
        double[] below = null;
        for (Launch launch : launches(isWhole(precision, in, out), false)) {
          String what = Arrays.toString(shape) + ", " + launch;
          Buffer ofBelow = device.fresh((long) launch.replicas() * n * in * device.bytes());
          long first = launch.firstReplica();
          device.launch("product_input_gradient", grid(n, in, launch), ofDelta.address() + first * n * out * device.bytes(),
              ofP.address() + first * layout.size() * device.bytes(), ofZ.address() + first * n * in * device.bytes(),
              kept == null ? 0L : ofKept.address() + first * n * in, ofBelow.address(), n, in, out, layout.size(),
              activation(shape).ordinal(), 1 / 0.7, launch.packed() ? 1 : 0);
          double[] actual = device.read(ofBelow, 0, launch.replicas() * n * in);
          if (below == null) {
            below = actual;
            assertRelativeToLargest(what, expected, actual, tolerance(precision));
          } else {
            assertSameBits(what, ofReplicas(below, launch), actual);
          }
        }
        device.releaseArrays();
      }
    }
    assertTrue(dropped > 1000);
  }

  /** The weight gradients of two layers in one launch. */
  @ParameterizedTest
  @CsvSource({"FP64, FORWARD", "FP64, REVERSE", "FP32, FORWARD", "FP32, RANDOM", "TF32, FORWARD", "TF32, RANDOM"})
  void weightGradientsAreProductsAndSumsOfRows(Precision precision, Order order) {
    CudaUnderTest.load(order);
    SplittableRandom random = new SplittableRandom(SEED);
    try (DeviceArrays device = new DeviceArrays(precision)) {
      for (int[] shape : shapes()) {
        int n = shape[0];
        NetworkSpec network = NetworkSpec.of(activation(shape), shape[1], shape[2], OTHER_UNITS);
        PaddedLayout layout = new PaddedLayout(network, precision);
        boolean shared = n % 4 == 3;
        List<double[]> deltas = new ArrayList<>();
        List<double[]> inputs = new ArrayList<>();
        List<Buffer> ofDeltas = new ArrayList<>();
        List<Buffer> ofInputs = new ArrayList<>();
        for (int layer = 0; layer < 2; layer++) {
          deltas.add(random(random, REPLICAS * n * network.layer(layer).out(), precision));
          inputs.add(random(random, (shared && layer == 0 ? 1 : REPLICAS) * n * network.layer(layer).in(), precision));
          ofDeltas.add(device.upload(deltas.get(layer)));
          ofInputs.add(device.upload(inputs.get(layer)));
        }
        double[] expected = gradients(network, layout, n, shared, deltas, inputs, precision);
        double[] gradients = null;
        double[] squares = null;
        int tiles = ProductTable.tiles(network);
        for (Launch launch : launches(isWhole(precision, shape[1], shape[2]), true)) {
          String what = Arrays.toString(shape) + ", " + launch;
          // Norms are wanted in every step, or by the step.
          boolean norms = n % 2 == 0;
          ListedRows rows =
              ListedRows.of(device, random, inputs.get(0), n, network.inputs(), launch.firstReplica(), norms);
          RowList list = launch.gathered() ? rows.list() : RowList.NONE;
          ProductTable table = new ProductTable(network, precision);
          for (int layer = 0; layer < 2; layer++) {
            boolean isData = layer == 0 && launch.gathered();
            table.add(matrix(ofDeltas.get(layer), n, network.layer(layer).out(), launch, false, precision),
                matrix(isData ? device.upload(rows.data()) : ofInputs.get(layer), n, network.layer(layer).in(), launch,
                    layer == 0 && (shared || isData), precision));
          }
          long[] words = table.words();
          assertEquals(isWhole(precision, shape[1], shape[2]), words[6] >>> 32 == 1, "packed, " + what);
          if (!launch.packed()) {
            words[6] &= 0xFFFF_FFFFL;
          }
          Buffer ofGradients = device.fresh(launch.replicas() * layout.size() * device.bytes());
          Buffer ofSquares = device.fresh((long) launch.replicas() * tiles * Double.BYTES);
          device.launch("product_weight_gradients", new Grid((long) launch.replicas() * tiles, 1, 1, 64, 1), list.cursor(),
              list.steps(), list.rows(), device.upload(words).address(), 2, tiles, ofGradients.address(), ofSquares.address(), n,
              layout.size(), launch.gathered() ? 0 : 1);
          double[] newSquares = device.readDoubles(ofSquares, launch.replicas() * tiles);
          double[] actual = device.read(ofGradients, 0, launch.replicas() * (int) layout.size());
          if (gradients == null) {
            gradients = actual;
            squares = newSquares;
            assertGradients(what, layout, network, expected, actual, tolerance(precision));
            assertSquares(what, layout, network, actual, newSquares);
          } else {
            assertSameBits(what + ", squares", norms || !launch.gathered() ? ofReplicas(squares, launch)
                : DeviceArrays.unwritten(newSquares.length), newSquares);
            assertSameBits(what, withoutNaN(ofReplicas(gradients, launch)), withoutNaN(actual));
          }
        }
        device.releaseArrays();
      }
    }
  }

  /** The tiles of a tensor, together, have the sum of the squares of its gradient. */
  private static void assertSquares(String what, PaddedLayout layout, NetworkSpec network, double[] gradients, double[] squares) {
    int[] firstTiles = ProductTable.firstTiles(network);
    int tiles = ProductTable.tiles(network);
    for (int i = 0; i < REPLICAS * 2 * network.layerCount(); i++) {
      int replica = i / (2 * network.layerCount());
      int tensor = i % (2 * network.layerCount());
      int units = network.layer(tensor / 2).out();
      int from = replica * (int) layout.size() + (int) layout.offset(tensor);
      int size = tensor % 2 == 0 ? units * network.layer(tensor / 2).in() : units;
      double expected = Arrays.stream(gradients, from, from + size).map(g -> g * g).sum();
      double actual = Arrays.stream(squares, replica * tiles + firstTiles[tensor], replica * tiles + firstTiles[tensor + 1]).sum();
      assertRelativeToLargest(what + ", squares of tensor " + tensor, new double[] {expected}, new double[] {actual}, 1e-13);
    }
  }

  private static Matrix matrix(Buffer buffer, int n, int columns, Launch launch, boolean shared, Precision precision) {
    long stride = shared ? 0 : (long) n * columns;
    return new Matrix(buffer.slice(), launch.firstReplica() * stride * Transfers.bytesOf(precision), stride);
  }

  /** Returns the gradients of all replicas in their layout, with NaN between tensors. */
  private static double[] gradients(
      NetworkSpec network, PaddedLayout layout, int n, boolean shared, List<double[]> deltas, List<double[]> inputs,
      Precision precision) {
    double[] all = new double[REPLICAS * (int) layout.size()];
    Arrays.fill(all, Double.NaN);
    for (int replica = 0; replica < REPLICAS; replica++) {
      for (int layer = 0; layer < network.layerCount(); layer++) {
        int in = network.layer(layer).in();
        int out = network.layer(layer).out();
        int base = replica * (int) layout.size();
        for (int unit = 0; unit < out; unit++) {
          double bias = 0;
          double[] weights = new double[in];
          for (int row = 0; row < n; row++) {
            double d = deltas.get(layer)[(replica * n + row) * out + unit];
            bias += d;
            for (int k = 0; k < in; k++) {
              weights[k] += factor(d, precision)
                  * factor(inputs.get(layer)[((shared && layer == 0 ? 0 : replica) * n + row) * in + k], precision);
            }
          }
          System.arraycopy(weights, 0, all, base + (int) layout.weight(layer) + unit * in, in);
          all[base + (int) layout.bias(layer) + unit] = bias;
        }
      }
    }
    return all;
  }

  /** Padding keeps what was there. */
  private static void assertGradients(
      String what, PaddedLayout layout, NetworkSpec network, double[] expected, double[] actual, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Double.isNaN(expected[i]), Double.isNaN(actual[i]), what + ": element " + i);
    }
    assertRelativeToLargest(what, withoutNaN(expected), withoutNaN(actual), tolerance);
  }

  private static double[] withoutNaN(double[] values) {
    return Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
  }
}
