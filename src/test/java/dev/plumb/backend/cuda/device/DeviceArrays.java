package dev.plumb.backend.cuda.device;

import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Device memory and launches for a test of kernels. Guards follow every array, and what was not written is NaN. */
public final class DeviceArrays implements AutoCloseable {
  private final Precision precision;
  private final CudaContext context = new CudaContext(0);
  private final Transfers transfers;
  private final Launches launches;
  private final List<DeviceArena> arenas = new ArrayList<>();

  public DeviceArrays(Precision precision) {
    this.precision = precision;
    transfers = new Transfers(context, precision);
    launches = new Launches(context, 16);
  }

  public int bytes() {
    return Transfers.bytesOf(precision);
  }

  public Buffer fresh(long size) {
    DeviceArena arena = new DeviceArena(context, "an array", true);
    Buffer buffer = new Buffer(arena.reserve("an array", size));
    arena.allocate();
    arenas.add(arena);
    return buffer;
  }

  public Buffer upload(double[] values) {
    Buffer buffer = fresh((long) values.length * bytes());
    transfers.upload(values, buffer.slice().pointer());
    return buffer;
  }

  public Buffer upload(int[] values) {
    Buffer buffer = fresh((long) values.length * Integer.BYTES);
    transfers.upload(values, buffer.slice().pointer());
    return buffer;
  }

  public Buffer upload(long[] values) {
    Buffer buffer = fresh((long) values.length * Long.BYTES);
    transfers.upload(values, buffer.slice().pointer());
    return buffer;
  }

  public Buffer upload(byte[] values) {
    int[] words = new int[(values.length + 3) / 4];
    for (int i = 0; i < values.length; i++) {
      words[i / 4] |= values[i] << 8 * (i % 4);
    }
    Buffer buffer = fresh((long) words.length * Integer.BYTES);
    transfers.upload(words, buffer.slice().pointer());
    return buffer;
  }

  public void launch(String kernel, Grid grid, Number... arguments) {
    String suffix = switch (precision) {
      case FP64 -> "_f64";
      case TF32 -> "_tf32";
      case BF16 -> "_bf16";
      default -> "_f32";
    };
    launchNamed(kernel + suffix, grid, arguments);
  }

  /** @param kernel with the suffix of its precision */
  public void launchNamed(String kernel, Grid grid, Number... arguments) {
    Node node = launches.bind(context.kernel(kernel), "this test", grid, arguments);
    context.call(node::name, node::enqueue);
    context.synchronize(node.name());
    arenas.forEach(arena -> arena.requireGuards(kernel));
  }

  /** Returns what is read of memory that nothing was written to. */
  public static double[] unwritten(int length) {
    double[] values = new double[length];
    Arrays.fill(values, Double.longBitsToDouble(-1));
    return values;
  }

  public double[] readDoubles(Buffer buffer, int length) {
    double[] values = new double[length];
    transfers.downloadDoubles(buffer.slice().pointer(), values);
    return values;
  }

  public double[] read(Buffer buffer, int from, int length) {
    double[] values = new double[length];
    transfers.download(buffer.slice().pointer((long) from * bytes()), values);
    return values;
  }

  /** Reads factors of products, from the first on. */
  public double[] readFactors(Buffer buffer, int length) {
    double[] values = new double[length];
    transfers.downloadFactors(buffer.slice().pointer(), values);
    return values;
  }

  public void releaseArrays() {
    context.release("releasing arrays", arenas.stream().map(DeviceArena::release).toList());
    arenas.clear();
  }

  @Override
  public void close() {
    releaseArrays();
    context.release("this test", List.of(launches::close, transfers.release(), context::close));
  }
}
