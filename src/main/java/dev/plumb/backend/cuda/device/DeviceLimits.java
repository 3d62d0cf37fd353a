package dev.plumb.backend.cuda.device;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK;

import dev.plumb.backend.cuda.natives.CudaDevices;
import jcuda.driver.CUdevice;

/**
 * What a card has for its blocks, in bytes of shared memory.
 *
 * @param sharedOfBlock what one block may have, when its kernel asks for it
 * @param sharedOfMultiprocessor what the blocks on one multiprocessor have together
 * @param reservedOfBlock what the driver takes of that for each block
 */
public record DeviceLimits(int sharedOfBlock, int sharedOfMultiprocessor, int reservedOfBlock, int multiprocessors) {
  /** Bytes in which a multiprocessor's shared memory is allocated to blocks: 256 before compute capability 8.0, 128 since. */
  private static final int ALLOCATION_UNIT = 256;

  static DeviceLimits of(CUdevice device) {
    return new DeviceLimits(
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  }

  /** Returns the bytes of shared memory that each of several blocks on one multiprocessor may have. */
  public int sharedMemory(int blocks) {
    int part = sharedOfMultiprocessor / blocks / ALLOCATION_UNIT * ALLOCATION_UNIT - reservedOfBlock;
    return Math.min(sharedOfBlock, part);
  }
}
