package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class RowTableTest {
  private static final TableEncoding ENCODING = new TableEncoding(
      List.of(new FeatureColumn.Numeric("size", 0, 1, OptionalDouble.empty(), false),
          new FeatureColumn.Categorical("code", List.of("1", "2"), Optional.empty(), true)),
      new TargetEncoding.Classes("kind", List.of("a", "b")));

  @Test
  void numbersBecomeDoublesAndCategoriesText() {
    RowTable rows = new RowTable(ENCODING);
    for (Object size : Arrays.asList((byte) 1, 2L, 0.1f, new BigDecimal("2.50"), null, Double.NaN)) {
      rows.add(0, size);
    }
    for (Object code : Arrays.asList(1, 2.0, 0.1f, new BigDecimal("3.00"), null, true)) {
      rows.add(1, code);
    }
    Table table = rows.table();
    assertEquals(List.of(1.0, 2.0, (double) 0.1f, 2.5, Double.NaN, Double.NaN),
        List.of(0, 1, 2, 3, 4, 5).stream().map(table.column("size")::number).toList());
    assertEquals(Arrays.asList("1", "2", "0.1", "3", null, "true"),
        List.of(0, 1, 2, 3, 4, 5).stream().map(table.column("code")::text).toList());
  }

  @Test
  void textAndInfinityAreNoNumbers() {
    RowTable rows = new RowTable(ENCODING);
    assertEquals("column \"size\" is \"x\", but the model was trained on numbers there; give a number",
        assertThrows(InvalidInputException.class, () -> rows.add(0, "x")).getMessage());
    assertEquals("column \"size\" is Infinity; numbers must be finite, or NaN for a missing value",
        assertThrows(InvalidInputException.class, () -> rows.add(0, Float.POSITIVE_INFINITY)).getMessage());
  }

  @Test
  void missingColumnIsNamed() {
    RowTable.requireColumns(ENCODING, List.of("code", "other", "size"));
    assertEquals("there is no column \"size\" (did you mean \"sizes\"?); the columns are \"sizes\", \"code\"; the model was"
        + " trained on it", assertThrows(InvalidInputException.class,
            () -> RowTable.requireColumns(ENCODING, List.of("sizes", "code"))).getMessage());
  }
}
