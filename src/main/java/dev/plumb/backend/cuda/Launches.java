package dev.plumb.backend.cuda;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;

import dev.plumb.backend.cuda.CudaKernels.Kernel;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUstream;

/**
 * Kernel launches whose arguments are written down once, in native memory, as the driver wants them: a table of addresses of
 * values. A launch then costs the host a quarter of a microsecond of binding, where nested Pointer objects cost 3 to 4.
 */
final class Launches implements AutoCloseable {
  /** Arguments begin at multiples of 8; no kernel takes more than this many. */
  private static final int MOST_ARGUMENTS = 20;
  private static final int BYTES_OF_LAUNCH = 2 * Long.BYTES * MOST_ARGUMENTS;
  private static final int MOST_BLOCKS_Y = 65535;

  private final CudaContext context;
  private final List<HostMemory> blocks = new ArrayList<>();
  private final int launchesOfBlock;
  private int next;

  /** @param expected about how many launches there will be */
  Launches(CudaContext context, int expected) {
    this.context = context;
    launchesOfBlock = expected;
    next = expected;
  }

  /**
   * Blocks and threads of a launch.
   *
   * @param sharedBytes dynamic shared memory of each block
   * @param strided whether threads loop over what the grid does not cover along x and y
   */
  record Grid(long blocksX, int blocksY, int blocksZ, int threadsX, int threadsY, int sharedBytes, boolean strided) {
    Grid(long blocksX, int blocksY, int blocksZ, int threadsX, int threadsY, int sharedBytes) {
      this(blocksX, blocksY, blocksZ, threadsX, threadsY, sharedBytes, false);
    }

    Grid(long blocksX, int blocksY, int blocksZ, int threadsX, int threadsY) {
      this(blocksX, blocksY, blocksZ, threadsX, threadsY, 0);
    }

    /** One thread per element along x, and replicas along y; threads loop over what the grid does not cover. */
    static Grid ofElements(long elements, int replicas) {
      return strided(ceilDiv(elements, 256), replicas);
    }

    /** One block per piece along x, and replicas along y; blocks loop over what the grid does not cover. */
    static Grid strided(long blocksX, int blocksY) {
      return new Grid(blocksX, blocksY, 1, 256, 1, 0, true);
    }

    private Grid limited(int maxBlocks) {
      return strided
          ? new Grid(Math.min(blocksX, maxBlocks), Math.min(blocksY, Math.min(maxBlocks, MOST_BLOCKS_Y)), blocksZ, threadsX, threadsY, sharedBytes, true) : this;
    }

    static Grid of(long blocksX, int blocksY) {
      return new Grid(blocksX, Math.min(blocksY, MOST_BLOCKS_Y), 1, 256, 1);
    }
  }

  static long ceilDiv(long a, long b) {
    return (a + b - 1) / b;
  }

  /**
   * Binds a launch.
   *
   * @param what the kernel works on, in messages
   * @param arguments Long for addresses and 64-bit integers, Integer, Double
   * @throws IllegalArgumentException when they are not what the PTX declares
   */
  Node bind(Kernel kernel, String what, Grid grid, Number... arguments) {
    requireParameters(kernel, arguments);
    if (next == launchesOfBlock) {
      blocks.add(new HostMemory(context, "kernel arguments", (long) launchesOfBlock * BYTES_OF_LAUNCH));
      next = 0;
    }
    HostMemory block = blocks.get(blocks.size() - 1);
    int values = next++ * BYTES_OF_LAUNCH;
    int table = values + Long.BYTES * MOST_ARGUMENTS;
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
    return new Launch(kernel, what, grid.limited(context.maxBlocks()), block.pointer(table), context.stream());
  }

  private static void requireParameters(Kernel kernel, Number[] arguments) {
    int[] sizes = kernel.parameterSizes();
    boolean fits = sizes.length == arguments.length && sizes.length <= MOST_ARGUMENTS;
    for (int i = 0; fits && i < sizes.length; i++) {
      int given = arguments[i] instanceof Integer ? Integer.BYTES
          : arguments[i] instanceof Long || arguments[i] instanceof Double ? Long.BYTES : -1;
      fits = sizes[i] == given;
    }
    if (!fits) {
      throw new IllegalArgumentException("kernel " + kernel.name() + " takes parameters of " + List.of(boxed(sizes))
          + " bytes, not " + List.of(arguments));
    }
  }

  private static Integer[] boxed(int[] sizes) {
    Integer[] all = new Integer[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      all[i] = sizes[i];
    }
    return all;
  }

  private record Launch(Kernel kernel, String what, Grid grid, Pointer arguments, CUstream stream) implements Node {
    @Override
    public String name() {
      return kernel.name() + " (" + what + ")";
    }

    @Override
    public void enqueue() {
      cuLaunchKernel(kernel.function(), (int) grid.blocksX(), grid.blocksY(), grid.blocksZ(), grid.threadsX(), grid.threadsY(), 1,
          grid.sharedBytes(), stream, arguments, null);
    }
  }

  void releaseInto(List<Runnable> releases) {
    blocks.forEach(block -> releases.add(block.release()));
  }

  @Override
  public void close() {
    List<Runnable> releases = new ArrayList<>();
    releaseInto(releases);
    context.release("releasing kernel arguments", releases);
  }
}
