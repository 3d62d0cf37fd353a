package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.plumb.random.NumpyRandom;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tables that people start with, as they are, without an option. */
class RealTablesTest {
  @ParameterizedTest
  @CsvSource({
      "iris.csv, 150, 4, species, setosa versicolor virginica",
      "wine.csv, 178, 13, class, 0 1 2",
      "breast_cancer.csv, 569, 30, diagnosis, benign malignant",
      "digits.csv.gz, 1797, 64, 65, 0 1 2 3 4 5 6 7 8 9",
      "diabetes.csv, 442, 10, progression, "})
  void isUnderstoodAsItIs(String file, int rows, int features, String target, String classes) {
    Table table = TableReader.read(Path.of("src/test/resources/tables", file), ReadOptions.DEFAULT);
    EncodingOptions options = EncodingOptions.DEFAULT.resolve(table);
    assertEquals(rows, table.rows());
    assertEquals(List.of(target), options.targets());
    assertEquals(classes == null ? Task.REGRESSION : Task.CLASSIFICATION, options.task().orElseThrow());
    int[] labels = options.labels(options.handleMissing(table));
    Split split = Split.of(rows, 0.2, new NumpyRandom(0), labels);
    TableEncoding encoding = TableEncoding.fit(table.rows(split.training()), options);
    Dataset training = encoding.encode(table.rows(split.training()));
    Dataset validation = encoding.encode(table.rows(split.validation()));
    assertEquals(features, training.features());
    assertEquals(rows, training.rows() + validation.rows());
    for (int column = 0; column < features; column++) {
      double sum = 0;
      double squares = 0;
      for (int row = 0; row < training.rows(); row++) {
        sum += training.feature(row, column);
        squares += training.feature(row, column) * training.feature(row, column);
      }
      assertEquals(0, sum / training.rows(), 1e-12, "mean of column " + column);
      boolean constant = squares == 0;
      assertEquals(constant ? 0 : 1, squares / training.rows(), 1e-12, "variance of column " + column);
    }
    if (classes == null) {
      assertNull(labels);
      assertEquals(1, validation.outputs());
    } else {
      TargetEncoding.Classes named = (TargetEncoding.Classes) encoding.target();
      assertEquals(Arrays.asList(classes.split(" ")), named.classNames());
      for (int i = 0; i < validation.rows(); i++) {
        assertEquals(labels[split.validation()[i]], validation.label(i));
        assertEquals(table.column(target).text(split.validation()[i]), named.classNames().get(validation.label(i)));
      }
    }
  }
}
