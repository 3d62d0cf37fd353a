package dev.plumb.backend.cuda.device;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.model.Activation;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Kernels by themselves, with grids that a session has only for more replicas than a grid has blocks. */
@Tag("cuda")
@Tag("host-device")
class KernelsTest {
  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  /** One block goes through several replicas, and its shared memory serves one after the other. */
  @ParameterizedTest
  @EnumSource(Order.class)
  void blockSumsReplicaAfterReplica(Order order) {
    int replicas = 5;
    int batch = 21;
    int units = 33;
    HostDevice.order(order, 7);
    double[] delta = new double[replicas * batch * units];
    Arrays.setAll(delta, i -> Math.sin(i));
    double[] z = new double[delta.length];
    Arrays.setAll(z, i -> Math.cos(3 * i));
    double[] bias = new double[replicas * units];
    Arrays.setAll(bias, i -> Math.sin(5 * i));
    double[] expected = new double[replicas * units];
    for (int i = 0; i < delta.length; i++) {
      double t = Math.tanh(z[i] + bias[i / (batch * units) * units + i % units]);
      expected[i / (batch * units) * units + i % units] += delta[i] * (1 - t * t);
    }
    try (CudaContext context = new CudaContext(0)) {
      Transfers transfers = new Transfers(context, Precision.FP64);
      DeviceArena arena = new DeviceArena(context, "this test", true);
      Buffer deltas = new Buffer(arena.reserve("delta", 8L * delta.length));
      Buffer zs = new Buffer(arena.reserve("Z", 8L * z.length));
      Buffer biases = new Buffer(arena.reserve("b", 8L * bias.length));
      Buffer sums = new Buffer(arena.reserve("sums", 8L * expected.length));
      arena.allocate();
      Launches launches = new Launches(context, 1);
      transfers.upload(delta, deltas.slice().pointer());
      transfers.upload(z, zs.slice().pointer());
      transfers.upload(bias, biases.slice().pointer());
      launches.bind(context.kernel("activation_backward_f64"), "two tiles of units", new Grid(2, 1, 1, 32, 16),
          deltas.address(), zs.address(), biases.address(), 0L, sums.address(), (long) batch, units, (long) batch, (long) units,
          (long) units, replicas, Activation.TANH.ordinal(), 1.0).enqueue();
      double[] actual = new double[expected.length];
      transfers.download(sums.slice().pointer(), actual);
      arena.requireGuards("activation_backward");
      assertRelativeToLargest("sums", expected, actual, 1e-14);
      launches.close();
      context.release("this test", List.of(arena.release(), transfers.release()));
    }
  }

  @Test
  void launchWithOtherParametersThanThePtxDeclaresIsRefused() {
    try (CudaContext context = new CudaContext(0); Launches launches = new Launches(context, 1)) {
      CudaKernels.Kernel kernel = context.kernel("sum_segments_f32");
      Grid grid = Grid.of(1, 1);
      assertThrows(IllegalArgumentException.class, () -> launches.bind(kernel, "one too few", grid, 0L, 0L, 1, 1, 1L));
      assertThrows(IllegalArgumentException.class, () -> launches.bind(kernel, "one too many", grid, 0L, 0L, 1, 1, 1L, 1, 1));
      String wrong = assertThrows(IllegalArgumentException.class,
          () -> launches.bind(kernel, "an int for a long", grid, 0L, 0L, 1, 1, 1, 1)).getMessage();
      assertTrue(wrong.startsWith("kernel sum_segments_f32 takes parameters of [8, 8, 4, 4, 8, 4] bytes, not [0, 0, 1"), wrong);
      assertThrows(IllegalArgumentException.class, () -> context.kernel("nothing_f32"));
    }
  }
}
