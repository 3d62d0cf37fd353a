package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A table that is released while it is encoded gives the same data sets, and keeps the columns that are needed. */
class ReleasedTableTest {
  /** More than a chunk of a column and more than a block of features. */
  private static final int ROWS = 9000;

  @ParameterizedTest
  @EnumSource(names = {"FP32", "FP64"})
  void textFileIsEncodedAsBefore(Precision precision) {
    StringBuilder text = new StringBuilder("a,b,town,w,y\n");
    Random random = new Random(1);
    for (int row = 0; row < ROWS; row++) {
      text.append(random.nextGaussian()).append(',').append(random.nextInt(1000) / 100.0).append(",t").append(random.nextInt(5))
          .append(',').append(1 + row % 7).append(',').append(row).append(".5\n");
    }
    Table table = read(text.toString());
    EncodingOptions options = EncodingOptions.DEFAULT.withTargets("y").withFeatures("a", "b", "town");
    List<Table> parts = assertSame(table, options, Set.of("w"), precision);
    assertEquals(List.of("w", "y"), parts.get(0).names());
    Table training = read(text.toString()).rows(training());
    for (int row = 0; row < training.rows(); row++) {
      assertEquals(training.column("y").number(row), parts.get(0).column("y").number(row));
      assertEquals(training.column("w").text(row), parts.get(0).column("w").text(row));
      assertEquals(training.sourceRow(row), parts.get(0).sourceRow(row));
    }
    assertThrows(RuntimeException.class, () -> table.column("a").number(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"<f4", ">f8", "|i1", "<i2", ">u2", "<i4", ">u4", "<i8", ">i8", "|u1"})
  void arrayIsEncodedAsBeforeAlsoWithTheTargetWithinIt(String type) {
    int columns = 13;
    int bytes = type.charAt(2) - '0';
    ByteBuffer numbers = ByteBuffer.allocate(ROWS * columns * bytes);
    numbers.order(type.charAt(0) == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(2);
    while (numbers.hasRemaining()) {
      int value = random.nextInt(100);
      switch (type.substring(1)) {
        case "f4" -> numbers.putFloat(value / 8f);
        case "f8" -> numbers.putDouble(value / 7.0);
        case "i1", "u1" -> numbers.put((byte) value);
        case "i2", "u2" -> numbers.putShort((short) value);
        case "i4", "u4" -> numbers.putInt(value);
        default -> numbers.putLong(value + (1L << 60));
      }
    }
    byte[] header = NpyFormat.header(type, List.of(ROWS, columns));
    byte[] file = ByteBuffer.allocate(header.length + numbers.capacity()).put(header).put(numbers.array()).array();
    Table table = TableReader.read(new ByteArrayInputStream(file), "npy", ReadOptions.DEFAULT);
    Table same = TableReader.read(new ByteArrayInputStream(file), "npy", ReadOptions.DEFAULT);
    List<Table> parts = assertSame(table, EncodingOptions.DEFAULT.withTask(Task.REGRESSION), Set.of(), Precision.FP32);
    Table training = same.rows(training());
    for (int row = 0; row < training.rows(); row++) {
      assertEquals(training.column("13").text(row), parts.get(0).column("13").text(row));
    }
    assertThrows(RuntimeException.class, () -> table.column("13").number(0));
  }

  @Test
  void partsOfADataSetAreItsRows() {
    double[] x = new Random(3).doubles(3 * ROWS).toArray();
    Table table = Table.of(List.of(Column.ofNumbers("a", x), Column.ofNumbers("y", x)));
    Dataset data = TableEncoding.fit(table, EncodingOptions.DEFAULT).encode(table, Loss.MSE, Precision.FP32);
    for (int size : new int[] {1, 512, 1000, 1024, 20_000, 1 << 20}) {
      int row = 0;
      for (Dataset part : data.parts(size)) {
        assertTrue(part.rows() <= 2L * size, part.rows() + " rows in a part of " + size);
        for (int i = 0; i < part.rows(); i++, row++) {
          assertEquals(data.feature(row, 0), part.feature(i, 0));
          assertEquals(data.target(row, 0), part.target(i, 0));
        }
      }
      assertEquals(data.rows(), row);
    }
  }

  private static List<Table> assertSame(Table table, EncodingOptions options, Set<String> kept, Precision precision) {
    TableEncoding encoding = TableEncoding.fit(table, options);
    List<Table> parts = List.of(table.rows(training()), table.rows(validation()));
    List<Dataset> expected = parts.stream().map(part -> encoding.encode(part, Loss.MSE, precision)).toList();
    Dataset doubles = encoding.encode(parts.get(0), Loss.MSE);
    List<EncodedRows> encoded = encoding.encodeAndRelease(parts, kept, Loss.MSE, precision, precision);
    for (int part = 0; part < 2; part++) {
      Dataset rows = encoded.get(part).rows();
      assertEquals(expected.get(part).rows(), rows.rows());
      for (int row = 0; row < rows.rows(); row++) {
        for (int column = 0; column < rows.features(); column++) {
          assertEquals(expected.get(part).feature(row, column), rows.feature(row, column));
          if (part == 0) {
            double exact = doubles.feature(row, column);
            assertEquals(precision == Precision.FP64 ? exact : (float) exact, rows.feature(row, column));
          }
        }
        assertEquals(expected.get(part).target(row, 0), rows.target(row, 0));
      }
    }
    return encoded.stream().map(EncodedRows::table).toList();
  }

  private static int[] training() {
    return IntStream.range(0, ROWS).filter(row -> row % 5 != 3).toArray();
  }

  private static int[] validation() {
    return IntStream.range(0, ROWS).filter(row -> row % 5 == 3).toArray();
  }

  private static Table read(String text) {
    return TableReader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "csv", ReadOptions.DEFAULT);
  }
}
