package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Missing values of a training table and of later tables. */
class MissingValuesTest {
  private static final double NAN = Double.NaN;

  @Test
  void messagesSayWhichWordStoodForAMissingValue() {
    Table table = read("c,x,y\na,1,1\nNA,2,2\n,?,3\nb,4,1\n");
    assertRefused("row 2: column \"c\" has no value (\"NA\" stands for a missing value); use --missing drop or --missing"
        + " mean", () -> EncodingOptions.DEFAULT.handleMissing(table));
    TableEncoding encoding = fit(table.rows(new int[] {0, 3}), EncodingOptions.DEFAULT);
    assertRefused("row 3: column \"x\" has no value (\"?\" stands for a missing value); remove such rows, or train with"
        + " --missing mean", () ->
        encoding.withNaValues(Optional.empty()).encodeFeatures(read("c,x,y\na,1,1\nb,2,2\nb,?,3\nb,4,1\n")));
    assertEquals(List.of("-"), encoding.withNaValues(Optional.of(List.of("-"))).readOptions(ReadOptions.DEFAULT).format().naValues()
        .orElseThrow());
  }

  @Test
  void missingValuesAreRefusedWithRowColumnAndRemedies() {
    Table table = withGaps();
    EncodingOptions options = EncodingOptions.DEFAULT;
    assertRefused("row 2: column \"town\" has no value; use --missing drop or --missing mean",
        () -> options.handleMissing(table));
    assertRefused("row 4: column \"price\" has no value; use --missing drop or --missing mean",
        () ->
        options.withFeatures("floors").handleMissing(table));
    assertRefused("row 5: column \"size\" has no value; use --missing drop or --missing mean",
        () ->
        options.handleMissing(table.rows(new int[] {0, 2, 4})));
    TableEncoding encoding = fit(TableEncodingTest.HOUSES, options);
    assertRefused("row 5: column \"size\" has no value; remove such rows, or train with --missing mean", () ->
        encoding.encodeFeatures(table));
    assertRefused("row 2: column \"town\" has no value; remove such rows, or train with --missing mean", () ->
        encoding.encodeFeatures(table.rows(new int[] {0, 1})));
  }

  @Test
  void rowsWithMissingValuesAreDropped() {
    Table usable = EncodingOptions.DEFAULT.withMissing(Missing.DROP).handleMissing(withGaps());
    assertEquals(2, usable.rows());
    assertEquals(3, usable.column("size").number(1));
    assertEquals(4, EncodingOptions.DEFAULT.withMissing(Missing.DROP).withFeatures("floors").handleMissing(withGaps()).rows());
    assertRefused("every row has a missing value, so none is left; use --missing mean instead of drop", () ->
        EncodingOptions.DEFAULT.withMissing(Missing.DROP).handleMissing(withGaps().rows(new int[] {1, 4})));
  }

  @Test
  void missingValuesAreFilledInFromTheTrainingRows() {
    EncodingOptions options = EncodingOptions.DEFAULT.withMissing(Missing.INDICATOR);
    Table table = withGaps().rows(new int[] {0, 1, 2, 4});
    assertEquals(4, options.handleMissing(table).rows());
    TableEncoding encoding = fit(table, options);
    assertEquals(new FeatureColumn.Numeric("size", 2, Math.sqrt(2 / 3.0), OptionalDouble.of(2), true), encoding.features().get(0));
    assertEquals(new FeatureColumn.Categorical("town", List.of("a", "b"), Optional.empty(), true), encoding.features().get(1));
    assertEquals(new FeatureColumn.Numeric("floors", 2, 1, OptionalDouble.of(2), false), encoding.features().get(2));
    assertEquals(6, encoding.inputs());
    Dataset data = encoding.encode(table);
    assertRow(data, 0, -Math.sqrt(1.5), 0, 0, 1, 0, 0);
    assertRow(data, 1, 0, 0, 0, 0, 1, 0);
    assertRow(data, 3, 0, 1, 1, 0, 0, 0);
    Dataset plain = fit(table, options.withStandardize(false)).encode(table);
    assertRow(plain, 3, 2, 1, 1, 0, 0, 2);
    TableEncoding unmarked = fit(table, options.withMissing(Missing.MEAN));
    assertEquals(5, unmarked.inputs());
    assertRow(unmarked.encode(table), 3, 0, 1, 0, 0, 0);
    assertRow(unmarked.encode(table), 1, 0, 0, 0, 1, 0);
    assertEquals(Map.of("size", 1), unmarked.replaced(table));
    assertEquals(Map.of(), encoding.replaced(table));
  }

  @Test
  void columnWithoutMissingValuesInTrainingIsFilledInWithoutAnIndicator() {
    TableEncoding encoding = fit(TableEncodingTest.HOUSES, EncodingOptions.DEFAULT.withMissing(Missing.INDICATOR));
    assertEquals(fit(TableEncodingTest.HOUSES, EncodingOptions.DEFAULT).inputs(), encoding.inputs());
    Table gaps = withGaps().rows(new int[] {1, 4});
    assertRow(encoding.encodeFeatures(gaps), 1, 0, 1, 0, 0, 0);
    assertEquals(Map.of("size", 1, "town", 1), encoding.replaced(gaps));
    assertEquals(Map.of(), encoding.replaced(TableEncodingTest.HOUSES));
  }

  @Test
  void medianIsThatOfThePresentTrainingRows() {
    EncodingOptions options = EncodingOptions.DEFAULT.withMissing(Missing.MEDIAN).withStandardize(false);
    Map<Double, double[]> byMedian = Map.of(2.0, new double[] {9, 1, 2, NAN}, 4.5, new double[] {4.5}, 2.5, new double[] {5, 0},
        -2.5, new double[] {7, -1, NAN, -4, -40, NAN});
    byMedian.forEach((median, values) -> {
      double[] target = IntStream.range(0, values.length).mapToDouble(row -> row + 0.5).toArray();
      assertEquals(new FeatureColumn.Numeric("x", 0, 1, OptionalDouble.of(median), false),
          fit(Table.of(List.of(Column.ofNumbers("x", values), Column.ofNumbers("y", target))), options).features().get(0));
    });
  }

  @Test
  void rowsWithoutTargetOrWeightAreDroppedInAllModesButRefuse() {
    Table table = Table.of(new double[][] {{1, 1, 1}, {NAN, 2, 1}, {3, NAN, 1}, {4, 4, NAN}, {5, 5, 1}}, "x", "y", "w");
    RowWeights weights = new RowWeights(Optional.of("w"), Optional.empty());
    for (Missing missing : List.of(Missing.DROP, Missing.MEAN, Missing.MEDIAN, Missing.INDICATOR)) {
      EncodingOptions options = weights.resolve(table, EncodingOptions.DEFAULT.withMissing(missing));
      List<Double> dropping = missing == Missing.DROP ? List.of(1.0, 5.0) : List.of(1.0, 2.0, 5.0);
      Table usable = options.handleMissing(table, weights);
      assertEquals(dropping, IntStream.range(0, usable.rows()).mapToObj(usable.column("y")::number).toList());
      assertEquals(dropping.size() + 1, options.handleMissing(table).rows());
      assertRefused("every row lacks its target or its weight, so none is left", () ->
          options.handleMissing(table.rows(new int[] {2, 3}), weights));
      assertEquals(table.rows() - (missing == Missing.DROP ? 2 : 1),
          options.handleMissing(Table.of(table.columns().subList(0, 2)), weights).rows(), "a table without the weight");
    }
    EncodingOptions refusing = weights.resolve(table, EncodingOptions.DEFAULT);
    assertRefused("row 3: column \"y\" has no value; use --missing drop or --missing mean", () ->
        refusing.handleMissing(table.rows(new int[] {0, 2, 3}), weights));
  }

  private static Table withGaps() {
    return Table.of(List.of(
        Column.ofNumbers("size", 1, 2, 3, 6, NAN),
        Column.ofText("town", "b", null, "b", "c", "a"),
        Column.ofNumbers("floors", 2, 2, 2, 2, 2),
        Column.ofNumbers("price", 10.5, 20, 30, NAN, 40)));
  }

  private static Table read(String text) {
    return TableReader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "stdin", ReadOptions.DEFAULT);
  }

  private static TableEncoding fit(Table training, EncodingOptions options) {
    return TableEncoding.fit(training, options);
  }

  private static void assertRow(Dataset data, int row, double... expected) {
    assertEquals(expected.length, data.features());
    for (int column = 0; column < expected.length; column++) {
      assertEquals(expected[column], data.feature(row, column), 1e-15, "column " + column);
    }
  }
}
