package dev.plumb.backend.cuda.layered;

import static dev.plumb.golden.Close.assertSameBits;

import dev.plumb.backend.cuda.CudaUnderTest;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.DeviceArrays;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Axis;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.model.Activation;
import dev.plumb.model.Bfloat16;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernels of kernels/bf16.cu against those of single precision, of which they are the same code: all single-precision results
 * have the same bits, and what they store in bfloat16 is those results rounded, in rows with the pitch of {@link FactorFormat}.
 */
@Tag("cuda")
class Bf16KernelsTest {
  private static final long SEED = 20240607;
  private static final int REPLICAS = 3;
  private static final int BATCH = 5;
  /** A thread of the backward kernel has several rows of each segment, and loads four of them at once. */
  private static final int ROWS = 203;
  private static final int SEGMENTS = 2;
  private static final int[] UNITS = {1, 7, 8, 13, 33};
  private static final double SCALE = 1.25;
  /** Ties of either direction, numbers next to them, and the limits of the format. */
  private static final float[] SPECIAL = {
    1.00390625f, 1.01171875f, Math.nextUp(1.00390625f), Math.nextDown(1.01171875f), -1.00390625f, 0f, -0f, Float.MIN_VALUE,
    0x1p-134f, 0x1.8p-133f, Float.MIN_NORMAL, Bfloat16.MAX_VALUE, 0x1.FEp127f + 0x1p119f, Float.MAX_VALUE, -Float.MAX_VALUE,
    Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, Float.intBitsToFloat(0x7F80_0001), Float.intBitsToFloat(0x7FFF_FFFF),
  };

  /** Results of one precision by name, of which those in bfloat16 are without padding. */
  private record Results(List<String> names, List<double[]> values) {
    void add(String name, double[] result) {
      names.add(name);
      values.add(result);
    }
  }

  private interface Kernel {
    /** Runs a kernel of the device's precision; a number of bfloat16 is stored with {@link #pitch}. */
    void run(DeviceArrays device, boolean rounded, Results results);
  }

  /** Compares the results of a kernel in both precisions; those named "rounded" are rounded in single precision first. */
  private static void compare(String what, Kernel kernel) {
    Results single = new Results(new ArrayList<>(), new ArrayList<>());
    Results rounded = new Results(new ArrayList<>(), new ArrayList<>());
    try (DeviceArrays device = new DeviceArrays(Precision.FP32)) {
      kernel.run(device, false, single);
    }
    try (DeviceArrays device = new DeviceArrays(Precision.BF16)) {
      kernel.run(device, true, rounded);
    }
    for (int i = 0; i < single.names().size(); i++) {
      String name = single.names().get(i);
      double[] expected = single.values().get(i);
      assertSameBits(what + ", " + name, name.startsWith("rounded") ? rounded(expected) : expected, rounded.values().get(i));
    }
  }

  private static double[] rounded(double[] values) {
    return Arrays.stream(values).map(Bfloat16::rounded).toArray();
  }

  private static int pitch(boolean rounded, int units) {
    return rounded ? FactorFormat.BFLOAT16.pitch(units) : units;
  }

  /** Returns rows with a pitch, and padding that is 0. */
  private static double[] padded(double[] values, int units, int pitch) {
    double[] padded = new double[values.length / units * pitch];
    for (int i = 0; i < values.length; i++) {
      padded[i / units * pitch + i % units] = values[i];
    }
    return padded;
  }

  private static double[] unpadded(double[] values, int units, int pitch) {
    double[] rows = new double[values.length / pitch * units];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = values[i / units * pitch + i % units];
    }
    return rows;
  }

  /** From U(-3, 3), in single precision. */
  private static double[] random(SplittableRandom random, int length) {
    double[] values = new double[length];
    Arrays.setAll(values, i -> (float) random.nextDouble(-3, 3));
    return values;
  }

  /** Random numbers of which the first are special ones; those of the bias must then be -0, which changes no sum. */
  private static double[] special(SplittableRandom random, int length) {
    double[] values = random(random, length);
    for (int i = 0; i < Math.min(length, SPECIAL.length); i++) {
      values[i] = SPECIAL[i];
    }
    return values;
  }

  private static double[] negativeZeros(int length) {
    double[] zeros = new double[length];
    Arrays.fill(zeros, -0.0);
    return zeros;
  }

  private static Buffer freshFactors(DeviceArrays device, boolean rounded, int length) {
    return device.fresh((long) length * (rounded ? Bfloat16.BYTES : Float.BYTES));
  }

  @ParameterizedTest
  @MethodSource(CudaUnderTest.ORDERS)
  void activationsAreRounded(Order order) {
    CudaUnderTest.load(order);
    for (Activation activation : Activation.values()) {
      for (int units : UNITS) {
        SplittableRandom random = new SplittableRandom(SEED + units);
        boolean plain = activation == Activation.LINEAR;
        double[] z = plain ? special(random, REPLICAS * BATCH * units) : random(random, REPLICAS * BATCH * units);
        double[] bias = plain ? negativeZeros(REPLICAS * units) : random(random, REPLICAS * units);
        compare(activation + ", " + units + " units", (device, rounded, results) -> {
          int pitch = pitch(rounded, units);
          int biasPitch = FactorFormat.BFLOAT16.pitch(units);
          Buffer a = freshFactors(device, rounded, REPLICAS * BATCH * pitch);
          Buffer used = device.fresh((long) REPLICAS * pitch * Float.BYTES);
          long ofZ = device.upload(padded(z, units, pitch)).address();
          long ofBias = device.upload(padded(bias, units, biasPitch)).address();
          if (rounded) {
            device.launch("bias_activation", Grid.ofElements((long) BATCH * pitch / 4, REPLICAS), ofZ, a.address(), ofBias,
                used.address(), BATCH, pitch, (long) biasPitch, REPLICAS, activation.ordinal());
          } else {
            device.launch("bias_activation", Grid.ofElements((long) BATCH * units, REPLICAS), ofZ, a.address(), ofBias,
                used.address(), BATCH, units, (long) biasPitch, REPLICAS, activation.ordinal(), 0);
          }
          results.add("rounded A", unpadded(device.readFactors(a, REPLICAS * BATCH * pitch), units, pitch));
          results.add("used bias", unpadded(device.read(used, 0, REPLICAS * pitch), units, pitch));
        });
      }
    }
  }

  @ParameterizedTest
  @MethodSource(CudaUnderTest.ORDERS)
  void activationsWithDropoutAreRounded(Order order) {
    CudaUnderTest.load(order);
    for (Activation activation : Activation.values()) {
      for (int units : UNITS) {
        SplittableRandom random = new SplittableRandom(SEED + units);
        double[] z = random(random, REPLICAS * BATCH * units);
        double[] bias = random(random, REPLICAS * units);
        compare(activation + ", " + units + " units", (device, rounded, results) -> {
          int pitch = pitch(rounded, units);
          Buffer a = freshFactors(device, rounded, REPLICAS * BATCH * pitch);
          Buffer used = device.fresh((long) REPLICAS * pitch * Float.BYTES);
          Buffer kept = device.fresh((long) REPLICAS * BATCH * units + 8);
          List<Number> arguments = new ArrayList<>(List.of(device.upload(new int[] {0, 1}).address(),
              device.upload(new long[] {3, 0, 0, 0, 0, 0}).address(), device.upload(padded(z, units, pitch)).address(), a.address(),
              kept.address(), device.upload(bias).address(), used.address(), BATCH, units));
          if (rounded) {
            arguments.add(pitch);
          }
          arguments.addAll(List.of((long) units, REPLICAS, activation.ordinal(), 2, 17L, 1L << 30, SCALE));
          device.launch("bias_activation_dropout", Grid.ofElements(Launches.ceilDiv(BATCH * units, 4), REPLICAS),
              arguments.toArray(Number[]::new));
          results.add("rounded A", unpadded(device.readFactors(a, REPLICAS * BATCH * pitch), units, pitch));
          results.add("used bias", unpadded(device.read(used, 0, REPLICAS * pitch), units, pitch));
        });
      }
    }
  }

  /** The last layer's rows have no pitch, its activation is linear, and it has no dropout. */
  @ParameterizedTest
  @MethodSource(CudaUnderTest.ORDERS)
  void deltasAreRoundedAndSumsOfThemAreNot(Order order) {
    CudaUnderTest.load(order);
    for (Activation activation : Activation.values()) {
      for (int units : UNITS) {
        for (boolean last : activation == Activation.LINEAR ? new boolean[] {false, true} : new boolean[] {false}) {
          SplittableRandom random = new SplittableRandom(SEED + units);
          double[] incoming = last ? special(random, REPLICAS * ROWS * units) : random(random, REPLICAS * ROWS * units);
          double[] z = random(random, REPLICAS * ROWS * units);
          double[] bias = random(random, REPLICAS * units);
          byte[] kept = new byte[REPLICAS * ROWS * units];
          for (int i = 0; i < kept.length; i++) {
            kept[i] = (byte) random.nextInt(2);
          }
          // Two numbers of bfloat16 are uploaded as one of single precision.
          double[] a = pairs(padded(relu(z, bias, units), units, FactorFormat.BFLOAT16.pitch(units)));
          compare(activation + ", " + units + " units", (device, rounded, results) -> {
            int pitch = pitch(rounded && !last, units);
            int deltaPitch = pitch(rounded, units);
            Buffer ofIncoming = device.upload(padded(incoming, units, pitch));
            Buffer delta = rounded ? freshFactors(device, true, REPLICAS * ROWS * deltaPitch) : ofIncoming;
            Buffer sums = device.fresh((long) REPLICAS * SEGMENTS * units * Float.BYTES);
            List<Number> arguments = new ArrayList<>(List.of(delta.address(), device.upload(padded(z, units, pitch)).address(),
                device.upload(bias).address(), last ? 0L : device.upload(kept).address(), sums.address(), (long) ROWS, units));
            if (rounded) {
              arguments.add(0, ofIncoming.address());
              arguments.add(3, device.upload(activation == Activation.RELU ? a : DeviceArrays.unwritten(a.length)).address());
              arguments.addAll(List.of(pitch, deltaPitch));
            }
            arguments.addAll(List.of(Launches.ceilDiv(ROWS, SEGMENTS), (long) units, (long) SEGMENTS * units, REPLICAS,
                activation.ordinal(), last ? 1.0 : SCALE));
            device.launch("activation_backward", new Grid(Launches.ceilDiv(units, 32), SEGMENTS, REPLICAS, 32, 16, 0, Set.of(Axis.Z)),
                arguments.toArray(Number[]::new));
            results.add("rounded delta", unpadded(device.readFactors(delta, REPLICAS * ROWS * deltaPitch), units, deltaPitch));
            results.add("sums", device.read(sums, 0, REPLICAS * SEGMENTS * units));
          });
        }
      }
    }
  }

  private static double[] relu(double[] z, double[] bias, int units) {
    double[] a = new double[z.length];
    Arrays.setAll(a, i -> Math.max((float) z[i] + (float) bias[i / units / ROWS * units + i % units], 0));
    return a;
  }

  /** Returns numbers of single precision with the bits of two numbers of bfloat16 each. */
  private static double[] pairs(double[] values) {
    double[] pairs = new double[values.length / 2];
    Arrays.setAll(pairs, i -> Float.intBitsToFloat(
        Bfloat16.bits((float) values[2 * i]) & 0xFFFF | Bfloat16.bits((float) values[2 * i + 1]) << 16));
    return pairs;
  }

  /**
   * The parameters themselves are not rounded, and the copy is rounded from them after the update. A compiler may contract the
   * products and sums of both kernels differently, which the other orders imitate.
   */
  @ParameterizedTest
  @MethodSource(CudaUnderTest.ORDERS)
  void updatesRoundACopyOfTheParameters(Order order) {
    CudaUnderTest.load(order);
    int size = 328;
    for (String optimizer : List.of("sgd", "momentum", "adam", "rmsprop")) {
      Kernel kernel = (device, rounded, results) -> {
        SplittableRandom random = new SplittableRandom(SEED);
        double[] initial = random(random, REPLICAS * size);
        // Where the gradient and the moments are 0, sgd keeps the special numbers.
        double[] gradient = random(random, REPLICAS * size);
        System.arraycopy(special(random, 64), 0, initial, 0, 64);
        Arrays.fill(gradient, 0, 64, 0);
        Buffer p = device.upload(initial);
        Buffer m = device.upload(new double[REPLICAS * size]);
        Buffer v = device.upload(new double[REPLICAS * size]);
        Buffer factors = device.fresh((long) REPLICAS * size * Bfloat16.BYTES);
        List<Number> arguments = arguments(device, optimizer, size, p, device.upload(gradient), m, v);
        if (rounded) {
          arguments.add(factors.address());
        }
        device.launch("update_" + optimizer.replace("momentum", "sgd"), Grid.ofElements(size, REPLICAS),
            arguments.toArray(Number[]::new));
        results.add("parameters", device.read(p, 0, REPLICAS * size));
        results.add("first moments", device.read(m, 0, REPLICAS * size));
        results.add("second moments", device.read(v, 0, REPLICAS * size));
        if (rounded) {
          assertSameBits(optimizer + ", copy", rounded(results.values().get(0)), device.readFactors(factors, REPLICAS * size));
        }
      };
      if (order == Order.FORWARD) {
        compare(optimizer, kernel);
      } else {
        try (DeviceArrays device = new DeviceArrays(Precision.BF16)) {
          kernel.run(device, true, new Results(new ArrayList<>(), new ArrayList<>()));
        }
      }
    }
  }

  private static List<Number> arguments(DeviceArrays device, String optimizer, long size, Buffer p, Buffer g, Buffer m, Buffer v) {
    long rate = Double.doubleToRawLongBits(0.01);
    long one = Double.doubleToRawLongBits(1);
    List<Number> arguments = new ArrayList<>(List.of(device.upload(new int[] {0, 1}).address(),
        device.upload(new long[] {rate, rate, rate}).address(), device.upload(new long[] {one, one, one}).address(),
        device.upload(new int[REPLICAS]).address(), p.address(), g.address()));
    switch (optimizer) {
      case "adam" -> {
        arguments.add(1, device.upload(new long[] {0, one, one, 0, 0, 0}).address());
        arguments.addAll(List.of(m.address(), v.address(), size, REPLICAS, 0.9, 0.999, 1e-8, 0.01, 1));
      }
      case "rmsprop" -> arguments.addAll(List.of(v.address(), size, REPLICAS, 0.99, 1e-8, 0.0));
      case "momentum" -> arguments.addAll(List.of(m.address(), size, REPLICAS, 0.9, 1, 0.01));
      default -> arguments.addAll(List.of(0L, size, REPLICAS, 0.0, 0, 0.0));
    }
    return arguments;
  }
}
