package dev.plumb.backend.cuda.device;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;

import dev.plumb.backend.cuda.device.CudaKernels.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import jcuda.Pointer;
import jcuda.driver.CUstream;

/**
 * Kernel launches whose arguments are stored once, in native memory, in the driver's format: a table of addresses of values. This
 * takes a quarter of a microsecond per launch; nested Pointer objects take 3 to 4.
 */
public final class Launches implements AutoCloseable {
  /** The largest number of arguments of a kernel; each begins at a multiple of 8 bytes. */
  private static final int MAX_ARGUMENTS = 23;
  private static final int BYTES_OF_LAUNCH = 2 * Long.BYTES * MAX_ARGUMENTS;
  private static final int MAX_BLOCKS_Y_OR_Z = 65_535;

  private final CudaContext context;
  private final List<HostMemory> blocks = new ArrayList<>();
  private final int launchesOfBlock;
  private int next;

  /** @param expected the approximate number of launches */
  public Launches(CudaContext context, int expected) {
    this.context = context;
    launchesOfBlock = expected;
    next = expected;
  }

  /** An axis of a grid. */
  public enum Axis { X, Y, Z }

  /**
   * The blocks and threads of a launch.
   *
   * @param sharedBytes dynamic shared memory of each block
   * @param looped the axes along which a block loops over elements that the grid does not cover
   */
  public record Grid(long blocksX, int blocksY, int blocksZ, int threadsX, int threadsY, int sharedBytes, Set<Axis> looped) {
    /** A grid without dynamic shared memory and without loops. */
    public Grid(long blocksX, int blocksY, int blocksZ, int threadsX, int threadsY) {
      this(blocksX, blocksY, blocksZ, threadsX, threadsY, 0, Set.of());
    }

    /** Returns a grid with one thread per element along x and replicas along y, both looped. */
    public static Grid ofElements(long elements, int replicas) {
      return ofPieces(ceilDiv(elements, 256), replicas);
    }

    /** Returns a grid with one block per piece along x and replicas along y, both looped. */
    public static Grid ofPieces(long pieces, int replicas) {
      return new Grid(pieces, replicas, 1, 256, 1, 0, Set.of(Axis.X, Axis.Y));
    }

    /** Returns a grid with a given number of blocks along x, and looped replicas along y. */
    public static Grid of(long blocksX, int replicas) {
      return new Grid(blocksX, replicas, 1, 256, 1, 0, Set.of(Axis.Y));
    }

    private Grid limited(int maxBlocks) {
      int max = Math.min(maxBlocks, MAX_BLOCKS_Y_OR_Z);
      return new Grid(looped.contains(Axis.X) ? Math.min(blocksX, maxBlocks) : blocksX,
          looped.contains(Axis.Y) ? Math.min(blocksY, max) : blocksY, looped.contains(Axis.Z) ? Math.min(blocksZ, max) : blocksZ,
          threadsX, threadsY, sharedBytes, looped);
    }
  }

  /** Returns a / b, rounded up. */
  public static long ceilDiv(long a, long b) {
    return (a + b - 1) / b;
  }

  /**
   * Binds a launch.
   *
   * @param subject what the kernel works on, for messages
   * @param arguments Long for addresses and 64-bit integers, Integer, Double
   * @throws IllegalArgumentException when they do not match the parameters in the PTX
   */
  public Node bind(Kernel kernel, String subject, Grid grid, Number... arguments) {
    requireParameters(kernel, arguments);
    if (next == launchesOfBlock) {
      blocks.add(new HostMemory(context, "kernel arguments", (long) launchesOfBlock * BYTES_OF_LAUNCH));
      next = 0;
    }
    HostMemory block = blocks.get(blocks.size() - 1);
    int values = next++ * BYTES_OF_LAUNCH;
    int table = values + Long.BYTES * MAX_ARGUMENTS;
    for (int i = 0; i < arguments.length; i++) {
      int at = values + Long.BYTES * i;
      if (arguments[i] instanceof Integer value) {
        block.bytes().putInt(at, value);
      } else if (arguments[i] instanceof Double value) {
        block.bytes().putDouble(at, value);
      } else {
        block.bytes().putLong(at, (Long) arguments[i]);
      }
      block.bytes().putLong(table + Long.BYTES * i, block.address() + at);
    }
    return new Launch(kernel, subject, grid.limited(context.maxBlocks()), block.pointer(table), context.stream());
  }

  private static void requireParameters(Kernel kernel, Number[] arguments) {
    int[] sizes = kernel.parameterSizes();
    boolean matches = sizes.length == arguments.length && sizes.length <= MAX_ARGUMENTS;
    for (int i = 0; matches && i < sizes.length; i++) {
      int given = arguments[i] instanceof Integer ? Integer.BYTES
          : arguments[i] instanceof Long || arguments[i] instanceof Double ? Long.BYTES : -1;
      matches = sizes[i] == given;
    }
    if (!matches) {
      throw new IllegalArgumentException("kernel " + kernel.name() + " takes parameters of " + List.of(boxed(sizes))
          + " bytes, not " + List.of(arguments));
    }
  }

  private static Integer[] boxed(int[] sizes) {
    Integer[] boxed = new Integer[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      boxed[i] = sizes[i];
    }
    return boxed;
  }

  private record Launch(Kernel kernel, String subject, Grid grid, Pointer arguments, CUstream stream) implements Node {
    @Override
    public String name() {
      return kernel.name() + " (" + subject + ")";
    }

    @Override
    public void enqueue() {
      cuLaunchKernel(kernel.function(), (int) grid.blocksX(), grid.blocksY(), grid.blocksZ(), grid.threadsX(), grid.threadsY(), 1,
          grid.sharedBytes(), stream, arguments, null);
    }
  }

  /** Adds the releases of the arguments to a list. */
  public void releaseInto(List<Runnable> releases) {
    blocks.forEach(block -> releases.add(block.release()));
  }

  @Override
  public void close() {
    List<Runnable> releases = new ArrayList<>();
    releaseInto(releases);
    context.release("releasing kernel arguments", releases);
  }
}
