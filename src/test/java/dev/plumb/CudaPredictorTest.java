package dev.plumb;

import static dev.plumb.PredictorTest.figures;
import static dev.plumb.PredictorTest.model;
import static dev.plumb.PredictorTest.numbers;
import static dev.plumb.PredictorTest.slice;
import static dev.plumb.PredictorTest.table;
import static dev.plumb.golden.Close.assertSameBits;

import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.data.Table;
import dev.plumb.model.Precision;
import dev.plumb.train.Predictor;
import dev.plumb.train.TrainConfig;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A predictor on a GPU gives a row the same bits alone and in a table, by the fused and by the layered planner. */
@Tag("cuda")
@Tag("host-device")
class CudaPredictorTest {
  private static final int ROWS = 300;

  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
  }

  @ParameterizedTest
  @CsvSource({"5, 5, FP32", "5, 5, FP64", "300, 200, FP32"})
  void rowsHaveTheSameBitsAloneAndInTables(int features, int units, Precision precision) {
    Table table = table(ROWS, features, 3);
    Model model = model(table, TrainConfig.DEFAULT.with(c -> c.hidden(units).precision(precision)));
    try (Predictor predictor = model.predictor(Device.CUDA)) {
      double[] expected = figures(predictor.predict(table));
      for (int size : new int[] {1, 7, 257}) {
        int[] rows = IntStream.range(ROWS - size, ROWS).toArray();
        assertSameBits(size + " rows", slice(expected, ROWS - size, size, 3), figures(predictor.predict(table.rows(rows))));
      }
      for (int row : new int[] {0, 255, ROWS - 1}) {
        assertSameBits("row " + row, slice(expected, row, 1, 3), figures(predictor.predict(numbers(table, row))));
      }
    }
  }
}
