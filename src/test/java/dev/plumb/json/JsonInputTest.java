package dev.plumb.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonInputTest {
  @Test
  void readsEveryKindOfValue() {
    JsonObject json = parse("{\"s\":\"text\",\"i\":3,\"e\":1e3,\"d\":0.5,\"b\":true,\"n\":null,\"l\":[1,2],"
        + "\"o\":{\"k\":1},\"os\":[{\"k\":2}],\"big\":4294967295}");
    assertEquals("text", json.text("s"));
    assertEquals(3, json.integer("i"));
    assertEquals(1000, json.integer("e"));
    assertEquals(0.5, json.number("d"));
    assertEquals(3, json.number("i"));
    assertTrue(json.flag("b"));
    assertFalse(json.has("n"));
    assertEquals(List.of(1, 2), json.integers("l"));
    assertEquals(1, json.object("o").integer("k"));
    assertEquals(2, json.objects("os").get(0).integer("k"));
    assertEquals(4294967295L, json.longInteger("big"));
    assertTrue(Double.isNaN(parse("{\"x\":NaN}").number("x")));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
    "{`| line 1, column 2: this is not JSON",
    "{\"a\": 1,}| line 1, column 9: this is not JSON",
    "{\"a\": 1} x| line 1, column 10: this is not JSON",
    "{\"a\": 1} {}| something behind the end",
    "{\"a\": 1, \"a\": 2}| Duplicate field 'a'",
    "[1]| a JSON object in braces is needed",
    "`   `| is empty",
  })
  void syntaxErrorsNameLineAndColumn(String text, String part) {
    String json = text.replace("`", "");
    String message = assertThrows(InvalidInputException.class, () -> parse(json)).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void lineIsTheOneOfTheFault() {
    String message = assertThrows(InvalidInputException.class, () -> parse("{\n  \"a\": 1,\n  \"b\" 2\n}")).getMessage();
    assertTrue(message.startsWith("line 3, column 7: this is not JSON"), message);
  }

  @Test
  void wrongTypesNamePathLineAndWhatWasFound() {
    JsonObject json = parse("{\n\"nets\": [\n{\"layers\": [3, \"x\"],\n \"n\": 1.5, \"t\": 7}]}").objects("nets").get(0);
    assertRefused("nets[0].layers[1], line 3: must be a whole number, not \"x\"", () -> json.integers("layers"));
    assertRefused("nets[0].n, line 4: must be a whole number, not 1.5", () -> json.integer("n"));
    assertRefused("nets[0].t, line 4: must be a string, not 7", () -> json.text("t"));
    assertRefused("nets[0].t, line 4: must be a list, not 7", () -> json.integers("t"));
    assertRefused("nets[0], line 3: the key \"gone\" is missing", () -> json.text("gone"));
    assertRefused("must be between", () -> parse("{\"n\": 3000000000}").integer("n"));
    assertRefused("must be between", () -> parse("{\"n\": 99999999999999999999}").integer("n"));
  }

  @Test
  void unknownKeysNameTheNearestKnownOne() {
    assertRefused("epoch, line 1: unknown key \"epoch\" (did you mean \"epochs\"?); known here: epochs, seed",
        () -> parse("{\"epoch\": 1}").allowOnly(Set.of("seed", "epochs")));
  }

  @Test
  void filesThatCannotBeReadSaySo(@TempDir Path folder) {
    assertRefused("there is no such file", () -> JsonInput.read(folder.resolve("none.json")));
    assertRefused("it is a folder, not a file", () -> JsonInput.read(folder));
  }

  private static void assertRefused(String expected, Runnable action) {
    String message = assertThrows(InvalidInputException.class, action::run).getMessage();
    assertTrue(message.contains(expected), message);
  }

  private static JsonObject parse(String text) {
    return JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
  }
}
