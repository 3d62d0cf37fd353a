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
      "3,5; 3.5", "0,125; 0.125", "-3,5; -3.5", "1'234.5; 1234.5", "1’234; 1234", "1_000; 1000", "1 000; 1000",
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
      "1,234,5", "1.5D", "A 1", "ABC 12", "0x1F", "--5", "(-5)", "$", "%", "1e", "3D1", "1/2"})
  void otherWordsAreNot(String word) {
    assertEquals(Optional.empty(), NumberNotation.plain(word));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1,234.5", "12 €", "12%", "\u22125", "1\u00a0234", "1.5D+03", "(5.5)"})
  void aColumnOfThemIsRefusedAndReadAsTextWhenToldTo(String word) {
    String text = "a;x\n1;\"" + word + "\"\n2;7.5\n3;\"" + word + "\"\n4;\n";
    Table table = read(text, ReadOptions.DEFAULT);
    assertRefused("stdin: line 2, column 2 (\"x\"): \"" + word + "\" is a number in a notation that is not read: write "
        + NumberNotation.plain(word).orElseThrow() + ", or read the column as text (--categorical x)", () -> table.column("x"));
    assertEquals(4, table.column("a").number(3), "another column does not mind");
    assertEquals(word, read(text, ReadOptions.DEFAULT.withWords(Set.of("x"))).column("x").word(0));
  }

  @Test
  void aFewOfThemAmongWordsAreWords() {
    Table table = read("a,x\n1,10%\n2,cheap\n3,dear\n4,none\n", ReadOptions.DEFAULT);
    assertFalse(table.column("x").isNumeric());
    assertEquals("10%", table.column("x").word(0));
  }

  @Test
  void whatACommaMeansIsToldByTheOtherValues() {
    assertEquals("has a comma before three digits: write 285392 if it separates thousands, 285.392 if it is a decimal comma",
        NumberNotation.remedy("285,392", List.of("285,392", "197,024")));
    assertEquals("has a decimal comma; numbers need a decimal point: write 1.125",
        NumberNotation.remedy("1,125", List.of("1,125", "1,5")));
    assertEquals("has a decimal comma; numbers need a decimal point: write 0.125",
        NumberNotation.remedy("0,125", List.of("0,125")));
    assertEquals("is a number in a notation that is not read: write 1234567",
        NumberNotation.remedy("1,234,567", List.of("1,234,567")));
  }

  private static Table read(String text, ReadOptions options) {
    return TableReader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "stdin", options);
  }
}
