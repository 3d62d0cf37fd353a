package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumberNotationTest {
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {
      "271,346.55; 271346.55", "12.362,31; 12362.31", "1,234,567; 1234567", "1.234.567; 1234567", "12,34,567.5; 1234567.5",
      "3,5; 3.5", "0,125; 0.125", "-3,5; -3.5", "1'234.5; 1234.5", "1’234; 1234", "1 000; 1000",
      "$(5.00); -5.00", "($5.00); -5.00", "US$5; 5", "R$ 5,00; 5.00", "$1,200 USD; 1200", "5 kr; 5", "Rs. 500; 500", "1D+03; 1e+03",
      "%5; 5", "5٪; 5", "'12\u2002345'; 12345", "5,-; 5", "5.-; 5", "USD12; 12", "1,234.50-; -1234.50",
      "'1\u00a0234,5'; 1234.5", "'1\u2009234'; 1234", "'1\u202f234'; 1234", "'\u00a042'; 42", "'42\u2003'; 42",
      "$122742; 122742", "$1,234.50; 1234.50", "-$5; -5", "$-5; -5", "12 €; 12", "€ 12,50; 12.50", "USD 12; 12", "12.5 EUR; 12.5",
      "£3; 3", "¥1,000; 1000", "12%; 12", "12.5 %; 12.5", "-3,5%; -3.5", "\u22123.5; -3.5", "\u20135; -5", "(123); -123",
      "(1,234.5); -1234.5", "123-; -123", "1.5D+03; 1.5e+03", "0.25d-2; 0.25e-2", "１２; 12", "١٢; 12", "+1,000; 1000"})
  void otherNotationsAreUnderstood(String written, String plain) {
    assertEquals(Optional.of(plain), NumberNotation.plain(written));
    assertEquals(Double.parseDouble(plain), read("x\n" + plain + "\n", ReadOptions.DEFAULT).column("x").number(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "abc", "2024-01-02", "01.02.2024", "12:30", "1.2.3", "1,2,3", "10-20", "5kg", "12th", "B12", "12B",
      "1,234,5", "1.5D", "A 1", "ABC 12", "0x1F", "--5", "(-5)", "$", "%", "1e", "3D1", "1/2",
      "192.168.100.101", "SHP-1001", "VND001", "TOP10", "PEN 001", "COP1", "ALL-1", "2020.Q1", "2.5D3", "1_001", "1-", "007,5", "01 234"})
  void otherWordsAreNot(String word) {
    assertEquals(Optional.empty(), NumberNotation.plain(word));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1,234.5", "12 €", "\u22125", "1\u00a0234", "1.5D+03", "(5.5)"})
  void aColumnOfThemIsRefusedAndReadAsTextWhenToldTo(String word) {
    String text = "a;x\n1;\"" + word + "\"\n2;7.5\n3;\"" + word + "\"\n4;\n";
    Table table = read(text, ReadOptions.DEFAULT);
    assertRefused("stdin: line 2, column 2 (\"x\"): \"" + word + "\" is in an unsupported number format; write "
        + NumberNotation.plain(word).orElseThrow() + ", or read the column as text (--categorical x)", () -> table.column("x"));
    assertEquals(4, table.column("a").number(3), "another column does not mind");
    assertEquals(word, read(text, ReadOptions.DEFAULT.withTextColumns(Set.of("x"))).column("x").text(0));
  }

  @Test
  void numbersInParenthesesAreNumbersOnlyAmongOthers() {
    assertFalse(read("a,x\n1,(1)\n2,(2)\n3,(1)\n4,(2)\n", ReadOptions.DEFAULT).column("x").isNumeric());
    Table table = read("a,x\n1,(1)\n2,2\n3,(1)\n4,(2)\n", ReadOptions.DEFAULT);
    assertRefused("stdin: line 2, column 2 (\"x\"): \"(1)\" is in an unsupported number format; write -1, or read the column as"
        + " text (--categorical x)", () -> table.column("x"));
  }

  @Test
  void marksForNoNumberDoNotMakeAColumnOfWords() {
    for (String mark : List.of(".", "-", "--", "...", "-nan", "#N/A")) {
      Table table = read("a,x\n1," + mark + "\n2," + mark + "\n3,5\n4," + mark + "\n", ReadOptions.DEFAULT);
      assertRefused("stdin: line 2, column 2 (\"x\"): \"" + mark + "\" is not a number, but the column's other values are;"
          + " correct it, leave it empty, mark it as missing (--na-values), or read the column as text (--categorical"
          + " x)", () -> table.column("x"));
    }
    assertEquals("-", read("a,x\n1,-\n2,-\n3,y\n", ReadOptions.DEFAULT).column("x").text(0));
    assertEquals("-", read("a,x\n1,-\n2,+\n3,-\n", ReadOptions.DEFAULT).column("x").text(0));
  }

  @Test
  void theRemedyDependsOnPercentsAndPointsInTheColumn() {
    assertEquals("is in an unsupported number format; write 5, or a hundredth of it if the column holds fractions",
        NumberNotation.remedy("5%", List.of("0.05", "0.06", "5%")));
    assertEquals("is in an unsupported number format; write 1234.5, and remove the thousands separators from all values of the"
        + " column", NumberNotation.remedy("1.234,5", List.of("1.234,5", "1.234", "2.345")));
  }

  @Test
  void aFewOfThemAmongWordsAreWords() {
    Table table = read("a,x\n1,10%\n2,cheap\n3,dear\n4,none\n", ReadOptions.DEFAULT);
    assertFalse(table.column("x").isNumeric());
    assertEquals("10%", table.column("x").text(0));
  }

  @Test
  void theMeaningOfACommaDependsOnTheOtherValues() {
    assertEquals("has a comma before three digits: write 285392 if it separates thousands, 285.392 if it is a decimal comma",
        NumberNotation.remedy("285,392", List.of("285,392", "197,024")));
    assertEquals("has a decimal comma; numbers need a decimal point: write 1.125",
        NumberNotation.remedy("1,125", List.of("1,125", "1,5")));
    assertEquals("has a decimal comma; numbers need a decimal point: write 0.125",
        NumberNotation.remedy("0,125", List.of("0,125")));
    assertEquals("is in an unsupported number format; write 1234567",
        NumberNotation.remedy("1,234,567", List.of("1,234,567")));
  }

  private static Table read(String text, ReadOptions options) {
    return TableReader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "stdin", options);
  }
}
