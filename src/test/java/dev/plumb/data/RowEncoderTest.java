package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class RowEncoderTest {
  private static final TargetEncoding TARGET = new TargetEncoding.Classes("y", List.of("no", "yes"));
  private static final RowEncoder MIXED = new RowEncoder(new TableEncoding(List.of(
      new FeatureColumn.Numeric("size", 3, 0.7, OptionalDouble.of(2), false),
      new FeatureColumn.Categorical("color", List.of("blue", "red"), Optional.of("red"), false),
      new FeatureColumn.Categorical("code", List.of("7", "12"), Optional.empty(), false),
      new FeatureColumn.Numeric("weight", 0, 1e-3, OptionalDouble.empty(), false)), TARGET));
  private static final RowEncoder NUMBERS = new RowEncoder(new TableEncoding(List.of(
      new FeatureColumn.Numeric("a", 3, 0.7, OptionalDouble.of(2), false),
      new FeatureColumn.Numeric("b", 0, 1e-3, OptionalDouble.empty(), false)), TARGET));

  @Test
  void rowsAreEncodedByColumn() {
    double[] expected = {(5 - 3) / 0.7, 1, 0, 0, 1, 2 / 1e-3};
    assertArrayEquals(expected, encode(row("size", 5, "color", "blue", "code", "12", "weight", 2L)));
    assertArrayEquals(expected, encode(row("size", 5.0, "color", "blue", "code", 12, "weight", 2f, "other", null)));
    assertArrayEquals(expected, encode(row("size", 5, "color", new StringBuilder("blue"), "code", 12.0, "weight", (byte) 2)));
  }

  @Test
  void missingValuesAreFilledInAsInTraining() {
    double[] expected = {(2 - 3) / 0.7, 0, 1, 1, 0, 0};
    assertArrayEquals(expected, encode(row("size", null, "color", null, "code", "7", "weight", 0)));
    assertArrayEquals(expected, encode(row("size", Double.NaN, "color", null, "code", "7", "weight", -0.0)), 0);
    assertArrayEquals(new double[] {(2 - 3) / 0.7, 4 / 1e-3}, NUMBERS.encode(new double[] {Double.NaN, 4}, Precision.FP32));
  }

  @Test
  void missingValuesHaveAnInputIfTheyDidInTraining() {
    TableEncoding encoding = new TableEncoding(List.of(
        new FeatureColumn.Numeric("size", 3, 0.7, OptionalDouble.of(2), true),
        new FeatureColumn.Categorical("color", List.of("blue", "red"), Optional.empty(), true),
        new FeatureColumn.Numeric("weight", 0, 0.5, OptionalDouble.of(1), true)), TARGET);
    RowEncoder encoder = new RowEncoder(encoding);
    assertArrayEquals(new double[] {(2 - 3) / 0.7, 1, 0, 0, 1, 2, 1}, encoder.encode(row("size", null, "color", null, "weight",
        Double.NaN), Precision.FP32));
    assertArrayEquals(new double[] {(4 - 3) / 0.7, 0, 0, 1, 0, 6, 0}, encoder.encode(row("size", 4, "color", "red", "weight", 3),
        Precision.FP32));
    Table table = Table.of(List.of(Column.ofNumbers("size", Double.NaN, 4), Column.ofText("color", null, "red"),
        Column.ofNumbers("weight", Double.NaN, 3)));
    Dataset encoded = encoding.encodeFeatures(table);
    for (int input = 0; input < 7; input++) {
      assertEquals(encoded.feature(0, input), encoder.encode(row("size", null, "color", null, "weight", null), Precision.FP64)[input]);
      assertEquals(encoded.feature(1, input), encoder.encode(row("size", 4, "color", "red", "weight", 3), Precision.FP64)[input]);
    }
    RowEncoder numbers = new RowEncoder(new TableEncoding(List.of(encoding.features().get(0), encoding.features().get(2)), TARGET));
    assertArrayEquals(new double[] {(4 - 3) / 0.7, 0, 2, 1}, numbers.encode(new double[] {4, Double.NaN}, Precision.FP32));
  }

  @Test
  void unknownCategoriesAreZero() {
    assertArrayEquals(new double[] {0, 0, 0, 0, 0, 0}, encode(row("size", 3, "color", "", "code", "07", "weight", 0)));
  }

  @Test
  void rowsThatCannotBeEncodedAreRefusedInOneLine() {
    assertRefused("there is no column \"weight\" (did you mean \"wieght\"?); the model was trained on it",
        row("size", 5, "color", "blue", "code", "12", "wieght", 2));
    assertRefused("column \"size\" is \"5 cm\", but the model was trained on numbers there; give a number",
        row("size", "5 cm", "color", "blue", "code", "12", "weight", 2));
    assertRefused("column \"weight\" has no value; give one, or train with --missing mean",
        row("size", 5, "color", "blue", "code", "12", "weight", null));
    assertRefused("column \"code\" has no value; give one, or train with --missing mean",
        row("size", 5, "color", "blue", "code", Double.NaN, "weight", 1));
    assertRefused("1.0E36 in column \"weight\" is outside the range of fp32 after encoding; a model trained with --precision fp64"
        + " has a wider range", row("size", 5, "color", "blue", "code", "12", "weight", 1e36));
    assertRefused("Infinity in column \"weight\" is outside the range of fp32 after encoding; a model trained with --precision fp64"
        + " has a wider range", row("size", 5, "color", "blue", "code", "12", "weight", Double.POSITIVE_INFINITY));
    Map<String, Object> withNull = row("size", 5);
    withNull.put(null, 1);
    assertRefused("there is no column \"color\"; the model was trained on it", withNull);
  }

  @Test
  void numbersThatCannotBeEncodedAreRefusedInOneLine() {
    assertEquals("1 value given, but the model has 2 features", refusal(() -> NUMBERS.encode(new double[] {1}, Precision.FP32)));
    assertEquals("column \"color\" is text, but got a number; give the row as a map from column to value",
        refusal(() -> MIXED.encode(new double[] {1, 2, 3, 4}, Precision.FP32)));
    assertEquals("column \"b\" has no value; give one, or train with --missing mean",
        refusal(() -> NUMBERS.encode(new double[] {1, Double.NaN}, Precision.FP32)));
    assertEquals("1.0E306 in column \"b\" is outside the range of fp64 after encoding",
        refusal(() -> NUMBERS.encode(new double[] {1, 1e306}, Precision.FP64)));
  }

  private static double[] encode(Map<String, ?> row) {
    return Arrays.stream(MIXED.encode(row, Precision.FP32)).map(x -> x + 0.0).toArray();
  }

  private static void assertRefused(String message, Map<String, ?> row) {
    assertEquals(message, refusal(() -> MIXED.encode(row, Precision.FP32)));
  }

  private static String refusal(Runnable encoding) {
    return assertThrows(InvalidInputException.class, encoding::run).getMessage();
  }

  private static Map<String, Object> row(Object... keysAndValues) {
    Map<String, Object> row = new HashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      row.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return row;
  }
}
