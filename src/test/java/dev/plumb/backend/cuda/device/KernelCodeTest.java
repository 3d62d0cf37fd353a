package dev.plumb.backend.cuda.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.cuda.device.CudaKernels.Code;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.natives.CudaNatives;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import jcuda.CudaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The choice between machine code and PTX. The host device reports compute capability 9.0 and refuses machine code. */
@Tag("cuda")
@Tag("host-device")
class KernelCodeTest {
  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  @AfterEach
  void chooseAgain() {
    System.clearProperty(CudaKernels.KERNEL_CODE);
    assertEquals("", HostDevice.left());
  }

  @Test
  void refusedMachineCodeIsReplacedByPtx() {
    try (CudaContext context = new CudaContext(0)) {
      assertEquals(Code.PTX, context.kernel("finish_step").code());
      assertEquals(1, HostDevice.count(Counter.REFUSED_CUBINS));
      assertEquals(Code.PTX, context.kernel("fused_train_f32").code());
      assertEquals(1, HostDevice.count(Counter.REFUSED_CUBINS), "refused once, not tried again");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {75, 80, 86, 89, 100, 103, 120})
  void otherComputeCapabilitiesGetPtxAtOnce(int capability) {
    try (CudaContext context = new CudaContext(0)) {
      context.enter();
      long refused = HostDevice.count(Counter.REFUSED_CUBINS);
      try (CudaKernels kernels = new CudaKernels(capability)) {
        assertEquals(Code.PTX, kernels.kernel("finish_step").code());
      }
      assertEquals(refused, HostDevice.count(Counter.REFUSED_CUBINS));
    }
  }

  @Test
  void ptxCanBeRequested() {
    System.setProperty(CudaKernels.KERNEL_CODE, "ptx");
    try (CudaContext context = new CudaContext(0)) {
      assertEquals(Code.PTX, context.kernel("finish_step").code());
      assertEquals(0, HostDevice.count(Counter.REFUSED_CUBINS));
    }
  }

  @Test
  void requestedMachineCodeIsNotReplaced() {
    System.setProperty(CudaKernels.KERNEL_CODE, "cubin");
    String refused = assertThrows(DeviceUnavailableException.class, () -> new CudaContext(0)).getMessage();
    assertTrue(refused.contains("(CUDA_ERROR_NO_BINARY_FOR_GPU while opening cuda:0)"), refused);
  }

  @Test
  void unknownRequestIsRefused() {
    System.setProperty(CudaKernels.KERNEL_CODE, "sass");
    assertEquals("system property plumb.cuda.code: \"sass\" is neither ptx nor cubin; remove it to let Plumb choose",
        assertThrows(DeviceUnavailableException.class, () -> new CudaContext(0)).getMessage());
  }

  /**
   * The error codes of drivers that are too old for the machine code; a lost device, or one without memory, is a different error.
   */
  @Test
  void onlyRefusalsOfCodeCountAsRefusals() {
    for (String code : List.of("CUDA_ERROR_NO_BINARY_FOR_GPU", "CUDA_ERROR_INVALID_IMAGE", "CUDA_ERROR_INVALID_SOURCE",
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION")) {
      assertTrue(CudaFailures.isKernelsRefused(new CudaException(code)), code);
    }
    for (String code : List.of("CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_UNKNOWN", "CUDA_ERROR_ILLEGAL_ADDRESS")) {
      assertFalse(CudaFailures.isKernelsRefused(new CudaException(code)), code);
    }
  }

  @Test
  void loadedKernelsPrintsTheCodeOfEachModule() throws Exception {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
        "-D" + CudaNatives.HOST_DEVICE + "=" + HostDevice.folder(), LoadedKernels.class.getName()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.matches("plumb: PTX, [\\d.]+ ms\nnormalization: PTX, [\\d.]+ ms\nfused_mlp: PTX, [\\d.]+ ms\nfused_mlp_weighted: PTX, [\\d.]+ ms\n"
        + "fused_narrow: PTX, [\\d.]+ ms\nfused_narrow_weighted: PTX, [\\d.]+ ms\nfused_cluster: PTX, [\\d.]+ ms\nproduct: PTX, [\\d.]+ ms\nproduct_tf32: PTX, [\\d.]+ ms\n"), output);
  }
}
