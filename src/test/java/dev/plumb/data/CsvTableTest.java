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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTableTest {
  @Test
  void columnTypesAreInferredFromTheContent() {
    Table table = read("age,city\n31,Rome\n-4.5e2,\"New York, NY\"\n");
    assertEquals(List.of("age", "city"), table.names());
    assertEquals(2, table.rows());
    assertTrue(table.column("age").isNumeric());
    assertEquals(-450, table.column("age").number(1));
    assertFalse(table.column("city").isNumeric());
    assertEquals("New York, NY", table.column("city").text(1));
  }

  @Test
  void quotesMayHoldDelimitersLineEndsAndQuotes() {
    Table table = read("a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n\"\",\" z \"\r\n",
        ReadOptions.DEFAULT.withHeader(true));
    assertEquals("x\r\ny", table.column("a").text(0));
    assertEquals("say \"hi\"", table.column("b").text(0));
    assertNull(table.column("a").text(1));
    assertEquals(" z ", table.column("b").text(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t", "|"})
  void delimitersAreDetected(String delimiter) {
    Table table = read("a,b,c\n1,2,x\n3,4,y\n".replace(",", delimiter));
    assertEquals(List.of("a", "b", "c"), table.names());
    assertEquals(4, table.column("b").number(1));
  }

  @Test
  void aGivenDelimiterIsUsed() {
    assertEquals(List.of("a;b", "c"), read("a;b,c\n1;2,3\n", ReadOptions.DEFAULT.withDelimiter(',')).names());
    assertEquals(List.of("a", "b,c"), read("a;b,c\n1;2,3\n",
        ReadOptions.DEFAULT.withDelimiter(';').withTextColumns(Set.of("b,c"))).names());
  }

  @Test
  void aFirstLineOfTextAboveNumbersIsAHeader() {
    assertEquals(List.of("x", "y"), read("x,y\n1,2\n").names());
    assertEquals(List.of("1", "2"), read("5,red\n6,blue\n").names());
    assertEquals(List.of("1", "2"), read("x,y\n1,2\n", ReadOptions.DEFAULT.withHeader(false).withTextColumns(Set.of("1",
        "2"))).names());
    assertEquals(List.of("2019", "2020"), read("2019,2020\n1,2\n", ReadOptions.DEFAULT.withHeader(true)).names());
    assertRefused("stdin: line 1 has the number \"2020\", but also the text \"id\" above numbers; use --header yes or --header"
        + " no", () -> read("id,2020\n1,2\n"));
  }

  @Test
  void naValuesAreMissing() {
    Table table = read("a,b\n1,x\n,\nNA,NA\nnan,NaN\n?,?\nnull,NULL\n N/A ,n/a\n");
    assertEquals(7, table.rows());
    for (int row = 1; row < 7; row++) {
      assertTrue(table.column("a").isMissing(row) && Double.isNaN(table.column("a").number(row)), "row " + row);
      assertTrue(table.column("b").isMissing(row) && table.column("b").text(row) == null, "row " + row);
    }
  }

  @Test
  void aColumnWithoutAnyValueIsThere() {
    Table table = read("a,b\n1,\n2,\n");
    assertTrue(table.column("b").isMissing(0) && table.column("b").isMissing(1));
    assertTrue(table.column("b").isNumeric());
  }

  @Test
  void aTypeIsInferredFromTheFirstValuesHoweverLate() {
    StringBuilder text = new StringBuilder("a,b,c\n");
    IntStream.range(0, 2500).forEach(row -> text.append(row).append(row < 2400 ? ",,\n" : ",7,red\n"));
    Table table = read(text.toString());
    assertTrue(table.column("b").isMissing(2399));
    assertEquals(7, table.column("b").number(2400));
    assertEquals("red", table.column("c").text(2499));
  }

  @Test
  void blanksAroundFieldsAndEmptyLinesAreLeftOut() {
    Table table = read("a , b\n 1,\tx \n\n2, y\n\n");
    assertEquals(List.of("a", "b"), table.names());
    assertEquals(2, table.rows());
    assertEquals("x", table.column("b").text(0));
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
  @ValueSource(strings = {"5d", "3f", "0x1p3", "0xA.", "12:30", "--1", "1e", "-", ".", "e5"})
  void textThatOnlyLooksLikeANumberIsText(String word) {
    Table table = read("x\t2\n\"" + word + "\"\ta\n",
        ReadOptions.DEFAULT.withHeader(true).withDelimiter('\t').withTextColumns(Set.of("x")));
    assertEquals(word, table.column("x").text(0));
    assertRefused("stdin: line 4, column 1 (\"x\"): \"" + word
        + "\" is not a number, but the column's other values are; correct it, leave it empty, mark it as missing"
        + " (--na-values), or read the column as text (--categorical x)", () ->
        read("x\ty\n1\t1\n2\t2\n" + word + "\t3\n", ReadOptions.DEFAULT.withHeader(true)).column("x"));
  }

  @Test
  void blanksNextToQuotesAreIgnored() {
    Table table = read("\"id\", \"na,me\" ,\t\"y\"\n 0 , \" a, b \",1\n1,  \"c \"\"d\"\"\"  ,2\n");
    assertEquals(List.of("id", "na,me", "y"), table.names());
    assertEquals(" a, b ", table.column("na,me").text(0));
    assertEquals("c \"d\"", table.column("na,me").text(1));
    assertEquals(2, table.column("y").number(1));
  }

  @Test
  void aQuoteAfterABlankIsRecognizedAcrossBuffers() {
    // The text is read in pieces; with each length of the first field a blank and a quote come to another place in them.
    for (int length = (1 << 13) - 40; length < (1 << 13) + 5; length++) {
      String first = "x".repeat(length);
      Table table = read("a,b\n\"" + first + "\", \"p, q\" \n" + first + ",   \"r\"\n", ReadOptions.DEFAULT.withHeader(true));
      assertEquals(first, table.column("a").text(1), "length " + length);
      assertEquals("p, q", table.column("b").text(0), "length " + length);
      assertEquals("r", table.column("b").text(1), "length " + length);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b c\n1 2 x\n3 4 y\n", "  a   b c\n  1   2\tx  \n 3 \t 4 \"y\"\n", "\n\ta b\tc\r\n1  2 \"x\" \r\n3 4 y"})
  void aRunOfBlanksIsADelimiter(String text) {
    for (ReadOptions options : List.of(ReadOptions.DEFAULT, ReadOptions.DEFAULT.withDelimiter(' '))) {
      Table table = read(text, options);
      assertEquals(List.of("a", "b", "c"), table.names());
      assertEquals(4, table.column("b").number(1));
      assertEquals("y", table.column("c").text(1));
    }
  }

  @Test
  void quotesKeepBlanksWhereBlanksAreDelimiters() {
    Table table = read("a b\n\"New  York\" 1\n\"Los \"\"A\"\"\"  2\n\"\" 3\n", ReadOptions.DEFAULT.withDelimiter(' '));
    assertEquals("New  York", table.column("a").text(0));
    assertEquals("Los \"A\"", table.column("a").text(1));
    assertTrue(table.column("a").isMissing(2));
    assertEquals(2, table.column("b").number(1));
  }

  @Test
  void aTextOfSeveralWordsALineIsOneColumn() {
    assertEquals(List.of("1"), read("1 is one\n2 follows\n3 comes at the end of all\n",
        ReadOptions.DEFAULT.withHeader(false)).names());
  }

  @Test
  void naValuesCanBeChosen() {
    String text = "country,x\nNA,1\n-,2\nZA,-\n\"\",NA\n";
    Table usual = read("c,x\n\"NA\",1\nNA,\"NA\"\nZA,2\nnull,3\n");
    assertEquals("NA", usual.column("c").text(0), "in quotes it is a word");
    assertTrue(usual.column("c").isMissing(1) && usual.column("c").isMissing(3));
    assertTrue(usual.column("x").isMissing(1), "in quotes it is no number");
    Table table = read(text, ReadOptions.DEFAULT.withNaValues(List.of("-", "na")).withTextColumns(Set.of("country")));
    assertTrue(table.column("country").isMissing(0) && table.column("country").isMissing(1) && table.column("country").isMissing(3));
    assertTrue(table.column("x").isMissing(2) && table.column("x").isMissing(3));
    Table none = read(text.replace(",-", ",3").replace(",NA", ",4"), ReadOptions.DEFAULT.withNaValues(List.of()));
    assertEquals("NA", none.column("country").text(0));
    assertTrue(none.column("country").isMissing(3), "an empty field is always missing");
    assertEquals(" (\"NA\" stands for a missing value)", usual.column("c").missingNote());
    assertEquals("", none.column("country").missingNote());
  }

  @Test
  void numbersCanStandForMissingValuesWhereverTheyAre() {
    ReadOptions options = ReadOptions.DEFAULT.withNaValues(List.of("-999", "9"));
    Table table = read("x,c,y\n1,9,1\n-999,8,2\n-999.0,9.0,9\n2,7,3\n", options);
    for (int row = 0; row < 4; row++) {
      assertEquals(row == 1 || row == 2, table.column("x").isMissing(row), "row " + row);
      assertEquals(row % 2 == 0, table.column("c").isMissing(row), "row " + row);
    }
    Table text = read("x,c,y\n1,9,1\n-999,8,2\n-999.0,9.0,9\n2,7,3\n", options.withTextColumns(Set.of("c")));
    assertTrue(text.column("c").isMissing(0) && text.column("c").isMissing(2));
    assertEquals("8", text.column("c").text(1));
    assertRefused("row 2: column \"x\" has no value (\"-999\" stands for a missing value); use --missing drop or --missing"
        + " mean", () -> EncodingOptions.DEFAULT.withFeatures("x").handleMissing(table));
  }

  @Test
  void aColumnOfOnlyQuotedNaValuesIsText() {
    Table table = read("c,x\n\"NA\",1\n,2\n\"NA\",3\n");
    assertEquals("NA", table.column("c").text(0));
    assertTrue(table.column("c").isMissing(1));
  }

  @Test
  void numbersKeepTheirSpellingAsClassNames() {
    Table table = read("x,id,code\n1,9007199254740993,007\n1.0,9007199254740992,7\n1e3,12345678901234567890,42\n+5,-3,0\n");
    String[][] expected = {{"1", "1.0", "1e3", "+5"}, {"9007199254740993", "9007199254740992", "12345678901234567890", "-3"},
        {"007", "7", "42", "0"}};
    for (int column = 0; column < 3; column++) {
      for (int row = 0; row < 4; row++) {
        assertTrue(table.columns().get(column).isNumeric());
        assertEquals(expected[column][row], table.columns().get(column).text(row));
      }
    }
    assertEquals(List.of(false, false, true), table.columns().stream().map(Column::hasCodes).toList());
  }

  @Test
  void textsOfVeryManyNumbersAreNotKept() {
    StringBuilder text = new StringBuilder("x\n");
    IntStream.range(0, 5000).forEach(row -> text.append(row).append(".50\n"));
    Column column = read(text.toString()).column("x");
    assertEquals(4999.5, column.number(4999));
    assertRefused("column \"x\" has more than 4096 distinct numbers, too many for classes; if they are names, read the column"
        + " as text (--categorical)", () -> column.text(0));
  }

  @Test
  void columnsOfASchemaKeepTheirTypes() {
    ReadOptions options = ReadOptions.DEFAULT.withSchema(new ColumnSchema(
        Map.of("code", ColumnKind.TEXT, "x", ColumnKind.NUMBERS, "gone", ColumnKind.TEXT), Set.of("x"), Optional.of(true)));
    Table table = read("code,x\n01,1\n02,2\n", options);
    assertEquals("01", table.column("code").text(0));
    assertFalse(table.column("code").isNumeric());
    Table words = read("code,x\n01,a\n02,b\n", options);
    assertRefused("stdin: line 2, column 2 (\"x\"): \"a\" is not a number, but the model was trained on numbers in this column;"
        + " correct it or leave it empty", () -> words.column("x"));
  }

  @Test
  void numeralsAreTextWithTheMissingValuesOfNumbers() {
    ColumnSchema known = new ColumnSchema(Map.of("y", ColumnKind.NUMERALS), Set.of("x"), Optional.of(true));
    Column column = read("x,y\n1,\"NA\"\n2,\" 01\"\n3,1\n", ReadOptions.DEFAULT.withSchema(known)).column("y");
    assertTrue(column.isMissing(0));
    assertEquals("01", column.text(1));
    assertFalse(column.isNumeric());
  }

  @Test
  void rowNamesWithoutAColumnNameAreRefused() {
    for (String rows : List.of("\"1\" 1.5 2\n", "\"1\" 1.5 2\n\"2\" 2.5 3\n\"3\" 2.5 3\n")) {
      assertRefused("stdin: line 2 has 3 fields, but line 1 has 2; if the first field of each line is a row name, name its"
          + " column in line 1", () -> read("\"a\" \"b\"\n" + rows));
    }
  }

  @Test
  void decimalCommasBetweenBlanksAreNoDelimiters() {
    Table table = read("0,1 1,2 -0,9\n2,5 3,4 1,1\n0,7 2,2 4,5\n", ReadOptions.DEFAULT.withHeader(false));
    assertEquals(3, table.names().size());
    assertRefused("stdin: line 1, column 1: \"0,1\" has a decimal comma; numbers need a decimal point: write 0.1, or read the column as"
        + " text (--categorical 1)", () -> table.column("1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1, 2, 3\n7, 5, 9\n8, 1, 4\n", "1 ,2 ,3\n7 ,5 ,9\n8 ,1 ,4\n", " 1, 2.5, 3\n 7, 5, 9\n 8, 1, 4\n",
      "10,20,30\n7,5,9\n8,1,4\n"})
  void commasWithBlanksAreDelimitersOfNumbers(String text) {
    Table table = read(text, ReadOptions.DEFAULT.withHeader(false));
    assertEquals(3, table.names().size());
  }

  @Test
  void anErrorInAColumnIsThrownWhenItIsUsed() {
    Table table = read("a,b,c\n1,2,3\n4,x,inf\n5,6,1e999\n").rows(new int[] {1, 2});
    assertEquals(5, table.column("a").number(1));
    assertRefused("stdin: line 3, column 2 (\"b\"): \"x\" is not a number, but the column's other values are; correct it,"
        + " leave it empty, mark it as missing (--na-values), or read the column as text (--categorical"
        + " b)", () -> table.column("b"));
    assertRefused("stdin: line 3, column 3 (\"c\"): inf is infinite; data must be finite", () -> table.columns().get(2).number(0));
  }

  @Test
  void aLineOfVeryManyFieldsIsRefusedBeforeItsColumnsAreMade() {
    byte[] wide = ("1," .repeat(1 << 20) + "1\n").getBytes(StandardCharsets.UTF_8);
    assertRefused("stdin: line 1 has more than 81920 fields, which need about 94 MiB of memory, but Java may use 94 MiB; set"
        + " PLUMB_JAVA_OPTS=-Xmx100m (if the machine has that much), or use fewer rows or columns", () ->
        TableReader.read(new ByteArrayInputStream(wide), "stdin", ReadOptions.DEFAULT, new HeapBudget(98_000_000, TableUse.ENCODED)));
  }

  @Test
  void aFieldThatIsTooLongIsNotCalledAnOpenQuote() {
    assertRefused("stdin: line 2 has a field of more than 16777216 characters, the maximum", () ->
        read("x,y\n" + "a".repeat(17_000_000) + ",1\n"));
    assertRefused("stdin: line 2: the quote that opens here is never closed", () ->
        read("x,y\n\"" + "a".repeat(17_000_000) + ",1\n"));
  }

  @Test
  void controlCharactersAreNotBlanks() {
    Table table = read("x,y\n\u00015,a\n5\u0002,b\n7\u00013,a\n", ReadOptions.DEFAULT.withHeader(true));
    assertFalse(table.column("x").isNumeric());
    assertEquals("\u00015", table.column("x").text(0));
    assertEquals(List.of("\u00015", "5\u0002", "7\u00013"), ClassNames.of(table.column("x")).names());
  }

  @Test
  void textColumnsAreReadAsText() {
    Table table = read("code,x\n01,1\n02,2\n", ReadOptions.DEFAULT.withTextColumns(Set.of("code")));
    assertEquals("01", table.column("code").text(0));
    assertRefused("stdin: there is no column \"cod\" (did you mean \"code\"?); the columns are \"code\", \"x\"", () ->
        read("code,x\n01,1\n", ReadOptions.DEFAULT.withTextColumns(Set.of("cod"))));
  }

  @Test
  void theByteOrderMarkIsSkipped() {
    assertEquals(List.of("größe", "b"), read("\uFEFFgröße,b\n1,2\n").names());
  }

  @Test
  void gzippedTextIsReadUnderAnyName() throws IOException {
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
      assertEquals("y", table.column("b").text(1));
    }
  }

  @Test
  void longTextsAreReadWhole() {
    String word = "ü\"\n".repeat(100_000);
    Table table = read("a,b\n1,\"" + word.replace("\"", "\"\"") + "\"\n2,x\n");
    assertEquals(word, table.column("b").text(0));
    assertEquals(2, table.column("a").number(1));
  }

  @Test
  void chosenRowsAreInTheOrderAskedFor() {
    Table table = read("a,b\n1,x\n2,y\n3,z\n").rows(new int[] {2, 0, 1}).rows(new int[] {0, 2});
    assertEquals(2, table.rows());
    assertEquals(3, table.column("a").number(0));
    assertEquals("y", table.column("b").text(1));
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
