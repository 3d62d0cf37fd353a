package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Column;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Missing;
import dev.plumb.data.Table;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class PixelScaleTest {
  private static final int ROWS = 40;

  @Test
  void pixelsHaveTheRootMeanSquareOfAllDeviations() {
    List<FeatureColumn.Numeric> scaled = features(64, x -> x, Missing.REFUSE);
    List<FeatureColumn.Numeric> own = features(63, x -> x, Missing.REFUSE);
    double squares = 0;
    for (double[] values : pixels(64)) {
      double mean = Arrays.stream(values).average().orElseThrow();
      squares += Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum() / ROWS;
    }
    // The first pixel is constant; such a feature counts with a deviation of 1.
    double expected = Math.sqrt((squares + 1) / 64);
    for (FeatureColumn.Numeric pixel : scaled) {
      assertEquals(expected, pixel.scale(), 1e-12 * expected);
    }
    assertEquals(63, own.stream().mapToDouble(FeatureColumn.Numeric::scale).distinct().count(), "63 features are no image");
  }

  @Test
  void otherNumbersHaveScalesOfTheirOwn() {
    for (DoubleUnaryOperator change : List.<DoubleUnaryOperator>of(x -> x + 200, x -> -x, x -> x + 0.5)) {
      assertTrue(features(64, change, Missing.REFUSE).stream().mapToDouble(FeatureColumn.Numeric::scale).distinct().count() > 60);
    }
  }

  @Test
  void missingPixelsKeepTheirIndicator() {
    List<FeatureColumn.Numeric> scaled = features(64, x -> x == 0 ? Double.NaN : x, Missing.INDICATOR);
    assertEquals(1, scaled.stream().mapToDouble(FeatureColumn.Numeric::scale).distinct().count());
    assertTrue(scaled.stream().anyMatch(FeatureColumn.Numeric::indicator));
  }

  /** Pixels from 0 to 100, except for the first, which is always 7. */
  private static double[][] pixels(int count) {
    Random random = new Random(3);
    double[][] pixels = new double[count][ROWS];
    for (int pixel = 0; pixel < count; pixel++) {
      for (int row = 0; row < ROWS; row++) {
        pixels[pixel][row] = pixel == 0 ? 7 : random.nextInt(Math.min(101, 2 + pixel * 2));
      }
    }
    return pixels;
  }

  private static List<FeatureColumn.Numeric> features(int count, DoubleUnaryOperator change, Missing missing) {
    double[][] pixels = pixels(count);
    List<Column> columns = new ArrayList<>();
    for (int pixel = 0; pixel < count; pixel++) {
      columns.add(Column.ofNumbers("p" + pixel, Arrays.stream(pixels[pixel]).map(change).toArray()));
    }
    columns.add(Column.ofNumbers("y", new Random(4).doubles(ROWS).toArray()));
    DataView view = DataView.of(Table.of(columns), TrainConfig.DEFAULT.with(c -> c.validation(0)
        .columns(EncodingOptions.DEFAULT.withMissing(missing))), new NumpyRandom(1));
    return view.encoding().features().stream().map(FeatureColumn.Numeric.class::cast).toList();
  }
}
