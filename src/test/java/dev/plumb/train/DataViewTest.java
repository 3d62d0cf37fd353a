package dev.plumb.train;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Dataset;
import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Missing;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Loss;
import dev.plumb.random.NumpyRandom;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The split, the encoded rows and the initial weights that a seed gives. */
class DataViewTest {
  private static final TrainConfig CONFIG = TrainConfig.DEFAULT.with(c -> c.validation(0.25).seed(5).hidden(7, 3));

  /** The digests are from the version before splits could have a seed of their own. */
  @ParameterizedTest
  @CsvSource({"wine, 45, 44274eb", "diabetes, 111, 704602ae", "breast_cancer, 142, a026914b"})
  void oneSeedGivesTheSameBitsAsEarlierVersions(String table, int validationRows, String digest) {
    PreparedData prepared = PreparedData.of(table(table), CONFIG);
    assertEquals(validationRows, prepared.view().validation().orElseThrow().rows());
    CRC32 crc = new CRC32();
    add(crc, prepared.start().parameters());
    add(crc, prepared.view().training());
    add(crc, prepared.view().validation().orElseThrow());
    for (int word : prepared.start().stream().words()) {
      crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(word).array());
    }
    crc.update(prepared.start().stream().position());
    assertEquals(digest, Long.toHexString(crc.getValue()));
  }

  @Test
  void columnsWithMissingNumbersHaveAnIndicator() {
    double nan = Double.NaN;
    Table table = Table.of(new double[][] {{1, 2, 0.5}, {nan, 4, 1.5}, {3, nan, 2}, {5, 1, nan}, {2, 2, 1}}, "a", "b", "y");
    DataView view = DataView.of(table, TrainConfig.DEFAULT.with(c -> c.validation(0)
        .columns(EncodingOptions.DEFAULT.withMissing(Missing.INDICATOR))), new NumpyRandom(1));
    assertEquals(4, view.rows());
    assertEquals(1, view.droppedRows());
    FeatureColumn.Numeric a = (FeatureColumn.Numeric) view.encoding().features().get(0);
    FeatureColumn.Numeric b = (FeatureColumn.Numeric) view.encoding().features().get(1);
    assertTrue(a.indicator() && b.indicator());
    assertEquals(4, view.training().features());
    assertEquals(1, view.training().feature(1, 1));
    assertEquals(0, view.training().feature(1, 0));
    assertEquals(1, view.training().feature(2, 3));
  }

  @Test
  void splitSeedFixesTheValidationRowsOfDifferentSeeds() {
    Table wine = table("wine");
    PreparedData first = PreparedData.of(wine, CONFIG.with(c -> c.splitSeed(9)));
    PreparedData second = PreparedData.of(wine, CONFIG.with(c -> c.splitSeed(9).seed(6)));
    PreparedData otherSplit = PreparedData.of(wine, CONFIG.with(c -> c.splitSeed(10)));
    assertEquals(validationRows(first), validationRows(second));
    assertFalse(Arrays.equals(first.start().parameters(), second.start().parameters()));
    assertFalse(validationRows(first).equals(validationRows(otherSplit)));
    assertSameBits("weights of one seed", first.start().parameters(), otherSplit.start().parameters());
  }

  @Test
  void splitSeedLeavesTheStreamOfTheSeedToTheWeights() {
    PreparedData prepared = PreparedData.of(table("wine"), CONFIG.with(c -> c.splitSeed(9)));
    NumpyRandom stream = new NumpyRandom(CONFIG.seed());
    assertSameBits("weights", CONFIG.initializer().draw(prepared.network(), stream), prepared.start().parameters());
    assertArrayEquals(stream.state().words(), prepared.start().stream().words());
    assertEquals(stream.state().position(), prepared.start().stream().position());
  }

  @Test
  void oneViewServesSeveralSeeds() {
    Table wine = table("wine");
    TrainConfig config = CONFIG.with(c -> c.splitSeed(9));
    DataView view = DataView.of(wine, config, new NumpyRandom(9));
    for (long seed : List.of(1L, 2L)) {
      TrainConfig seeded = config.with(c -> c.seed(seed));
      PreparedData expected = PreparedData.of(wine, seeded);
      PreparedData actual = PreparedData.of(view, seeded);
      assertEquals(validationRows(expected), validationRows(actual));
      assertEquals(expected.fit(), actual.fit());
      assertSameBits("seed " + seed, expected.start().parameters(), actual.start().parameters());
    }
  }

  @Test
  void viewIsRefusedForAnotherLoss() {
    DataView view = DataView.of(table("breast_cancer"), CONFIG, new NumpyRandom(9));
    TrainConfig other = CONFIG.with(c -> c.loss(Loss.BINARY_CROSS_ENTROPY));
    assertEquals("the rows are encoded for loss cross_entropy, not for binary_cross_entropy",
        assertThrows(IllegalArgumentException.class, () -> PreparedData.of(view, other)).getMessage());
  }

  private static Table table(String name) {
    return TableReader.read(Path.of("src/test/resources/tables", name + ".csv"), ReadOptions.DEFAULT);
  }

  /** Returns the text of the validation rows. */
  private static List<String> validationRows(PreparedData prepared) {
    Table rows = prepared.view().validationRows().orElseThrow();
    return IntStream.range(0, rows.rows())
        .mapToObj(row -> rows.names().stream().map(name -> rows.column(name).text(row)).collect(Collectors.joining(",")))
        .toList();
  }

  private static void add(CRC32 crc, Dataset data) {
    for (int row = 0; row < data.rows(); row++) {
      for (int feature = 0; feature < data.features(); feature++) {
        add(crc, data.feature(row, feature));
      }
    }
    for (int row = 0; row < data.rows(); row++) {
      add(crc, data.hasClasses() ? data.label(row) : data.target(row, 0));
    }
  }

  private static void add(CRC32 crc, double... values) {
    for (double value : values) {
      crc.update(ByteBuffer.allocate(Double.BYTES).putDouble(value).array());
    }
  }
}
