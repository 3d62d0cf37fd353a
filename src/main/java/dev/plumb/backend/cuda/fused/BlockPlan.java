package dev.plumb.backend.cuda.fused;

/** A plan of the fused kernels, by which a block of threads, or a cluster of blocks, works on one network. */
public interface BlockPlan {
  /** Returns struct FusedPlan of the kernels, in its order. */
  long[] words();

  FusedLayers layers();

  FusedMemory memory();

  int rowsOfTile();

  /** Returns the number of threads per block. */
  int threads();

  /** Returns the number of blocks that train one network. */
  default int blocks() {
    return 1;
  }

  /** Returns the name, without its precision, of the kernel that trains the network. */
  String trainingKernel();
}
