package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Planner;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How networks are laid into the shared memory of real cards' blocks; the figures at the head of kernels/fused_mlp.cu are these. */
class FusedPlanTest {
  private static final CardLimits H100 = new CardLimits(227 << 10, 228 << 10, 1 << 10, 132);
  private static final CardLimits TURING = new CardLimits(64 << 10, 64 << 10, 0, 40);
  private static final NetworkSpec VERY_DEEP = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);

  @ParameterizedTest
  @CsvSource({"FP64, 1, 192", "FP64, 1024, 192", "FP32, 1, 416", "FP32, 1024, 192"})
  void notebooksDeepestNetworkOnAnH100(Precision precision, int replicas, int rows) {
    FusedPlan plan = new FusedPlan(VERY_DEEP, SGD.withPrecision(precision), replicas, 400, 400, H100);
    assertEquals(rows, plan.rowsOfTile());
    assertEquals(rows, plan.threads(), "one thread a row");
    assertFalse(plan.isStreamed());
    assertTrue(plan.memory().bytes() <= H100.sharedOfBlock(), plan.memory().toString());
  }

  @ParameterizedTest
  @CsvSource({"8, 32", "64, 256", "33, 160", "100, 256"})
  void widerLayersHaveMoreThreadsThanASmallBatchHasRows(int width, int threads) {
    NetworkSpec network = NetworkSpec.of(Activation.TANH, 4, width, 2);
    assertEquals(threads, new FusedPlan(network, SGD, 1, 7, 100, H100).threads());
  }

  @Test
  void dataIsSharedWhereItFits() {
    assertTrue(new FusedPlan(VERY_DEEP, SGD, 1, 32, 400, H100).memory().x() > 0);
    assertEquals(-1, new FusedPlan(VERY_DEEP, SGD, 1, 32, 40_000, H100).memory().x());
  }

  @Test
  void momentsTakePlace() {
    TrainingSpec adam = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    long plain = new FusedPlan(VERY_DEEP, SGD, 1, 32, 0, H100).memory().bytes();
    long vector = new FusedPlan(VERY_DEEP, SGD, 1, 32, 0, H100).layers().vector() * Double.BYTES;
    assertEquals(plain + 2 * vector, new FusedPlan(VERY_DEEP, adam, 1, 32, 0, H100).memory().bytes());
  }

  /** More than an int counts of bytes, and of elements once they are padded. */
  @Test
  void whatIsFarTooLargeIsNamedWithItsSize() {
    NetworkSpec huge = NetworkSpec.of(Activation.RELU, 46_000, 46_000, 1);
    String obstacle = FusedPlan.obstacle(huge, SGD, TURING, Planner.FUSED).orElseThrow();
    assertTrue(obstacle.matches("its parameters, gradients and moments take 5\\d{10} bytes of shared memory, of which a block of this"
        + " card may have 65536"), obstacle);
  }

  @Test
  void autoWantsTheTileInSharedMemoryToo() {
    NetworkSpec wide = NetworkSpec.of(Activation.RELU, 3, 24, 24, 24, 24, 24, 1);
    assertTrue(FusedPlan.obstacle(wide, SGD, TURING, Planner.FUSED).isEmpty());
    assertTrue(FusedPlan.obstacle(wide, SGD, TURING, Planner.AUTO).orElseThrow().startsWith("it takes, with the units of 32 rows, "));
    assertTrue(new FusedPlan(wide, SGD, 1, 100, 100, TURING).isStreamed());
    assertTrue(FusedPlan.obstacle(wide, SGD, H100, Planner.AUTO).isEmpty());
  }
}
