package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTableTest {
  @Test
  void numbersAndWordsAreToldApartByContent() {
    Table table = read("age,city\n31,Rome\n-4.5e2,\"New York, NY\"\n");
    assertEquals(List.of("age", "city"), table.names());
    assertEquals(2, table.rows());
    assertTrue(table.column("age").isNumeric());
    assertEquals(-450, table.column("age").number(1));
    assertFalse(table.column("city").isNumeric());
    assertEquals("New York, NY", table.column("city").word(1));
  }

  @Test
  void quotesMayHoldDelimitersLineEndsAndQuotes() {
    Table table = read("a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n\"\",\" z \"\r\n");
    assertEquals("x\r\ny", table.column("a").word(0));
    assertEquals("say \"hi\"", table.column("b").word(0));
    assertNull(table.column("a").word(1));
    assertEquals(" z ", table.column("b").word(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t", "|"})
  void delimitersAreFoundOut(String delimiter) {
    Table table = read("a,b,c\n1,2,x\n3,4,y\n".replace(",", delimiter));
    assertEquals(List.of("a", "b", "c"), table.names());
    assertEquals(4, table.column("b").number(1));
  }

  @Test
  void aDelimiterThatIsToldIsTaken() {
    assertEquals(List.of("a;b", "c"), read("a;b,c\n1;2,3\n", ReadOptions.DEFAULT.withDelimiter(',')).names());
    assertEquals(List.of("a", "b,c"), read("a;b,c\n1;2,3\n",
        ReadOptions.DEFAULT.withDelimiter(';').withWords(Set.of("b,c"))).names());
  }

  @Test
  void aFirstLineWithoutNumbersHasTheNames() {
    assertEquals(List.of("x", "y"), read("x,y\n1,2\n").names());
    assertEquals(List.of("1", "2"), read("5,red\n6,blue\n").names());
    assertEquals(List.of("1", "2"), read("x,y\n1,2\n", ReadOptions.DEFAULT.withHeader(false).withWords(Set.of("1",
        "2"))).names());
    assertEquals(List.of("2019", "2020"), read("2019,2020\n1,2\n", ReadOptions.DEFAULT.withHeader(true)).names());
    assertRefused("stdin: line 1 has the number \"2020\", but also the word \"id\" above numbers; say whether it has the"
        + " names of the"
        + " columns (--header yes or no)", () -> read("id,2020\n1,2\n"));
  }

  @Test
  void whatIsMissingHasNoValue() {
    Table table = read("a,b\n1,x\n,\nNA,NA\nnan,NaN\n?,?\nnull,NULL\n N/A ,n/a\n");
    assertEquals(7, table.rows());
    for (int row = 1; row < 7; row++) {
      assertTrue(table.column("a").isMissing(row) && Double.isNaN(table.column("a").number(row)), "row " + row);
      assertTrue(table.column("b").isMissing(row) && table.column("b").word(row) == null, "row " + row);
    }
  }

  @Test
  void aColumnWithoutAnyValueIsThere() {
    Table table = read("a,b\n1,\n2,\n");
    assertTrue(table.column("b").isMissing(0) && table.column("b").isMissing(1));
    assertTrue(table.column("b").isNumeric());
  }

  @Test
  void aColumnWhoseValuesComeLateIsReadByThem() {
    StringBuilder text = new StringBuilder("a,b,c\n");
    IntStream.range(0, 2500).forEach(row -> text.append(row).append(row < 2400 ? ",,\n" : ",7,red\n"));
    Table table = read(text.toString());
    assertTrue(table.column("b").isMissing(2399));
    assertEquals(7, table.column("b").number(2400));
    assertEquals("red", table.column("c").word(2499));
  }

  @Test
  void blanksAroundFieldsAndEmptyLinesAreLeftOut() {
    Table table = read("a , b\n 1,\tx \n\n2, y\n\n");
    assertEquals(List.of("a", "b"), table.names());
    assertEquals(2, table.rows());
    assertEquals("x", table.column("b").word(0));
    assertEquals(2, table.column("a").number(1));
  }

  @Test
  void numbersAreReadAsJavaReadsThem() {
    String[] written = {"0", "-0", "007", "+5", "1e5", ".5", "5.", "-1.25E-3", "123456789012345", "1234567890123456789",
        "0.1", "4.9e-324", "1.7976931348623157e308", "2.2250738585072012e-308", "999999999999999", "1000000000000000"};
    Table table = read("x\n" + String.join("\n", written) + "\n");
    for (int row = 0; row < written.length; row++) {
      assertEquals(Double.parseDouble(written[row]), table.column("x").number(row), written[row]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"5d", "3f", "0x1p3", "0xA.", "1 000", "1,5", "12:30", "1_000", "--1", "1e", "-", ".", "e5", "١"})
  void whatOnlyLooksLikeANumberIsAWord(String word) {
    Table table = read("x\t2\n\"" + word + "\"\ta\n",
        ReadOptions.DEFAULT.withHeader(true).withDelimiter('\t').withWords(Set.of("x")));
    assertEquals(word, table.column("x").word(0));
    assertRefused("stdin: line 4, column 1 (\"x\"): \"" + word
        + "\" is not a number, as the column's other values are; correct it,"
        + " leave it empty, or read the column as words (--categorical x)", () ->
        read("x\ty\n1\t1\n2\t2\n" + word + "\t3\n", ReadOptions.DEFAULT.withHeader(true)));
  }

  @Test
  void columnsAreReadAsWordsWhenToldTo() {
    Table table = read("code,x\n01,1\n02,2\n", ReadOptions.DEFAULT.withWords(Set.of("code")));
    assertEquals("01", table.column("code").word(0));
    assertRefused("stdin: there is no column \"cod\" (did you mean \"code\"?); there are code, x", () ->
        read("code,x\n01,1\n", ReadOptions.DEFAULT.withWords(Set.of("cod"))));
  }

  @Test
  void theMarkOfUtf8IsNoPartOfTheFirstName() {
    assertEquals(List.of("größe", "b"), read("\uFEFFgröße,b\n1,2\n").names());
  }

  @Test
  void gzippedTextIsReadWhateverItsName() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write("a,b\n1,2\n".getBytes(StandardCharsets.UTF_8));
    }
    assertEquals(2, read(packed.toByteArray(), ReadOptions.DEFAULT).column("b").number(0));
    byte[] bytes = packed.toByteArray();
    for (int length = 2; length < bytes.length; length++) {
      byte[] part = java.util.Arrays.copyOf(bytes, length);
      assertRefused("stdin: its gzip data ends too early; the file is not complete", () -> read(part, ReadOptions.DEFAULT));
    }
    bytes[bytes.length - 5] ^= 1;
    assertTrue(Refusals.refusal(() -> read(bytes, ReadOptions.DEFAULT)).startsWith("stdin: its gzip data is damaged: "));
  }

  @Test
  void linesMayEndInAnyWay() {
    for (String end : List.of("\n", "\r\n", "\r")) {
      Table table = read("a,b" + end + "1,x" + end + "2,y");
      assertEquals(2, table.rows());
      assertEquals("y", table.column("b").word(1));
    }
  }

  @Test
  void longTextsAreReadWhole() {
    String word = "ü\"\n".repeat(100_000);
    Table table = read("a,b\n1,\"" + word.replace("\"", "\"\"") + "\"\n2,x\n");
    assertEquals(word, table.column("b").word(0));
    assertEquals(2, table.column("a").number(1));
  }

  @Test
  void chosenRowsAreInTheOrderAskedFor() {
    Table table = read("a,b\n1,x\n2,y\n3,z\n").rows(new int[] {2, 0, 1}).rows(new int[] {0, 2});
    assertEquals(2, table.rows());
    assertEquals(3, table.column("a").number(0));
    assertEquals("y", table.column("b").word(1));
    assertEquals(2, table.sourceRow(1));
  }

  private static Table read(String text) {
    return read(text, ReadOptions.DEFAULT);
  }

  private static Table read(String text, ReadOptions options) {
    return read(text.getBytes(StandardCharsets.UTF_8), options);
  }

  private static Table read(byte[] bytes, ReadOptions options) {
    return TableReader.read(new ByteArrayInputStream(bytes), "stdin", options);
  }
}
