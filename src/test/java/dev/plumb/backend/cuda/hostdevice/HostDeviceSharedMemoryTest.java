package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dynamic shared memory on the host device: as much as the launch says, no more than was allowed, and nothing around it. */
class HostDeviceSharedMemoryTest extends HostDeviceFixture {
  /** The shared memory of a block without opt-in, and the largest with opt-in at compute capability 9.0. */
  private static final int WITHOUT_OPT_IN = 48 << 10;
  private static final int OPT_IN = 227 << 10;

  @Test
  void everyBlockHasItsBytes() {
    float[] in = new float[64];
    float[] reversed = new float[64];
    for (int i = 0; i < in.length; i++) {
      in[i] = i;
      reversed[in.length - 1 - i] = i;
    }
    for (Order order : Order.values()) {
      HostDevice.order(order, 1);
      CUdeviceptr out = allocate(256);
      launch(function("dynamic_shared_f32"), 3, 64, 256, upload(in), out);
      synchronize();
      assertArrayEquals(reversed, read(out, 64), order.toString());
    }
  }

  @Test
  void everyBlockBeginsWithNaN() {
    CUdeviceptr out = allocate(256);
    launch(function("unwritten_shared_f32"), 2, 1, 16, out);
    synchronize();
    assertTrue(Float.isNaN(read(out, 1)[0]));
  }

  @Test
  void launchWithLessThanTheKernelNeedsIsFound() {
    launch(function("dynamic_shared_f32"), 1, 64, 240, upload(new float[64]), allocate(256));
    fails("ILLEGAL_ADDRESS", "write at byte offset 240 of dynamic shared memory, which has 240 bytes", this::synchronize);
  }

  @ParameterizedTest
  @CsvSource({
    "20, write at byte offset 20 of dynamic shared memory", "4096, write at byte offset 4096",
    "-4, 'of shared memory, outside of all variables'",
  })
  void writeOutsideIsFound(int offset, String diagnosis) {
    launch(function("write_shared_f32"), 1, 1, 20, 16);
    synchronize();
    launch(function("write_shared_f32"), 1, 1, 20, offset);
    fails("ILLEGAL_ADDRESS", diagnosis, this::synchronize);
  }

  @Test
  void moreThanUsualMustBeAskedFor() {
    CUfunction kernel = function("write_shared_f32");
    launch(kernel, 1, 1, WITHOUT_OPT_IN, 0);
    fails("INVALID_VALUE", "but the kernel may have 49152", () -> launch(kernel, 1, 1, WITHOUT_OPT_IN + 1, 0));
    cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, OPT_IN);
    launch(kernel, 1, 1, OPT_IN, OPT_IN - 4);
    synchronize();
    fails("INVALID_VALUE", "but the kernel may have 232448", () -> launch(kernel, 1, 1, OPT_IN + 1, 0));
    fails("INVALID_VALUE", "may opt in to 232448 bytes of shared memory, not to 232449",
        () -> cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, OPT_IN + 1));
  }

  @Test
  void cardsMayHaveLess() {
    CUdevice device = new CUdevice();
    cuDeviceGet(device, 0);
    int[] bytes = new int[1];
    int attribute = CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
    cuDeviceGetAttribute(bytes, attribute, device);
    assertEquals(OPT_IN, bytes[0]);
    HostDevice.sharedMemory(50_000);
    cuDeviceGetAttribute(bytes, attribute, device);
    assertEquals(50_000, bytes[0]);
    fails("INVALID_VALUE", "may opt in to 50000", () -> cuFuncSetAttribute(
        function("write_shared_f32"), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, OPT_IN));
  }
}
