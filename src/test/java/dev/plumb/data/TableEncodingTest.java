package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.Loss;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TableEncodingTest {
  private static final double NAN = Double.NaN;
  static final Table HOUSES = Table.of(List.of(
      Column.ofNumbers("size", 1, 2, 3, 6),
      Column.ofText("town", "b", "a", "b", "c"),
      Column.ofNumbers("floors", 2, 2, 2, 2),
      Column.ofNumbers("price", 10, 20, 30, 60)));

  @Test
  void numbersAreStandardizedAndTextIsOneHotEncoded() {
    TableEncoding encoding = fit(HOUSES, EncodingOptions.DEFAULT);
    double deviation = Math.sqrt(3.5);
    assertEquals(List.of(
        new FeatureColumn.Numeric("size", 3, deviation, OptionalDouble.empty(), false),
        new FeatureColumn.Categorical("town", List.of("a", "b", "c"), Optional.empty(), false),
        new FeatureColumn.Numeric("floors", 2, 1, OptionalDouble.empty(), false)), encoding.features());
    assertEquals(new TargetEncoding.Numbers(List.of("price"), new double[] {30}, new double[] {10 * deviation}),
        encoding.target());
    assertEquals(5, encoding.inputs());
    assertEquals(1, encoding.outputs());
    Dataset data = encoding.encode(HOUSES);
    assertRow(data, 0, -2 / deviation, 0, 1, 0, 0);
    assertRow(data, 3, 3 / deviation, 0, 0, 1, 0);
    assertEquals(-2 / deviation, data.target(0, 0), 1e-15);
  }

  @Test
  void otherRowsUseTheEncodingOfTheTrainingRows() {
    int[] training = {0, 1};
    TableEncoding encoding = fit(HOUSES.rows(training), EncodingOptions.DEFAULT.resolve(HOUSES));
    assertEquals(new FeatureColumn.Numeric("size", 1.5, 0.5, OptionalDouble.empty(), false), encoding.features().get(0));
    Dataset others = encoding.encode(HOUSES.rows(new int[] {3, 2}));
    assertRow(others, 0, 9, 0, 0, 0);
    assertRow(others, 1, 3, 0, 1, 0);
    assertEquals((60 - 15) / 5.0, others.target(0, 0));
    assertEquals(Map.of("town", 1), encoding.unknownCategories(HOUSES));
    assertEquals(Map.of(), encoding.unknownCategories(HOUSES.rows(training)));
  }

  @Test
  void numbersAreUnchangedWithoutStandardization() {
    Dataset data = fit(HOUSES, EncodingOptions.DEFAULT.withStandardize(false)).encode(HOUSES);
    assertRow(data, 3, 6, 0, 0, 1, 2);
    assertEquals(60, data.target(3, 0));
  }

  @Test
  void columnsThatDifferOnlyByRoundingAreConstant() {
    double tenth = 0.1;
    Table table = Table.of(List.of(Column.ofNumbers("x", tenth, tenth, tenth), Column.ofNumbers("y", 1, 2, 4)));
    FeatureColumn.Numeric numeric = (FeatureColumn.Numeric) fit(table, EncodingOptions.DEFAULT).features().get(0);
    assertEquals(1, numeric.scale());
    Table tiny = Table.of(List.of(Column.ofNumbers("x", 1e-30, 2e-30), Column.ofNumbers("y", 1.5, 2)));
    assertEquals(0.5e-30, ((FeatureColumn.Numeric) fit(tiny, EncodingOptions.DEFAULT).features().get(0)).scale(), 1e-45);
  }

  @Test
  void outputsAreDecodedToTheUnitsOfTheTargets() {
    TableEncoding encoding = fit(HOUSES, EncodingOptions.DEFAULT.withTargets("price", "size"));
    assertEquals(2, encoding.outputs());
    Dataset data = encoding.encode(HOUSES);
    double[] outputs = {data.target(1, 0), data.target(1, 1), data.target(3, 0), data.target(3, 1)};
    assertArrayEquals(new double[] {20, 2, 60, 6}, encoding.decodeOutputs(outputs), 1e-13);
    TableEncoding classes = fit(HOUSES, EncodingOptions.DEFAULT.withTargets("town"));
    assertThrows(IllegalStateException.class, () -> classes.decodeOutputs(outputs));
  }

  @Test
  void wordsAreClassesInAscendingOrder() {
    TableEncoding encoding = fit(HOUSES, EncodingOptions.DEFAULT.withTargets("town"));
    assertEquals(new TargetEncoding.Classes("town", List.of("a", "b", "c")), encoding.target());
    assertEquals(Task.CLASSIFICATION, encoding.task());
    Dataset data = encoding.encode(HOUSES);
    assertArrayEquals(new int[] {1, 0, 1, 2}, IntStream.range(0, 4).map(data::label).toArray());
  }

  @Test
  void numbersAreClassesInTheirOwnOrderAndWrittenForm() {
    Table table = Table.of(List.of(Column.ofNumbers("x", 1, 2, 3, 4), Column.ofNumbers("y", 10, 9, -1, 2.5)));
    TableEncoding encoding = fit(table, EncodingOptions.DEFAULT.withTask(Task.CLASSIFICATION));
    assertEquals(List.of("-1", "2.5", "9", "10"), ((TargetEncoding.Classes) encoding.target()).classNames());
    assertEquals(3, encoding.encode(table).label(0));
  }

  @Test
  void binaryCrossEntropyHasOneOutputForTwoClasses() {
    Table table = Table.of(List.of(Column.ofNumbers("x", 1, 2, 3), Column.ofText("y", "no", "yes", "no")));
    TableEncoding encoding = fit(table, EncodingOptions.DEFAULT);
    Dataset data = encoding.encode(table, Loss.BINARY_CROSS_ENTROPY);
    assertEquals(1, encoding.outputs(Loss.BINARY_CROSS_ENTROPY));
    assertEquals(2, encoding.outputs(Loss.CROSS_ENTROPY));
    assertFalse(data.hasClasses());
    assertArrayEquals(new double[] {0, 1, 0}, IntStream.range(0, 3).mapToDouble(row -> data.target(row, 0)).toArray());
    TableEncoding three = fit(HOUSES, EncodingOptions.DEFAULT.withTargets("town"));
    Dataset each = three.encode(HOUSES, Loss.BINARY_CROSS_ENTROPY);
    assertEquals(3, three.outputs(Loss.BINARY_CROSS_ENTROPY));
    assertArrayEquals(new double[] {0, 0, 1}, IntStream.range(0, 3).mapToDouble(i -> each.target(3, i)).toArray());
  }

  @Test
  void predictingNeedsNoTargetsAndNoOrderOfColumns() {
    TableEncoding encoding = fit(HOUSES, EncodingOptions.DEFAULT);
    Table other = Table.of(List.of(Column.ofText("note", "x"), Column.ofNumbers("floors", 3), Column.ofText("town", "c"),
        Column.ofNumbers("size", 3)));
    assertRow(encoding.encodeFeatures(other), 0, 0, 0, 0, 1, 1);
    assertRefused("there is no column \"price\"; the columns are \"note\", \"floors\", \"town\", \"size\"; the model was"
        + " trained on"
        + " it", () ->
        encoding.encode(other));
    Table misspelt = Table.of(List.of(Column.ofNumbers("floor", 3), Column.ofText("town", "c"), Column.ofNumbers("size", 3)));
    assertRefused("there is no column \"floors\" (did you mean \"floor\"?); the columns are \"floor\", \"town\", \"size\"; the"
        + " model"
        + " was trained on it",
        () -> encoding.encodeFeatures(misspelt));
  }

  @Test
  void columnsOfAnotherKindAreRefusedOrTakenForWords() {
    TableEncoding encoding = fit(HOUSES, EncodingOptions.DEFAULT);
    Table words = Table.of(List.of(Column.ofText("size", null, "big"), Column.ofText("town", "a", "a"),
        Column.ofNumbers("floors", 1, 1)));
    assertRefused("column \"size\" contains text (row 2: \"big\"), but the model was trained on numbers there", () ->
        encoding.encodeFeatures(words));
    assertEquals(Map.of("size", ColumnKind.NUMBERS, "town", ColumnKind.TEXT, "floors", ColumnKind.NUMBERS, "price", ColumnKind.NUMBERS),
        encoding.readOptions(ReadOptions.DEFAULT).schema().kinds());
    Table codes = Table.of(List.of(Column.ofNumbers("x", 1, 2), Column.ofText("code", "1", "02"), Column.ofNumbers("y", 1.5,
        2)));
    Table numeric = Table.of(List.of(Column.ofNumbers("x", 1), Column.ofNumbers("code", 1)));
    assertRow(fit(codes, EncodingOptions.DEFAULT).encodeFeatures(numeric), 0, -1, 0, 1);
  }

  @Test
  void classesKeepTheTextOfTheFile() {
    Table table = read("x,y\n1,007\n2,7\n3,042\n4,007\n");
    TableEncoding encoding = fit(table, EncodingOptions.DEFAULT);
    assertEquals(new TargetEncoding.Classes("y", List.of("007", "7", "042")), encoding.target());
    assertEquals(0, encoding.encode(table).label(3));
    Table one = read("x,y\n1,7\n2,7\n");
    assertEquals(1, encoding.encode(one).label(1));
    assertRefused("row 1: \"42\" in column \"y\" is not one of the training classes: 007, 7, 042", () ->
        encoding.encode(read("x,y\n1,42\n2,7\n")));
    String ids = "x,y\n1,9007199254740993\n2,9007199254740992\n3,12345678901234567890\n4,9007199254740993\n";
    assertEquals(List.of("9007199254740992", "9007199254740993", "12345678901234567890"),
        ((TargetEncoding.Classes) fit(read(ids), EncodingOptions.DEFAULT).target()).classNames());
    EncodingOptions classes = EncodingOptions.DEFAULT.withTask(Task.CLASSIFICATION);
    assertEquals(List.of("2.50", "1000", "1e3"),
        ((TargetEncoding.Classes) fit(read("x,y\n1,1e3\n2,2.50\n3,1000\n"), classes).target()).classNames());
  }

  @Test
  void ordinaryNumbersAreClassesHoweverTheyAreWritten() {
    TableEncoding encoding = fit(read("x,y\n1,1.0\n2,0.0\n3,1.0\n4,0.0\n"), EncodingOptions.DEFAULT);
    assertEquals(new TargetEncoding.Classes("y", List.of("0.0", "1.0")), encoding.target());
    Dataset other = encoding.encode(Table.of(List.of(Column.ofNumbers("x", 1, 2), Column.ofNumbers("y", 1, 0))));
    assertEquals(1, other.label(0));
    assertEquals(0, other.label(1));
    assertRefused("column \"y\" has both 1 and 1.0, which are the same number; write it one way, or read the column as text"
        + " (--categorical) to make them two classes", () ->
        fit(read("x,y\n1,1.0\n2,0\n3,1\n4,0\n"), EncodingOptions.DEFAULT));
  }

  @Test
  void categoriesMayBeNumbersInATableThatWasReadAlready() {
    Table table = read("region,x,y\n01,1,1.5\n02,2,2.5\n01,3,3.5\n");
    assertTrue(table.column("region").isNumeric());
    TableEncoding encoding = fit(table, EncodingOptions.DEFAULT.withCategorical("region"));
    assertEquals(new FeatureColumn.Categorical("region", List.of("01", "02"), Optional.empty(), false), encoding.features().get(0));
    assertEquals(Map.of(), encoding.unknownCategories(table));
    assertRow(encoding.encodeFeatures(table), 1, 0, 1, 0);
    assertEquals(new TargetEncoding.Classes("y", List.of("1.5", "2.5", "3.5")),
        fit(table, EncodingOptions.DEFAULT.withCategorical("y")).target());
    assertRefused("there is no column \"regio\" (did you mean \"region\"?); the columns are \"region\", \"x\", \"y\"", () ->
        EncodingOptions.DEFAULT.withCategorical("regio").resolve(table));
  }

  @Test
  void classesOfNearlyEveryRowAreRefused() {
    StringBuilder words = new StringBuilder("x,y\n");
    StringBuilder numbers = new StringBuilder("x,y\n");
    for (int row = 0; row < 22; row++) {
      words.append(row).append(",n").append(row % 12).append('\n');
      numbers.append(row).append(',').append(row % 12).append(".5\n");
    }
    assertRefused("column \"y\" has 12 distinct values in 22 training rows (\"n0\", \"n1\", ...); classes need two rows each on"
        + " average: choose another target (--target), or write its values as plain numbers", () ->
        fit(read(words.toString()), EncodingOptions.DEFAULT));
    assertRefused("column \"y\" has 12 distinct values in 22 training rows (\"0.5\", \"1.5\", ...); classes need two rows"
        + " each on average: use --task regression or choose another target (--target)", () ->
        fit(read(numbers.toString()), EncodingOptions.DEFAULT.withTask(Task.CLASSIFICATION)));
    assertEquals(12, fit(read(words + "22,n0\n23,n1\n"), EncodingOptions.DEFAULT).outputs());
  }

  @Test
  void targetsThatAFileNamesAreNeverFeatures() {
    Table table = Table.of(List.of(Column.ofNumbers("1", 1, 2), Column.ofNumbers("y1", 1.5, 2), Column.ofNumbers("y2", 4, 5.5)),
        List.of("y1", "y2"));
    EncodingOptions all = EncodingOptions.DEFAULT.resolve(table.rows(new int[] {1, 0}));
    assertEquals(List.of("y1", "y2"), all.targets());
    assertEquals(List.of("1"), all.features());
    EncodingOptions one = EncodingOptions.DEFAULT.withTargets("y2").resolve(table);
    assertEquals(List.of("1"), one.features());
    assertEquals(List.of("y2"), EncodingOptions.DEFAULT.withFeatures("1", "y1").resolve(table).targets());
    assertRefused("all targets are named as features; there is no target to learn", () ->
        EncodingOptions.DEFAULT.withFeatures("y1", "y2").resolve(table));
  }

  @Test
  void aClassThatTrainingDidNotHaveIsRefused() {
    TableEncoding encoding = fit(HOUSES.rows(new int[] {0, 1, 2}), EncodingOptions.DEFAULT.withTargets("town"));
    assertRefused("row 4: \"c\" in column \"town\" is not one of the training classes: a, b", () ->
        encoding.encode(HOUSES.rows(new int[] {2, 3})));
  }

  @Test
  void excludedColumnsAreNeitherFeaturesNorTargets() {
    EncodingOptions options = EncodingOptions.DEFAULT.withExcluded("town");
    EncodingOptions resolved = options.resolve(HOUSES);
    assertEquals(List.of("size", "floors"), resolved.features());
    assertEquals(List.of("price"), resolved.targets());
    assertEquals(List.of("town"), resolved.excluded());
    assertEquals(resolved, resolved.resolve(HOUSES));
    TableEncoding encoding = fit(HOUSES, options);
    assertEquals(fit(HOUSES, EncodingOptions.DEFAULT.withFeatures("size", "floors")), encoding);
    Table without = Table.of(HOUSES.columns().stream().filter(column -> !column.name().equals("town")).toList());
    assertEquals(encoding.encode(HOUSES).feature(3, 1), encoding.encode(without).feature(3, 1));
    Table faulty = read("id,x,y\n1,1,1\n2,2,2\n1.234.567,3,5\n4,3,6\n5,3,7\n6,3,8\n7,3,8\n");
    assertEquals(List.of("x"), EncodingOptions.DEFAULT.withExcluded("id").resolve(faulty).features());
  }

  @Test
  void columnsThatCannotBeExcludedAreRefused() {
    assertRefused("there is no column \"twon\" (did you mean \"town\"?); the columns are \"size\", \"town\", \"floors\", \"price\"", () ->
        EncodingOptions.DEFAULT.withExcluded("twon").resolve(HOUSES));
    assertRefused("column \"price\" is excluded, but it is the default target; name the target with --target", () ->
        EncodingOptions.DEFAULT.withExcluded("price").resolve(HOUSES));
    assertRefused("all columns but the target are excluded; there is no feature to learn from", () ->
        EncodingOptions.DEFAULT.withExcluded("size", "town", "floors").resolve(HOUSES));
    assertRefused("column \"price\" is named as a target and as excluded; it can be only one of them", () ->
        EncodingOptions.DEFAULT.withExcluded("price").withTargets("price"));
    assertRefused("column \"size\" is named as a feature and as excluded; it can be only one of them", () ->
        EncodingOptions.DEFAULT.withFeatures("size").withExcluded("size"));
    assertRefused("excluded column named twice: size", () -> EncodingOptions.DEFAULT.withExcluded("size", "size"));
  }

  @Test
  void namesAndTaskAreResolvedAndCheckedTogether() {
    EncodingOptions resolved = EncodingOptions.DEFAULT.resolve(HOUSES);
    assertEquals(List.of("price"), resolved.targets());
    assertEquals(List.of("size", "town", "floors"), resolved.features());
    assertEquals(Optional.of(Task.REGRESSION), resolved.task());
    assertEquals(List.of("floors"), EncodingOptions.DEFAULT.withFeatures("price", "size").resolve(HOUSES).targets());
    assertRefused("there is no column \"prize\" (did you mean \"price\"?); the columns are \"size\", \"town\", \"floors\","
        + " \"price\"", () ->
        EncodingOptions.DEFAULT.withTargets("prize").resolve(HOUSES));
    assertRefused("regression needs numeric targets, but column \"town\" contains text (row 1: \"b\"); use --task"
        + " classification", () ->
        EncodingOptions.DEFAULT.withTargets("town").withTask(Task.REGRESSION).resolve(HOUSES));
    assertRefused("classification has one target, but there are 2: town, price", () ->
        EncodingOptions.DEFAULT.withTargets("town", "price").withTask(Task.CLASSIFICATION).resolve(HOUSES));
    assertRefused("all 4 columns are targets; there is no feature to learn from", () ->
        EncodingOptions.DEFAULT.withTargets("town", "price", "size", "floors").withTask(Task.REGRESSION).resolve(HOUSES));
    assertRefused("all 4 columns are named as features; there is no target to learn", () ->
        EncodingOptions.DEFAULT.withFeatures("town", "price", "size", "floors").resolve(HOUSES));
    assertRefused("column \"size\" is named as a target and as a feature; it can be only one of them", () ->
        EncodingOptions.DEFAULT.withTargets("size").withFeatures("size"));
    assertRefused("feature named twice: size", () -> EncodingOptions.DEFAULT.withFeatures("size", "town", "size"));
  }

  @Test
  void columnsThatCannotBeFittedAreRefused() {
    String[] words = IntStream.range(0, 1001).mapToObj(row -> "id" + row).toArray(String[]::new);
    double[] numbers = IntStream.range(0, 1001).asDoubleStream().toArray();
    assertRefused("column \"id\" has 1001 distinct values in 1001 rows; the maximum is 1000 categories: leave the column out"
        + " (--exclude)", () ->
        fit(Table.of(List.of(Column.ofText("id", words), Column.ofNumbers("y", numbers))), EncodingOptions.DEFAULT));
    assertRefused("column \"x\" has no value in any training row; leave it out (--exclude)", () ->
        fit(Table.of(List.of(Column.ofNumbers("x", NAN, NAN), Column.ofNumbers("y", 1.5, 2))), EncodingOptions.DEFAULT));
    assertRefused("column \"y\" has only the class \"a\"; classification needs at least two classes", () ->
        fit(Table.of(List.of(Column.ofNumbers("x", 1, 2), Column.ofText("y", "a", "a"))), EncodingOptions.DEFAULT));
    assertRefused("column \"x\" has values as large as 1.0E300, whose mean or standard deviation overflows; rescale the"
        + " column", () ->
        fit(Table.of(List.of(Column.ofNumbers("x", 1e300, -1e300), Column.ofNumbers("y", 1.5, 2))), EncodingOptions.DEFAULT));
    assertRefused("there are no rows to train on", () -> fit(HOUSES.rows(new int[0]), EncodingOptions.DEFAULT));
  }

  @Test
  void tablesOfDifferentLengthsOrEqualNamesAreNone() {
    assertRefused("column \"b\" has 2 rows, but column \"a\" has 1", () ->
        Table.of(List.of(Column.ofNumbers("a", 1), Column.ofNumbers("b", 1, 2))));
    assertRefused("two columns have the name \"a\"; names must be unique", () ->
        Table.of(List.of(Column.ofNumbers("a", 1), Column.ofNumbers("a", 1))));
    assertRefused("a table needs at least one column", () -> Table.of(List.of()));
  }

  @Test
  void encodingsOfOneTableAreEqual() {
    assertEquals(fit(HOUSES, EncodingOptions.DEFAULT), fit(HOUSES, EncodingOptions.DEFAULT));
    assertEquals(fit(HOUSES, EncodingOptions.DEFAULT).hashCode(), fit(HOUSES, EncodingOptions.DEFAULT).hashCode());
    assertNotEquals(fit(HOUSES, EncodingOptions.DEFAULT), fit(HOUSES.rows(new int[] {0, 1}),
        EncodingOptions.DEFAULT.resolve(HOUSES)));
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
