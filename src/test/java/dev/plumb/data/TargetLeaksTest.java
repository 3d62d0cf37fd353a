package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TargetLeaksTest {
  private static final Path TABLES = Path.of("src/test/resources/tables");

  @ParameterizedTest
  @ValueSource(strings = {"iris.csv", "wine.csv", "breast_cancer.csv", "digits.csv.gz", "diabetes.csv"})
  void realTablesHaveNone(String file) {
    assertEquals(List.of(), find(read(file)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"iris.csv", "wine.csv", "breast_cancer.csv", "digits.csv.gz"})
  void codeOfTheClassIsFound(String file) {
    Table table = read(file);
    Column target = target(table);
    List<String> names = ClassNames.of(target).names();
    Column codes = numbers(table, "code", row -> 7 + 3 * names.indexOf(target.text(row)));
    // Two codes for each class, and a missing value for the first one.
    Column finer = numbers(table, "finer", row -> names.indexOf(target.text(row)) == 0 ? Double.NaN
        : 2 * names.indexOf(target.text(row)) + row % 2);
    Column words = texts(table, "word", row -> "is " + target.text(row));
    assertEquals(List.of("code", "finer", "word"), find(with(table, codes, finer, words)));
  }

  @Test
  void oneRowThatDiffersIsEnoughToBeNoLeak() {
    Table table = read("iris.csv");
    Column target = target(table);
    assertEquals(List.of(), find(with(table, texts(table, "word", row -> row == 77 ? "other" : row == 3 ? "versicolor"
        : target.text(row)))));
  }

  @Test
  void linearFunctionOfANumericTargetIsFound() {
    Table table = read("diabetes.csv");
    Column target = target(table);
    Random random = new Random(1);
    assertEquals(List.of("copy", "scaled"), find(with(table,
        numbers(table, "copy", target::number),
        numbers(table, "scaled", row -> Math.round(100 * (32 - 1.8 * target.number(row))) / 100.0),
        numbers(table, "noisy", row -> target.number(row) + random.nextGaussian()))));
  }

  @Test
  void featureOfRepeatedValuesThatDeterminesANumberIsFound() {
    Column model = Column.ofText("model", IntStream.range(0, 60).mapToObj(row -> "m" + row % 12).toArray(String[]::new));
    Column price = Column.ofNumbers("price", IntStream.range(0, 60).mapToDouble(row -> (row % 12) * (row % 12) % 37).toArray());
    assertEquals(List.of("model"), find(Table.of(List.of(model, price))));
  }

  @Test
  void uniqueAndConstantColumnsAreNoLeaks() {
    Table table = read("iris.csv");
    assertEquals(List.of(), find(with(table,
        numbers(table, "id", row -> row),
        texts(table, "name", row -> "flower " + row),
        numbers(table, "constant", row -> 1),
        numbers(table, "pair", row -> row / 2.0 - row % 2 / 4.0))));
  }

  /** A class of two rows among many is in no repeated value of most features. */
  @Test
  void rareClassIsNotFoundByChance() {
    Random random = new Random(3);
    int rows = 300;
    Column target = Column.ofText("y", IntStream.range(0, rows).mapToObj(row -> row < 2 ? "rare" : "usual").toArray(String[]::new));
    List<Column> columns = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      columns.add(Column.ofNumbers("x" + i, IntStream.range(0, rows).mapToDouble(row -> random.nextInt(200)).toArray()));
    }
    columns.add(target);
    assertEquals(List.of(), find(Table.of(columns)));
  }

  private static List<String> find(Table table) {
    return TargetLeaks.find(table, EncodingOptions.DEFAULT.resolve(table));
  }

  private static Table read(String file) {
    return TableReader.read(TABLES.resolve(file), ReadOptions.DEFAULT);
  }

  private static Column target(Table table) {
    return table.columns().get(table.columns().size() - 1);
  }

  private static Table with(Table table, Column... columns) {
    List<Column> all = new ArrayList<>(table.columns());
    all.addAll(all.size() - 1, List.of(columns));
    return Table.of(all);
  }

  private static Column numbers(Table table, String name, IntToDoubleFunction value) {
    return Column.ofNumbers(name, IntStream.range(0, table.rows()).mapToDouble(value).toArray());
  }

  private static Column texts(Table table, String name, IntFunction<String> value) {
    return Column.ofText(name, IntStream.range(0, table.rows()).mapToObj(value).toArray(String[]::new));
  }
}
