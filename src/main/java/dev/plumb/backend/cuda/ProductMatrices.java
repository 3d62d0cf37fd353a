package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;

import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.backend.cuda.session.BoundData;
import dev.plumb.backend.cuda.session.PaddedLayout;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdeviceptr;

/** Device memory for the matrix products of a step, in the formats of a training. */
final class ProductMatrices {
  /** A slice and its size. */
  private record Sized(Slice slice, long bytes) {}

  private final CudaContext context;
  private final NetworkSpec network;
  private final Precision precision;
  private final FactorFormat format;
  private final PaddedLayout layout;
  private final boolean guards;
  private final DeviceArena arena;
  private final List<Sized> factors = new ArrayList<>();
  private final List<Sized> results = new ArrayList<>();
  private final Slice x;
  private final Slice weights;
  private final Slice gradients;
  private final List<Slice> z = new ArrayList<>();
  private final List<Slice> a = new ArrayList<>();
  private final List<Slice> delta = new ArrayList<>();
  /** dLoss/dA of one layer after the other; null unless factors are rounded: then delta receives it. */
  private final Slice incoming;

  /** Allocates the memory. */
  ProductMatrices(CudaContext context, NetworkSpec network, Precision precision, int batch, boolean guards) {
    this.context = context;
    this.network = network;
    this.precision = precision;
    this.guards = guards;
    format = FactorFormat.of(precision);
    layout = new PaddedLayout(network, precision);
    arena = new DeviceArena(context, "products of " + network.shape(), guards);
    x = factor("X", BoundData.bytesOfRow(network.inputs(), precision) * batch);
    weights = factor("parameters", layout.size() * format.bytes(precision));
    gradients = result("gradients", layout.size());
    long widest = 0;
    for (int layer = 0; layer < network.layerCount(); layer++) {
      long size = (long) batch * format.pitch(network.layer(layer).out());
      z.add(result("Z of layer " + layer, (long) batch * pitch(layer)));
      a.add(factor("A of layer " + layer, size * format.bytes(precision)));
      delta.add(factor("delta of layer " + layer, size * format.bytes(precision)));
      widest = Math.max(widest, size);
    }
    incoming = format.isRounded() ? result("dLoss/dA", widest) : null;
    arena.allocate();
  }

  private Slice factor(String what, long bytes) {
    Slice slice = arena.reserve(what, bytes);
    factors.add(new Sized(slice, bytes));
    return slice;
  }

  private Slice result(String what, long size) {
    long bytes = size * Transfers.bytesOf(precision);
    Slice slice = arena.reserve(what, bytes);
    results.add(new Sized(slice, bytes));
    return slice;
  }

  /** Fills all matrices by repeating some numbers: with zeros, multipliers use less power and the GPU runs at a higher clock. */
  void fill(double[] numbers) {
    DeviceArena block = new DeviceArena(context, "random numbers", guards);
    Slice asFactors = block.reserve("random factors", (long) numbers.length * format.bytes(precision));
    Slice asResults = block.reserve("random numbers", (long) numbers.length * Transfers.bytesOf(precision));
    Transfers transfers = new Transfers(context, precision);
    try {
      block.allocate();
      transfers.upload(numbers, asResults.pointer());
      transfers.uploadFactors(numbers, 0, numbers.length, asFactors.pointer());
      repeat(asFactors, (long) numbers.length * format.bytes(precision), factors);
      repeat(asResults, (long) numbers.length * Transfers.bytesOf(precision), results);
      context.synchronize("filling matrices");
    } finally {
      context.release("releasing random numbers", List.of(block.release(), transfers.release()));
    }
  }

  private void repeat(Slice source, long sourceBytes, List<Sized> targets) {
    for (Sized target : targets) {
      for (long done = 0; done < target.bytes(); done += sourceBytes) {
        CUdeviceptr to = target.slice().pointer(done);
        long part = Math.min(sourceBytes, target.bytes() - done);
        context.call("filling matrices", () -> cuMemcpyDtoDAsync(to, source.pointer(), part, context.stream()));
      }
    }
  }

  private static Matrix matrix(Slice slice) {
    return new Matrix(slice, 0, 0);
  }

  /** Returns the pitch of a layer's Z. */
  int pitch(int layer) {
    return format.resultPitch(network, layer);
  }

  Matrix input(int layer) {
    return matrix(layer == 0 ? x : a.get(layer - 1));
  }

  Matrix weight(int layer) {
    return new Matrix(weights, layout.weight(layer) * format.bytes(precision), 0);
  }

  Matrix weightGradient(int layer) {
    return new Matrix(gradients, layout.weight(layer) * Transfers.bytesOf(precision), 0);
  }

  Matrix z(int layer) {
    return matrix(z.get(layer));
  }

  Matrix delta(int layer) {
    return matrix(delta.get(layer));
  }

  Matrix inputGradient(int layer) {
    return matrix(incoming == null ? delta.get(layer) : incoming);
  }

  DeviceArena arena() {
    return arena;
  }
}
