package dev.plumb.backend.cuda.layered;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SmallProductsTest {
  /**
   * 784-512-512-10 has 802,816 operations per row in its first layer, 1000-100-100-1 200,000, 1-100-100-1000 200,000 in its last.
   */
  @ParameterizedTest
  @CsvSource({
    "784 512 512 10, FP32, 128, true", "784 512 512 10, FP32, 249, true", "784 512 512 10, FP32, 250, false",
    "784 512 512 10, FP64, 62, true", "784 512 512 10, FP64, 63, false",
    "784 512 512 10, TF32, 137, true", "784 512 512 10, TF32, 138, false",
    "1 1 1, FP32, 1024, true", "1 1 1, FP32, 1025, false", "1 1 1, TF32, 1024, true", "1 1 1, TF32, 1025, false",
    "1000 100 100 1, FP32, 1000, true", "1000 100 100 1, FP32, 1001, false",
    "1 100 100 1000, FP32, 1000, true", "1 100 100 1000, FP32, 1001, false",
  })
  void theLargestProductDecides(String widths, Precision precision, int rows, boolean expected) {
    int[] units = Arrays.stream(widths.split(" ")).mapToInt(Integer::parseInt).toArray();
    NetworkSpec network = NetworkSpec.of(Activation.RELU, units);
    assertEquals(expected, new SmallProducts(network, precision, true).areUsed(rows));
    assertEquals(false, new SmallProducts(network, precision, false).areUsed(rows), "all by cuBLAS");
  }

  @ParameterizedTest
  @CsvSource({"8 8 32, 100, true", "8 8 33, 100, false", "8 8 1, 1024, true", "8 8 1, 1025, false", "8 3, 100, false"})
  void lossIsPartOfTheLastLayerIfAWarpHasAllOutputsOfARow(String widths, int rows, boolean expected) {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, Arrays.stream(widths.split(" ")).mapToInt(Integer::parseInt).toArray());
    assertEquals(expected, new SmallProducts(network, Precision.FP32, true).includeLoss(rows));
    assertEquals(false, new SmallProducts(network, Precision.FP32, false).includeLoss(rows), "all by cuBLAS");
  }
}
