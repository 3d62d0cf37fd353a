package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuCtxCreate;
import static jcuda.driver.JCudaDriver.cuCtxDestroy;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import jcuda.CudaException;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.function.Executable;

/** The fixture of the host device's own tests: a context, a non-blocking stream, and the kernels of src/test/native/broken. */
@Tag("cuda")
@Tag("host-device")
abstract class HostDeviceFixture {
  /** The PTX of {@link #moduleName}. */
  String ptx;

  final CUcontext context = new CUcontext();
  final CUmodule module = new CUmodule();
  final CUstream stream = new CUstream();

  @BeforeAll
  static void load() {
    HostDevice.load();
  }

  /** Returns the name of the kernels' source file. */
  String moduleName() {
    return "broken";
  }

  @BeforeEach
  void open() throws Exception {
    try (var in = HostDeviceFixture.class.getResourceAsStream("/ptx/" + moduleName() + ".ptx")) {
      ptx = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    HostDevice.reset();
    HostDevice.quiet(true);
    assertEquals("", HostDevice.left(), "left by an earlier test");
    cuInit(0);
    CUdevice device = new CUdevice();
    cuDeviceGet(device, 0);
    cuCtxCreate(context, 0, device);
    cuModuleLoadData(module, ptx);
    cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
  }

  /** Destroys the context, with all resources that a test left in it. */
  @AfterEach
  void close() {
    try {
      cuCtxDestroy(context);
    } catch (CudaException e) {
      // A lost device says so once more.
      assertTrue(e.getMessage().contains("UNKNOWN"), e.getMessage());
    }
    HostDevice.reset();
  }

  CUdeviceptr allocate(long bytes) {
    CUdeviceptr memory = new CUdeviceptr();
    cuMemAlloc(memory, bytes);
    return memory;
  }

  CUdeviceptr upload(float[] values) {
    CUdeviceptr memory = allocate((long) Sizeof.FLOAT * values.length);
    cuMemcpyHtoD(memory, Pointer.to(values), (long) Sizeof.FLOAT * values.length);
    return memory;
  }

  CUdeviceptr upload(short[] values) {
    CUdeviceptr memory = allocate((long) Sizeof.SHORT * values.length);
    cuMemcpyHtoD(memory, Pointer.to(values), (long) Sizeof.SHORT * values.length);
    return memory;
  }

  static float[] read(CUdeviceptr from, int n) {
    float[] values = new float[n];
    cuMemcpyDtoH(Pointer.to(values), from, (long) Sizeof.FLOAT * n);
    return values;
  }

  CUfunction function(String name) {
    CUfunction function = new CUfunction();
    cuModuleGetFunction(function, module, name);
    return function;
  }

  void launch(String kernel, int blocks, int threads, Object... arguments) {
    launch(function(kernel), blocks, threads, 0, arguments);
  }

  void launch(CUfunction kernel, int blocks, int threads, int sharedBytes, Object... arguments) {
    cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters(arguments), null);
  }

  static Pointer parameters(Object... arguments) {
    NativePointerObject[] pointers = new NativePointerObject[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      pointers[i] = switch (arguments[i].getClass().getSimpleName()) {
        case "CUdeviceptr" -> Pointer.to((CUdeviceptr) arguments[i]);
        case "Integer" -> Pointer.to(new int[] {(Integer) arguments[i]});
        case "Long" -> Pointer.to(new long[] {(Long) arguments[i]});
        case "Float" -> Pointer.to(new float[] {(Float) arguments[i]});
        default -> throw new IllegalArgumentException(arguments[i].toString());
      };
    }
    return Pointer.to(pointers);
  }

  void synchronize() {
    cuStreamSynchronize(stream);
  }

  static void fails(String code, String diagnosis, Executable call) {
    CudaException e = assertThrows(CudaException.class, call);
    assertTrue(e.getMessage().contains(code), e.getMessage());
    assertTrue(HostDevice.diagnosis().contains(diagnosis), HostDevice.diagnosis());
  }
}
