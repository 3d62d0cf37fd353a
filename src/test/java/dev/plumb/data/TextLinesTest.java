package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class TextLinesTest {
  private static final ReadOptions OPTIONS = new TableEncoding(
      List.of(new FeatureColumn.Numeric("size", 0, 1, OptionalDouble.of(0), false),
          new FeatureColumn.Categorical("color", List.of("NA", "red"), Optional.empty(), true)),
      new TargetEncoding.Classes("kind", List.of("a", "b"))).readOptions(ReadOptions.DEFAULT).withoutTargets();

  private final TextLines lines = TextLines.detect("size;color\n1,5;red\n", OPTIONS.withDelimiter(';'));

  @Test
  void partsAreReadAsAFileIs() {
    assertEquals(Optional.of("size;color"), lines.header());
    Table table = lines.read(List.of("1e2; red", "NA;\"NA\"", " .5 ;NA", ";\"a;b\""));
    assertEquals(List.of(100.0, Double.NaN, 0.5, Double.NaN),
        List.of(0, 1, 2, 3).stream().map(table.column("size")::number).toList());
    assertEquals(Arrays.asList("red", "NA", null, "a;b"),
        List.of(0, 1, 2, 3).stream().map(table.column("color")::text).toList());
    TextLines plain = TextLines.of(OPTIONS, '\t', Optional.empty());
    assertEquals(List.of("1", "2"), plain.read(List.of("1\tred")).names());
  }

  @Test
  void messagesHaveNoNumberOfALine() {
    assertRefused("column 1 (\"size\"): \"x\" is not a number, but the model was trained on numbers in this column; correct it or"
        + " leave it empty", "x;red");
    assertRefused("a line has 4 fields, but line 1 has 2", "1;red;3;4");
    assertRefused("a quoted field contains a line break; replace it, or use Parquet", "1;\"red", "blue\"");
    assertRefused("the quote that opens here is never closed", "1;\"red");
  }

  private void assertRefused(String message, String... some) {
    assertEquals(message, assertThrows(InvalidInputException.class,
        () -> TextLines.withoutPlace(() -> lines.read(List.of(some)).column("size"))).getMessage());
  }
}
