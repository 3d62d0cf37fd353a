package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TaskTest {
  @Test
  void wordsAreClasses() {
    assertEquals(Task.CLASSIFICATION, Task.infer(Column.ofWords("y", "a", "b", "c")));
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
  void bothZerosAreOneNumber() {
    assertEquals(Task.REGRESSION, Task.infer(Column.ofNumbers("y", 0.0, -0.0)));
  }

  private static Column numbers(int rows, int different) {
    return Column.ofNumbers("y", IntStream.range(0, rows).mapToDouble(row -> row % different).toArray());
  }
}
