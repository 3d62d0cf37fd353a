package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables of arrays, and their random split. */
class TableOfNumbersTest {
  @Test
  void numbersAreCopiedByRows() {
    double[][] rows = {{1, 2, 3}, {4, Double.NaN, 6}};
    Table table = Table.of(rows, "a", "b", "c");
    rows[0][0] = 7;
    assertEquals(2, table.rows());
    assertEquals(List.of("a", "b", "c"), table.names());
    assertEquals(1, table.column("a").number(0));
    assertEquals(6, table.column("c").number(1));
    assertTrue(table.column("b").isMissing(1));
    assertEquals(table.names(), Table.of(rows, List.of("a", "b", "c")).names());
  }

  @Test
  void tablesThatAreNoneAreRefusedInOneLine() {
    assertRefused("a table without rows; at least one is needed", new double[0][], "a");
    assertRefused("row 2 has 1 values, but 2 columns are named", new double[][] {{1, 2}, {3}}, "a", "b");
    assertRefused("row 1 has 2 values, but 1 column is named", new double[][] {{1, 2}}, "a");
    assertRefused("row 1 has no values, but 1 column is named", new double[][] {null}, "a");
    assertRefused("a table needs at least one column", new double[][] {{}});
    assertRefused("two columns have the name \"a\"; names must be unique", new double[][] {{1, 2}}, "a", "a");
    assertRefused("column 2 of 2 has no name", new double[][] {{1, 2}}, "a", null);
    assertRefused("row 1: column \"b\" is -Infinity; numbers must be finite, or NaN for a missing value",
        new double[][] {{1, Double.NEGATIVE_INFINITY}}, "a", "b");
  }

  @Test
  void splitHoldsOutTheShareInOrder() {
    Table table = Table.of(IntStream.range(0, 103).mapToObj(row -> new double[] {row}).toArray(double[][]::new), "row");
    TableSplit split = table.split(0.2, 5);
    assertEquals(21, split.test().rows());
    assertEquals(82, split.train().rows());
    int[] train = rows(split.train());
    int[] test = rows(split.test());
    assertArrayEquals(IntStream.of(train).sorted().toArray(), train);
    assertArrayEquals(IntStream.of(test).sorted().toArray(), test);
    assertArrayEquals(IntStream.range(0, 103).toArray(),
        IntStream.concat(IntStream.of(train), IntStream.of(test)).sorted().toArray());
    assertArrayEquals(test, rows(table.split(0.2, 5).test()));
    assertFalse(Arrays.equals(test, rows(table.split(0.2, 6).test())), "another seed splits in another way");
  }

  @ParameterizedTest
  @CsvSource({"2, 0.001, 1", "2, 0.999, 1", "10, 0.999, 9", "10, 0.01, 1", "10, 0.25, 3", "10, 0.5, 5"})
  void neitherPartIsEmpty(int rows, double share, int test) {
    Table table = Table.of(IntStream.range(0, rows).mapToObj(row -> new double[] {row}).toArray(double[][]::new), "row");
    assertEquals(test, table.split(share, 0).test().rows());
    assertEquals(rows - test, table.split(share, 0).train().rows());
  }

  @Test
  void splitsThatAreNoneAreRefused() {
    Table table = Table.of(new double[][] {{1}, {2}}, "a");
    for (double share : new double[] {0, 1, -0.1, 1.5, Double.NaN}) {
      assertEquals("a test share of " + share + " is not possible; it must be above 0 and below 1",
          assertThrows(InvalidInputException.class, () -> table.split(share, 1)).getMessage());
    }
    assertEquals("seed -1 must lie between 0 and 4294967295",
        assertThrows(InvalidInputException.class, () -> table.split(0.5, -1)).getMessage());
    assertEquals("a table of 1 row cannot be split; it needs at least 2",
        assertThrows(InvalidInputException.class, () -> table.rows(new int[] {0}).split(0.5, 1)).getMessage());
  }

  private static int[] rows(Table table) {
    return IntStream.range(0, table.rows()).map(row -> (int) table.column("row").number(row)).toArray();
  }

  private static void assertRefused(String message, double[][] rows, String... names) {
    assertEquals(message, assertThrows(InvalidInputException.class, () -> Table.of(rows, names)).getMessage());
  }
}
