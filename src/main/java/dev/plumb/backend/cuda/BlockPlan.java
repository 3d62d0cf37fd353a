package dev.plumb.backend.cuda;

/** A plan of the fused kernels, by which a block of threads works on one network. */
interface BlockPlan {
  /** Returns struct FusedPlan of the kernels, in its order. */
  long[] words();

  FusedLayers layers();

  FusedMemory memory();

  int rowsOfTile();

  /** Returns the number of threads per block. */
  int threads();
}
