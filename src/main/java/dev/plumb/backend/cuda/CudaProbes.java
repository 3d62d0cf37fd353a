package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.DeviceArena.Slice;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.device.RecordedGraph;
import dev.plumb.backend.cuda.layered.CublasProducts;
import dev.plumb.model.Activation;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** The workloads of {@link GpuProbes}, each in device memory of its own. */
final class CudaProbes {
  /** The number of random numbers, which are repeated to fill all matrices. */
  private static final int RANDOM_NUMBERS = 1 << 20;
  private static final long SEED = 42;
  /** The smallest size of a copy; a smaller one would measure a cache. */
  private static final long MIN_COPY_BYTES = 1 << 20;

  /** The largest number of steps whose products are one graph: as many as in training, or fewer if their products are large. */
  private static final int MAX_STEPS_OF_GRAPH = 32;
  private static final double OPERATIONS_OF_GRAPH = 1e11;

  private final CudaContext context;
  private final boolean guards;

  CudaProbes(CudaContext context, boolean guards) {
    this.context = context;
    this.guards = guards;
  }

  /** Returns copies of that many bytes, halved until two buffers fit. */
  GpuProbes.Probe copies(long bytes) {
    for (long size = bytes; ; size /= 2) {
      try {
        return copiesOf(size);
      } catch (DeviceUnavailableException e) {
        if (size / 2 < MIN_COPY_BYTES) {
          throw e;
        }
      }
    }
  }

  private GpuProbes.Probe copiesOf(long bytes) {
    DeviceArena arena = new DeviceArena(context, "copies within device memory", guards);
    Slice from = arena.reserve("source of copies", bytes);
    Slice to = arena.reserve("target of copies", bytes);
    arena.allocate();
    from.fill((byte) 1);
    return new Work("copies of " + bytes + " bytes within device memory", 2.0 * bytes, arena, List.of(arena.release()),
        () -> cuMemcpyDtoDAsync(to.pointer(), from.pointer(), bytes, context.stream()));
  }

  /** Returns launches of a kernel with one warp and no elements. */
  GpuProbes.Probe emptyKernels(int kernels) {
    DeviceArena arena = new DeviceArena(context, "empty kernels", guards);
    long address = reserveOne(arena).address();
    Launches launches = new Launches(context, 1);
    List<Runnable> releases = new ArrayList<>();
    try {
      Node empty = launches.bind(context.kernel("bias_activation_f32"), "no elements", new Grid(1, 1, 1, 32, 1),
          address, address, address, 0L, 0, 1, 1L, 1, Activation.LINEAR.ordinal(), 0);
      return graph(kernels + " empty kernels", kernels, arena, releases, Collections.nCopies(kernels, empty), launches);
    } catch (RuntimeException e) {
      launches.releaseInto(releases);
      releases.add(arena.release());
      context.release("releasing empty kernels", releases);
      throw e;
    }
  }

  private static Slice reserveOne(DeviceArena arena) {
    Slice slice = arena.reserve("an element", Float.BYTES);
    arena.allocate();
    return slice;
  }

  /** Returns the products of a layered step with cuBLAS, over buffers like those of a training. */
  GpuProbes.Probe products(NetworkSpec network, Precision precision, int batch, Set<GpuProbes.Products> of) {
    context.use(precision);
    CublasProducts products = new CublasProducts(context, precision);
    ProductMatrices matrices = new ProductMatrices(context, network, precision, batch, guards);
    List<Runnable> releases = new ArrayList<>();
    try {
      matrices.fill(random());
      List<Node> nodes = new ArrayList<>();
      double operations = 0;
      for (int layer = 0; layer < network.layerCount() && of.contains(GpuProbes.Products.FORWARD); layer++) {
        LayerSpec spec = network.layer(layer);
        nodes.add(products.forward("layer " + layer, batch, spec.in(), spec.out(), matrices.input(layer), matrices.weight(layer),
            matrices.z(layer), matrices.pitch(layer), 1));
        operations += operations(spec, batch);
      }
      for (int layer = network.layerCount() - 1; layer >= 0; layer--) {
        LayerSpec spec = network.layer(layer);
        if (of.contains(GpuProbes.Products.WEIGHT_GRADIENTS)) {
          nodes.add(products.weightGradient("layer " + layer, batch, spec.in(), spec.out(), matrices.delta(layer),
              matrices.input(layer), matrices.weightGradient(layer), 1));
          operations += operations(spec, batch);
        }
        if (layer > 0 && of.contains(GpuProbes.Products.INPUT_GRADIENTS)) {
          nodes.add(products.inputGradient("layer " + layer, batch, spec.in(), spec.out(), matrices.delta(layer),
              matrices.weight(layer), matrices.inputGradient(layer - 1), false, 1));
          operations += operations(spec, batch);
        }
      }
      int steps = (int) Math.max(1, Math.min(MAX_STEPS_OF_GRAPH, OPERATIONS_OF_GRAPH / operations));
      List<Node> repeated = Collections.nCopies(steps, nodes).stream().flatMap(List::stream).toList();
      return graph("products of " + network.shape(), operations * steps, matrices.arena(), releases, repeated, null);
    } catch (RuntimeException e) {
      releases.add(matrices.arena().release());
      context.release("releasing products", releases);
      throw e;
    }
  }

  private static double operations(LayerSpec layer, int batch) {
    return 2.0 * batch * layer.in() * layer.out();
  }

  private static double[] random() {
    return new SplittableRandom(SEED).doubles(RANDOM_NUMBERS, -0.5, 0.5).toArray();
  }

  private GpuProbes.Probe graph(
      String what, double amount, DeviceArena arena, List<Runnable> releases, List<Node> nodes, Launches launches) {
    RecordedGraph graph = new RecordedGraph(context, "a graph of " + what, nodes);
    releases.add(graph.release());
    if (launches != null) {
      launches.releaseInto(releases);
    }
    releases.add(arena.release());
    return new Work(what, amount, arena, releases, graph::launch);
  }

  /** Work that is enqueued repeatedly. */
  private final class Work implements GpuProbes.Probe {
    private final String what;
    private final double amount;
    private final DeviceArena arena;
    private final List<Runnable> releases;
    private final Runnable enqueue;

    Work(String what, double amount, DeviceArena arena, List<Runnable> releases, Runnable enqueue) {
      this.what = what;
      this.amount = amount;
      this.arena = arena;
      this.releases = List.copyOf(releases);
      this.enqueue = enqueue;
    }

    @Override
    public double amount() {
      return amount;
    }

    @Override
    public void run(int times) {
      context.enter();
      context.call(what, () -> {
        for (int i = 0; i < times; i++) {
          enqueue.run();
        }
      });
      context.synchronize(what);
      arena.requireGuards(what);
    }

    @Override
    public void close() {
      context.enter();
      context.release("releasing " + what, releases);
    }
  }
}
