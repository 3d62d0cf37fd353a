package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TaskTest {
  @Test
  void wordsAreClasses() {
    assertEquals(Task.CLASSIFICATION, Task.infer(Column.ofText("y", "a", "b", "c")));
  }

  @Test
  void fewWholeNumbersAreClasses() {
    assertEquals(Task.CLASSIFICATION, Task.infer(Column.ofNumbers("y", 0, 1, 1)));
    assertEquals(Task.CLASSIFICATION, Task.infer(Column.ofNumbers("y", -1, 1, Double.NaN)));
    assertEquals(Task.CLASSIFICATION, Task.infer(numbers(900, 30)));
    assertEquals(Task.CLASSIFICATION, Task.infer(numbers(100, 10)));
  }

  @Test
  void manyOrBrokenNumbersAreNumbers() {
    assertEquals(Task.REGRESSION, Task.infer(Column.ofNumbers("y", 0, 0.5, 1)));
    assertEquals(Task.REGRESSION, Task.infer(Column.ofNumbers("y", 0, 1, 2)));
    assertEquals(Task.REGRESSION, Task.infer(numbers(100_000, 31)));
    assertEquals(Task.REGRESSION, Task.infer(numbers(120, 11)));
    assertEquals(Task.REGRESSION, Task.infer(Column.ofNumbers("y", 5, 5, 5)));
  }

  @Test
  void namesMadeOfDigitsAreClasses() {
    for (String values : List.of("00501,10115,20095,99999", "12345678901234567890,12345678901234567891,5,6")) {
      String text = "y\n" + values.replace(",", "\n") + "\n";
      Column column = TableReader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "stdin", ReadOptions.DEFAULT)
          .column("y");
      assertEquals(Task.CLASSIFICATION, Task.infer(column));
    }
  }

  @Test
  void bothZerosAreOneNumber() {
    assertEquals(Task.REGRESSION, Task.infer(Column.ofNumbers("y", 0.0, -0.0)));
  }

  private static Column numbers(int rows, int different) {
    return Column.ofNumbers("y", IntStream.range(0, rows).mapToDouble(row -> row % different).toArray());
  }
}
