package dev.plumb.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK;

import jcuda.driver.CUdevice;

/**
 * What a card has for its blocks, in bytes of shared memory.
 *
 * @param sharedOfBlock what one block may have, when its kernel asks for it
 * @param sharedOfMultiprocessor what the blocks on one multiprocessor have together
 * @param reservedOfBlock what the driver takes of that for each block
 */
record CardLimits(int sharedOfBlock, int sharedOfMultiprocessor, int reservedOfBlock, int multiprocessors) {
  /** Bytes in which a multiprocessor's shared memory is allocated to blocks: 256 before compute capability 8.0, 128 since. */
  private static final int ALLOCATION_UNIT = 256;

  static CardLimits of(CUdevice device) {
    return new CardLimits(
        CudaCards.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        CudaCards.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        CudaCards.attribute(device, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK),
        CudaCards.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  }

  /** Returns the bytes of shared memory that each of several blocks on one multiprocessor may have. */
  int sharedMemory(int blocks) {
    int part = sharedOfMultiprocessor / blocks / ALLOCATION_UNIT * ALLOCATION_UNIT - reservedOfBlock;
    return Math.min(sharedOfBlock, part);
  }
}
