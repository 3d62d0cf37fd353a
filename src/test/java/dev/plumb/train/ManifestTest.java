package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {
  @ParameterizedTest
  @CsvSource(quoteCharacter = '`', value = {
      "iris-1.csv, iris-1.csv",
      "`{\"epochs\":3}`, `'{\"epochs\":3}'`",
      "it's, `'it'\\''s'`",
      "`a b`, `'a b'`",
      "``, `''`"})
  void argumentsAreQuotedForAShellOnlyWhereTheyNeedIt(String argument, String quoted) {
    assertEquals(quoted, Manifest.shellQuoted(argument));
  }
}
