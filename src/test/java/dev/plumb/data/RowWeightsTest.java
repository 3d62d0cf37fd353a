package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowWeightsTest {
  private static final Table TABLE = Table.of(List.of(Column.ofNumbers("x", new double[] {1, 2, 3, 4, 5}),
      Column.ofText("y", new String[] {"a", "b", "a", "a", "c"}), Column.ofNumbers("w", new double[] {1, 2, 3, 0.5, 4})));
  private static final TableEncoding ENCODING = TableEncoding.fit(TABLE, EncodingOptions.DEFAULT.withTargets("y").withFeatures("x"));

  /** scikit-learn's compute_class_weight("balanced"): 5 / (3 * [3, 1, 1]). */
  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    Dataset rows = apply(new RowWeights(Optional.empty(), Optional.of(ClassWeights.BALANCED)));
    assertArrayEquals(new double[] {5 / 9.0, 5 / 3.0, 5 / 9.0, 5 / 9.0, 5 / 3.0}, weights(rows), 1e-15);
  }

  @Test
  void weightOfARowIsTimesThatOfItsClass() {
    ClassWeights classes = ClassWeights.parse(List.of("a=2", "c=0.25"));
    assertEquals(new ClassWeights(Map.of("a", 2.0, "c", 0.25)), classes);
    assertArrayEquals(new double[] {2, 2, 6, 1, 1}, weights(apply(new RowWeights(Optional.of("w"), Optional.of(classes)))));
    assertArrayEquals(new double[] {1, 2, 3, 0.5, 4}, weights(apply(new RowWeights(Optional.of("w"), Optional.empty()))));
  }

  @Test
  void withoutWeightsTheRowsAreUnchanged() {
    Dataset rows = ENCODING.encode(TABLE);
    assertSame(rows, RowWeights.NONE.apply(rows, TABLE, ENCODING, TABLE));
    assertFalse(rows.hasWeights());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "a | \"a\" must be balanced or a class and its weight: name=2.5",
    "a=x | \"a=x\" must be balanced or a class and its weight: name=2.5",
    "a=0 | the weight of class \"a\" is 0.0; it must be a number greater than 0",
    "a=-1 | the weight of class \"a\" is -1.0; it must be a number greater than 0",
    "d=1 | a weight is given for class \"d\", which does not occur (did you mean \"a\"?); the classes are a, b, c"})
  void unusableClassWeightsAreRefused(String word, String message) {
    assertEquals(message, assertThrows(InvalidInputException.class,
        () -> apply(new RowWeights(Optional.empty(), Optional.of(ClassWeights.parse(List.of(word)))))).getMessage());
  }

  @Test
  void unusableWeightsOfRowsAreRefused() {
    assertEquals("row 1: the weight in column \"y\" is \"a\"; it must be a number from 1.0E-6 to 1000000.0",
        assertThrows(InvalidInputException.class, () -> apply(new RowWeights(Optional.of("y"), Optional.empty()))).getMessage()
            .replaceAll("from .* to .*", "from 1.0E-6 to 1000000.0"));
    Table holes = Table.of(List.of(Column.ofNumbers("w", new double[] {1, Double.NaN})));
    String missing = assertThrows(InvalidInputException.class,
        () -> new RowWeights(Optional.of("w"), Optional.empty()).ofColumn(holes)).getMessage();
    assertEquals("row 2: the weight in column \"w\" is missing", missing.substring(0, missing.indexOf(';')));
    TableEncoding numbers = TableEncoding.fit(TABLE, EncodingOptions.DEFAULT.withTargets("w").withFeatures("x"));
    assertEquals("classes have weights, but the target has numbers; use a column of weights (--weight)",
        assertThrows(InvalidInputException.class, () -> new RowWeights(Optional.empty(), Optional.of(ClassWeights.BALANCED))
            .apply(numbers.encode(TABLE), TABLE, numbers, TABLE)).getMessage());
  }

  @Test
  void columnOfWeightsIsNeitherAFeatureNorATarget() {
    RowWeights weights = new RowWeights(Optional.of("w"), Optional.empty());
    EncodingOptions defaults = EncodingOptions.DEFAULT;
    assertEquals(List.of("x"), weights.resolve(TABLE, defaults.withTargets("y")).features());
    assertEquals(List.of("x"), weights.resolve(TABLE, defaults.withTargets("y").withExcluded("w")).features());
    assertEquals(List.of("x", "w"), weights.resolve(TABLE, defaults.withTargets("y").withFeatures("x", "w")).features());
    assertEquals(defaults.resolve(TABLE), RowWeights.NONE.resolve(TABLE, defaults));
    Table weightLast = Table.of(new double[][] {{1, 2, 3}, {4, 5, 6}}, "x", "y", "w");
    assertEquals(List.of("y"), weights.resolve(weightLast, defaults).targets());
    assertEquals("has no column for the target and the features", assertThrows(InvalidInputException.class,
        () -> weights.resolve(Table.of(new double[][] {{1}}, "w"), defaults)).getMessage());
    assertEquals("there is no column \"v\" (did you mean \"x\"?); the columns are \"x\", \"y\", \"w\"", assertThrows(
        InvalidInputException.class, () -> new RowWeights(Optional.of("v"), Optional.empty()).resolve(weightLast, defaults)).getMessage());
    assertEquals("column \"w\" is named as a target and as the weight; it can be only one of them", assertThrows(
        InvalidInputException.class, () -> weights.resolve(TABLE, defaults.withTargets("w"))).getMessage());
  }

  private static Dataset apply(RowWeights weights) {
    return weights.apply(ENCODING.encode(TABLE), TABLE, ENCODING, TABLE);
  }

  private static double[] weights(Dataset rows) {
    double[] weights = new double[rows.rows()];
    for (int row = 0; row < weights.length; row++) {
      weights[row] = rows.weight(row);
    }
    return weights;
  }
}
