package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.ProductProbes.Product;
import dev.plumb.backend.ProductProbes.Schedule;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.cpu.CpuOptions.Method;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.StepLog;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.fp64.BlockedGemm;
import dev.plumb.backend.cpu.fp64.DenseReplicas;
import dev.plumb.backend.cpu.fp64.StepProducts;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the products of the probes are exactly those of a step. */
class ProductProbesTest {
  private static final int BATCH = 33;
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.RELU, 7, 300, 1100, 3);

  /** Writes down every call, and multiplies. */
  private static final class Listening implements Gemm<double[]> {
    final List<String> calls = new ArrayList<>();
    private final Gemm<double[]> gemm = new BlockedGemm();

    @Override
    public String name() {
      return "listening";
    }

    @Override
    public void multiply(boolean transposeA, boolean transposeB, int m, int n, int k, double[] a, int aOffset, int aStride,
        double[] b, int bOffset, int bStride, double[] c, int cOffset, int cStride) {
      calls.add(transposeA + " " + transposeB + " " + m + " x " + n + " x " + k + ", " + aOffset + "/" + aStride + " " + bOffset
          + "/" + bStride + " " + cOffset + "/" + cStride + " in " + a.length + ", " + b.length + ", " + c.length);
      gemm.multiply(transposeA, transposeB, m, n, k, a, aOffset, aStride, b, bOffset, bStride, c, cOffset, cStride);
    }
  }

  @Test
  void callsAreThoseOfAStepInTheSameTurnsAndTiles() {
    Listening step = new Listening();
    Listening bare = new Listening();
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);
    try (ThreadTeam team = new ThreadTeam(1)) {
      DenseReplicas replicas = new DenseReplicas(NETWORK, training, 1, step, team);
      replicas.bind(RandomData.draw(BATCH, NETWORK, Loss.MSE, new NumpyRandom(1)));
      StepChunk chunk = StepChunk.of(1).learningRate(0.01).build();
      StepLog log = new StepLog(1, NETWORK.layerCount());
      log.open(chunk, 0);
      replicas.run(chunk, 0, log);
      new StepProducts(NETWORK, BATCH, bare).runStepInTiles(team);
    }
    assertTrue(step.calls.size() > 8, "no tiles: " + step.calls);
    assertEquals(step.calls, bare.calls);
  }

  @Test
  void everyProductIsOneCallWhereItIsNotSharedAndThoseOfAStepAreAllOfThem() {
    Listening gemm = new Listening();
    StepProducts products = new StepProducts(NETWORK, BATCH, gemm);
    products.runStepWhole();
    List<String> ofStep = List.copyOf(gemm.calls);
    gemm.calls.clear();
    products.products().forEach(products::runWhole);
    assertEquals(ofStep, gemm.calls);
    assertEquals(List.of(
            "forward 0: 300 x 33 x 7", "forward 1: 1100 x 33 x 300", "forward 2: 3 x 33 x 1100", "inputs 2: 1100 x 33 x 3",
            "weights 2: 3 x 1100 x 33", "inputs 1: 300 x 33 x 1100", "weights 1: 1100 x 300 x 33", "weights 0: 300 x 7 x 33"),
        products.products().stream().map(of -> of.name() + ": " + of.m() + " x " + of.n() + " x " + of.k()).toList());
    for (int i = 0; i < ofStep.size(); i++) {
      Product product = products.products().get(i);
      assertTrue(ofStep.get(i).contains(" " + product.m() + " x " + product.n() + " x " + product.k() + ","), ofStep.get(i));
    }
  }

  @Test
  void tilesOfAProductCoverItWhole() {
    Listening gemm = new Listening();
    StepProducts products = new StepProducts(NETWORK, BATCH, gemm);
    try (ThreadTeam team = new ThreadTeam(1)) {
      for (Product product : products.products()) {
        gemm.calls.clear();
        products.runInTiles(product, team);
        int rows = gemm.calls.stream().mapToInt(call -> Integer.parseInt(call.split(" ")[2])).sum();
        assertEquals(product.m(), rows, product.name());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp32", "fp64"})
  void threadsShareProductsAsAStepDoesFirstAndByTheLibraryThen(String precision) {
    assertEquals(List.of("whole"), names(Method.BY_SIZE, 1, precision));
    assertEquals(List.of("tiles", "OpenBLAS's own threads"), names(Method.BY_SIZE, 2, precision));
    assertEquals(List.of("tiles"), names(Method.JAVA_PRODUCTS, 2, precision));
  }

  private static List<String> names(Method method, int threads, String precision) {
    try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(threads, method))) {
      List<Schedule> ways = backend.stepProducts(NETWORK, Precision.of(precision), BATCH);
      for (Schedule way : ways) {
        way.runStep(2);
        way.run(way.products().get(1), 2);
        way.close();
      }
      return ways.stream().map(Schedule::name).toList();
    }
  }

  /** Java with the Vector API on a processor with AVX-512; elsewhere a BLAS multiplies all. */
  @Test
  void widestNetworksWithLargeBatchesAreHeldAgainstTheLibraryWhereItIsNotUsed() {
    NetworkSpec wide = NetworkSpec.of(Activation.RELU, 7, 400, 390, 3);
    int[] batches = {96, 95};
    boolean canChoose = MatrixProducts.withVectorApi().isPresent();
    for (int batch : batches) {
      try (CpuBackend backend = CpuUnderTest.open(new CpuOptions(1, Method.BY_SIZE))) {
        List<Schedule> ways = backend.stepProducts(wide, Precision.FP32, batch);
        List<String> expected = canChoose && batch == 96 ? List.of("whole", "OpenBLAS") : List.of("whole");
        assertEquals(expected, ways.stream().map(Schedule::name).toList());
        ways.forEach(Schedule::close);
      }
    }
  }

  @Test
  void libraryIsNamedWithItsKernels() {
    try (CpuBackend backend = CpuUnderTest.open(CpuOptions.standard());
        CpuBackend plain = CpuUnderTest.open(CpuOptions.standard().withMethod(Method.JAVA_PRODUCTS))) {
      String library = "OpenBLAS [0-9.]+, kernels [A-Z0-9]+(; for the widest networks Java's Vector API, 512 bits)?";
      assertTrue(backend.library().matches(library), backend.library());
      assertEquals("plain Java", plain.library());
    }
  }

  @Test
  void precisionThatTheCpuLacksIsRefused() {
    try (CpuBackend backend = CpuUnderTest.open(CpuOptions.standard())) {
      assertThrows(InvalidInputException.class, () -> backend.stepProducts(NETWORK, Precision.BF16, BATCH));
    }
  }
}
