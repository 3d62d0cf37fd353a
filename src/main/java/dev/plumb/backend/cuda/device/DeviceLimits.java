package dev.plumb.backend.cuda.device;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK;

import dev.plumb.backend.cuda.natives.CudaDevices;
import jcuda.driver.CUdevice;

/**
 * A device's limits of shared memory, in bytes, and its number of multiprocessors.
 *
 * @param sharedOfBlock the largest shared memory of one block, if its kernel opts in
 * @param sharedOfMultiprocessor the shared memory of one multiprocessor, for all its blocks
 * @param reservedOfBlock the part of it that the driver reserves for each block
 */
public record DeviceLimits(int sharedOfBlock, int sharedOfMultiprocessor, int reservedOfBlock, int multiprocessors) {
  /** The granularity of allocations, in bytes: 256 before compute capability 8.0, 128 since. */
  private static final int ALLOCATION_UNIT = 256;

  /** Queries the limits of a device. */
  static DeviceLimits of(CUdevice device) {
    return new DeviceLimits(
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK),
        CudaDevices.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  }

  /** Returns the largest shared memory, in bytes, of each of several blocks on one multiprocessor. */
  public int sharedMemory(int blocks) {
    int part = sharedOfMultiprocessor / blocks / ALLOCATION_UNIT * ALLOCATION_UNIT - reservedOfBlock;
    return Math.min(sharedOfBlock, part);
  }
}
