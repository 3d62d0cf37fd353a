package dev.plumb.backend.cuda.fused;

/** A plan for the fused kernels, where one block of threads, or one cluster of blocks, trains one network. */
public interface BlockPlan {
  /** Returns the words of struct FusedPlan of the kernels. */
  long[] words();

  /** Returns the layout of the layers. */
  FusedLayers layers();

  /** Returns the layout of shared memory. */
  FusedMemory memory();

  /** Returns the number of rows of a tile. */
  int rowsOfTile();

  /** Returns the number of threads per block. */
  int threads();

  /** Returns the number of blocks that train one network. */
  default int blocks() {
    return 1;
  }

  /** Returns the name, without its precision, of the kernel that trains the network on rows without weights. */
  String trainingKernel();
}
