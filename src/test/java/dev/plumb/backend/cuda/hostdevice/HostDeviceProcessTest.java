package dev.plumb.backend.cuda.hostdevice;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Planner;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.CudaBackend;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Clusters;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.natives.CudaNatives;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The host device in processes of their own: its environment variables, and its build where something is missing. */
@Tag("cuda")
@Tag("host-device")
class HostDeviceProcessTest {
  private record Result(int code, String output) {}

  /** Says what the host device looks like, then allocates 1000 bytes twice. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) {
      CudaNatives.load();
      int[] value = new int[1];
      long[] bytes = new long[1];
      CUdevice device = new CUdevice();
      JCudaDriver.cuDeviceGetCount(value);
      System.out.println("devices " + value[0]);
      JCudaDriver.cuDriverGetVersion(value);
      System.out.println("driver " + value[0]);
      JCudaDriver.cuDeviceGet(device, 0);
      JCudaDriver.cuDeviceGetAttribute(value, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
      System.out.println("major " + value[0]);
      JCudaDriver.cuDeviceTotalMem(bytes, device);
      System.out.println("memory " + bytes[0]);
      JCudaDriver.cuCtxCreate(new CUcontext(), 0, device);
      JCudaDriver.cuMemAlloc(new CUdeviceptr(), 1000);
      try {
        JCudaDriver.cuMemAlloc(new CUdeviceptr(), 1000);
      } catch (CudaException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  /**
   * Launches a kernel that reads and writes up to 64 numbers per block. The arguments are the PTX, its name, and the number of
   * blocks.
   */
  static final class Launched {
    private Launched() {}

    public static void main(String[] arguments) {
      CudaNatives.load();
      CUdevice device = new CUdevice();
      JCudaDriver.cuDeviceGet(device, 0);
      JCudaDriver.cuCtxCreate(new CUcontext(), 0, device);
      CUmodule module = new CUmodule();
      JCudaDriver.cuModuleLoadData(module, arguments[0]);
      CUfunction kernel = new CUfunction();
      JCudaDriver.cuModuleGetFunction(kernel, module, arguments[1]);
      CUdeviceptr memory = new CUdeviceptr();
      int blocks = Integer.parseInt(arguments[2]);
      int numbers = 2 * 64 * blocks;
      JCudaDriver.cuMemAlloc(memory, numbers * Double.BYTES);
      JCudaDriver.cuMemcpyHtoD(memory, Pointer.to(new double[numbers]), numbers * Double.BYTES);
      JCudaDriver.cuLaunchKernel(kernel, blocks, 1, 1, 64, 1, 1, 0, null,
          HostDeviceFixture.parameters(memory, memory.withByteOffset(numbers / 2 * Double.BYTES)), null);
      JCudaDriver.cuCtxSynchronize();
    }
  }

  @Test
  void coverageAndMutantsAreWrittenWhenTheProcessEnds(@TempDir Path folder) throws Exception {
    Path coverage = folder.resolve("coverage");
    Path mutants = folder.resolve("mutants");
    Result result = run(Launched.class, Map.of(
        "PLUMB_HOST_DEVICE_COVERAGE", coverage.toString(), "PLUMB_HOST_DEVICE_MUTANTS", mutants.toString()),
        Files.readString(Path.of("src/test/resources/ptx/broken.ptx")), "sum_64_f64", "1");
    assertEquals(new Result(0, ""), result);
    List<String> lines = Files.readAllLines(coverage);
    assertTrue(lines.size() > 50, lines.toString());
    assertTrue(lines.stream().allMatch(line -> line.matches("sum_64_f64 \\d+ [01]")), lines.toString());
    assertTrue(lines.stream().filter(line -> line.endsWith("1")).count() > 0.9 * lines.size(), lines.toString());
    lines = Files.readAllLines(mutants);
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.get(0).matches("sum_64_f64, PTX line \\d+ \\(broken.cu:\\d+\\), barrier dropped: race in shared memory, .*"),
        lines.toString());
  }

  @Test
  void barriersOfClustersAreDroppedAndWeakened(@TempDir Path folder) throws Exception {
    Path mutants = folder.resolve("mutants");
    Result result = run(Launched.class, Map.of("PLUMB_HOST_DEVICE_MUTANTS", mutants.toString()),
        Files.readString(Path.of("src/test/resources/ptx/broken_clusters.ptx")), "read_next_f32", "4");
    assertEquals(new Result(0, ""), result);
    List<String> lines = Files.readAllLines(mutants);
    assertEquals(4, lines.size(), lines.toString());
    String barrier = "read_next_f32, PTX line \\d+ \\(broken_clusters.cu:\\d+\\), ";
    String found = ": access to the shared memory of a block that may ";
    String weakened = "barrier of the cluster made one of the block";
    assertTrue(lines.get(0).matches(barrier + "barrier dropped" + found + "not have begun, .*"), lines.toString());
    assertTrue(lines.get(1).matches(barrier + weakened + found + "not have begun, .*"), lines.toString());
    assertTrue(lines.get(2).matches(barrier + "barrier dropped" + found + "have exited, .*"), lines.toString());
    assertTrue(lines.get(3).matches(barrier + weakened + found + "have exited, .*"), lines.toString());
  }

  /**
   * Trains a narrow network with clusters wherever the device has them, and prints how many steps were recorded. The arguments
   * are the precision and the planner.
   */
  static final class Trained {
    private Trained() {}

    public static void main(String[] args) {
      NetworkSpec network = NetworkSpec.of(Activation.RELU, 3, 8, 1);
      TrainingSpec training =
          TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.valueOf(args[0]));
      CudaOptions options =
          new CudaOptions(Execution.GRAPH, true, Planner.valueOf(args[1]), true).withClusters(Clusters.WHERE_POSSIBLE);
      try (CudaBackend backend = new CudaBackend(0, options); TrainingSession session = backend.open(network, training, 1)) {
        session.bind(RandomData.draw(40, network, Loss.MSE, new NumpyRandom(1)));
        session.run(StepChunk.of(2).learningRate(0.01).recordAll().build());
        System.out.println(session.sync().loss().length + " steps");
      }
    }
  }

  /** Their modules are for compute capabilities 9.0 and 8.0: an older device would refuse them. */
  @ParameterizedTest
  @CsvSource({
    "80, FP32, FUSED, fused_narrow_relu_f32", "90, FP32, FUSED, fused_cluster_relu_f32", "120, FP32, FUSED, fused_cluster_relu_f32",
    "75, TF32, LAYERED, product_forward_f32", "80, TF32, LAYERED, product_forward_tf32", "80, BF16, LAYERED, bias_activation_bf16",
  })
  void olderDevicesDoNotLoadTheKernelsOfClustersAndTensorCores(
      String capability, String precision, String planner, String kernel, @TempDir Path folder) throws Exception {
    Path coverage = folder.resolve("coverage");
    assertEquals(new Result(0, "2 steps\n"), run(Trained.class, Map.of(
        "PLUMB_HOST_DEVICE_CAPABILITY", capability, "PLUMB_HOST_DEVICE_COVERAGE", coverage.toString()), precision, planner));
    assertTrue(Files.readAllLines(coverage).stream().anyMatch(line -> line.startsWith(kernel + " ")));
  }

  @Test
  void olderDevicesRefuseBfloat16() throws Exception {
    Result result = run(Trained.class, Map.of("PLUMB_HOST_DEVICE_CAPABILITY", "75"), "BF16", "LAYERED");
    assertEquals(1, result.code());
    assertTrue(result.output().contains("precision bf16 needs a GPU of compute capability 8.0 or newer, but host device (CPU, for tests)"
        + " has 7.5: use fp32"), result.output());
  }

  @Test
  void environmentVariablesSetIt() throws Exception {
    assertEquals("devices 1\ndriver 13000\nmajor 9\nmemory 1073741824\n", probe(Map.of()).output());
    assertEquals("devices 3\ndriver 12060\nmajor 7\nmemory 1500\nCUDA_ERROR_OUT_OF_MEMORY\n", probe(Map.of(
        "PLUMB_HOST_DEVICE_COUNT", "3", "PLUMB_HOST_DEVICE_DRIVER", "12060", "PLUMB_HOST_DEVICE_CAPABILITY", "75",
        "PLUMB_HOST_DEVICE_MEMORY", "1500")).output());
  }

  @Test
  void aFaultIsInjectedFromOutsideAndSaysSoUnlessItIsToBeQuiet() throws Exception {
    String loud = probe(Map.of("PLUMB_HOST_DEVICE_FAULT", "memory:2")).output();
    assertTrue(loud.contains("host device: injected fault: cuMemAlloc finds no memory"), loud);
    String quiet = probe(Map.of("PLUMB_HOST_DEVICE_FAULT", "memory:2", "PLUMB_HOST_DEVICE_QUIET", "1")).output();
    assertEquals("devices 1\ndriver 13000\nmajor 9\nmemory 1073741824\nCUDA_ERROR_OUT_OF_MEMORY\n", quiet);
  }

  @Test
  void aWrongVariableIsOneLine() throws Exception {
    Result result = probe(Map.of("PLUMB_HOST_DEVICE_FAULT", "memory"));
    assertEquals(2, result.code());
    assertEquals("host device: PLUMB_HOST_DEVICE_FAULT is \"memory\", "
        + "must be memory:N, launch:N, lost:N, gemm:N or copy:N with N from 1, for device D only with @D appended\n", result.output());
  }

  @Test
  void aMissingCompilerIsOneLine(@TempDir Path empty) throws Exception {
    Result result = run(List.of("bash", "src/test/native/build", empty.toString(), "a", "b"),
        Map.of("PATH", empty.toString()));
    assertEquals(3, result.code());
    assertEquals("the host device needs g++ (Debian, Ubuntu: apt-get install g++), and there is no g++ on the PATH\n",
        result.output());
  }

  @Test
  void anUnchangedBuildIsNotDoneAgain() throws Exception {
    Path folder = HostDevice.folder();
    var before = Files.getLastModifiedTime(folder.resolve("libcuda.so.1"));
    Result result = run(List.of("bash", "src/test/native/build", folder.toString(), natives(folder, "JCudaDriver"),
        natives(folder, "JCublas2")), Map.of());
    assertEquals(new Result(0, ""), result);
    assertEquals(before, Files.getLastModifiedTime(folder.resolve("libcuda.so.1")));
  }

  private static String natives(Path folder, String name) throws IOException {
    try (var files = Files.newDirectoryStream(folder, "lib" + name + "-*.so")) {
      return files.iterator().next().toString();
    }
  }

  private static Result probe(Map<String, String> environment) throws Exception {
    return run(Probe.class, environment);
  }

  private static Result run(Class<?> main, Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
        "-D" + CudaNatives.HOST_DEVICE + "=" + HostDevice.folder(), main.getName()));
    command.addAll(List.of(arguments));
    return run(command, environment);
  }

  private static Result run(List<String> command, Map<String, String> environment) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("PLUMB_HOST_DEVICE_"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
