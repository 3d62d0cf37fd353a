package dev.plumb.backend.cuda.fused;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.device.DeviceLimits;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The layout of networks in the shared memory of blocks of real GPUs; the header of kernels/fused_mlp.cu has these figures. */
class FusedPlanTest {
  private static final DeviceLimits H100 = new DeviceLimits(227 << 10, 228 << 10, 1 << 10, 132);
  private static final DeviceLimits TURING = new DeviceLimits(64 << 10, 64 << 10, 0, 40);
  private static final NetworkSpec VERY_DEEP = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1);

  /**
   * On an H200 (kernels/MEASURED.md) one block of 416 rows per multiprocessor trained more networks in single precision than 2
   * blocks of 160, 3 of 128 or 4 of 64 rows; in double precision one of 160 rows as many as 4 of 32, and more than 2 or 3.
   */
  @ParameterizedTest
  @CsvSource({
    "FP32, 1, 416, false", "FP32, 132, 416, false", "FP32, 1024, 416, false", "FP32, 16384, 416, false",
    "FP64, 1, 160, true", "FP64, 132, 160, true", "FP64, 1024, 160, true", "FP64, 16384, 160, true",
  })
  void notebooksDeepestNetworkOnAnH100(Precision precision, int replicas, int rows, boolean dataShared) {
    FusedPlan plan = new FusedPlan(VERY_DEEP, SGD.withPrecision(precision), replicas, 400, 400, H100);
    assertEquals(1, plan.sharing());
    assertEquals(rows, plan.rowsOfTile());
    assertEquals(rows, plan.threads(), "one thread a row");
    assertEquals(dataShared, plan.memory().x() >= 0, plan.memory().toString());
  }

  /** Blocks of one warp each leave a multiprocessor idle unless several share it. */
  @ParameterizedTest
  @CsvSource({"1, 1", "133, 2", "300, 3", "1024, 4"})
  void smallBatchesShareAMultiprocessor(int replicas, int blocks) {
    FusedPlan plan = new FusedPlan(VERY_DEEP, SGD.withPrecision(Precision.FP32), replicas, 32, 400, H100);
    assertEquals(blocks, plan.sharing());
    assertEquals(32, plan.rowsOfTile());
  }

  /** The planned blocks fit a multiprocessor's memory, including the driver's part, and its registers. */
  @Test
  void blocksThatShareAMultiprocessorFitIt() {
    for (DeviceLimits device : List.of(H100, TURING)) {
      for (int width : new int[] {1, 8, 31, 64, 65}) {
        for (int batch : new int[] {1, 31, 33, 400, 5000}) {
          for (int replicas : new int[] {1, 133, 300, 1024}) {
            NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, width, width, 2);
            TrainingSpec training = SGD.withPrecision(Precision.FP32);
            if (FusedPlan.unsupported(network, training, device).isPresent()) {
              assertTrue(device == TURING && width > 60, network.shape());
              continue;
            }
            FusedPlan plan = new FusedPlan(network, training, replicas, batch, 400, device);
            String what = network.shape() + ", batches of " + batch + ", " + replicas + " replicas: " + plan.memory();
            assertTrue(plan.memory().bytes() <= device.sharedOfBlock(), what);
            assertTrue(plan.sharing() * (plan.memory().bytes() + device.reservedOfBlock()) <= device.sharedOfMultiprocessor(), what);
            assertTrue(plan.sharing() * plan.threads() <= 512, what);
          }
        }
      }
    }
  }

  /**
   * The limit is exact to the byte: accepted networks fit with every batch, and refused ones do not fit even with the shortest
   * tile.
   */
  @Test
  void acceptedNetworksFitWithEveryBatch() {
    NetworkSpec wide = NetworkSpec.of(Activation.TANH, 3, 129, 2, 1);
    TrainingSpec training = SGD.withPrecision(Precision.FP32);
    FusedLayers layers = new FusedLayers(wide, Precision.FP32);
    long needed = FusedMemory.of(layers, wide, training, 32, 1, 0).bytes();
    for (int more = -32; more <= 40_000; more += 500) {
      int bytes = (int) needed + more / 4 * 4;
      DeviceLimits device = new DeviceLimits(bytes, 228 << 10, 1 << 10, 132);
      assertEquals(more < 0, FusedPlan.unsupported(wide, training, device).isPresent(), bytes + " bytes");
      for (int batch : new int[] {1, 32, 33, 256, 300, 5000}) {
        for (int dataRows : new int[] {0, 300}) {
          if (more >= 0) {
            FusedPlan plan = new FusedPlan(wide, training, 1, batch, dataRows, device);
            assertTrue(plan.memory().bytes() <= bytes, batch + " rows: " + plan.memory().bytes() + " of " + bytes + " bytes");
          }
        }
      }
    }
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
    FusedPlan four = new FusedPlan(VERY_DEEP, SGD, 1024, 32, 400, H100);
    assertEquals(4, four.sharing());
    assertEquals(-1, four.memory().x(), "with the data, three blocks would fit a multiprocessor");
  }

  @Test
  void momentsTakeMemory() {
    TrainingSpec adam = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
    long plain = new FusedPlan(VERY_DEEP, SGD, 1, 32, 0, H100).memory().bytes();
    long vector = new FusedPlan(VERY_DEEP, SGD, 1, 32, 0, H100).layers().vector() * Double.BYTES;
    assertEquals(plain + 2 * vector, new FusedPlan(VERY_DEEP, adam, 1, 32, 0, H100).memory().bytes());
  }

  /** More than an int counts of bytes, and of elements once they are padded. */
  @Test
  void farTooLargeNetworksAreRefusedWithTheirSize() {
    NetworkSpec huge = NetworkSpec.of(Activation.RELU, 46_000, 46_000, 1);
    String obstacle = FusedPlan.unsupported(huge, SGD, TURING).orElseThrow();
    assertTrue(obstacle.matches("its parameters, gradients, moments and 32 rows of activations take 5\\d{10} bytes of shared memory, but"
        + " a block of this GPU has at most 65536"), obstacle);
  }

  /** They do so where they fit, so that tiles stay long, but never where another warp may still read the rows. */
  @Test
  void gradientsOfSegmentsReplaceTheirRowsInTheTile() {
    assertEquals(-1, new FusedPlan(VERY_DEEP, SGD, 1, 400, 400, H100).memory().partials());
    NetworkSpec moreItemsThanLanes = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 8, 1);
    assertTrue(new FusedPlan(moreItemsThanLanes, SGD, 1, 400, 400, H100).memory().partials() > 0);
    NetworkSpec severalThreadsPerRow = NetworkSpec.of(Activation.RELU, 1, 16, 1);
    assertTrue(new FusedPlan(severalThreadsPerRow, SGD, 1, 64, 64, H100).memory().partials() > 0);
  }
}
