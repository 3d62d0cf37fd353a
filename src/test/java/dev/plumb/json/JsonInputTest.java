package dev.plumb.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.plumb.model.InvalidInputException;
import java.lang.management.ManagementFactory;
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
  void anUnclosedObjectIsRefusedWithoutJacksonsHints() {
    assertRefusedAs("line 1, column 2: this is not JSON: Unexpected end-of-input: expected close marker for Object", () -> parse("{"));
  }

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
    "{\"a\": 1} {}| unexpected content after the end",
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
  void theMessageHasTheLineOfTheError() {
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
    assertRefused("epoch, line 1: unknown key \"epoch\" (did you mean \"epochs\"?); known keys: epochs, seed",
        () -> parse("{\"epoch\": 1}").allowOnly(Set.of("seed", "epochs")));
  }

  /** 2 MB of a document with 20,000 objects below a key of 50,000 characters: kept with each, the key alone would be 1 GB. */
  @Test
  void memoryIsInProportionToTheDocument() {
    String objects = "{\"k\":[{},[]]},".repeat(20_000);
    byte[] document = ("{\"" + "k".repeat(50_000) + "\":[" + objects + "{}]}").getBytes(StandardCharsets.UTF_8);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    JsonInput.parse(document);
    long allocated = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    assertTrue(allocated < 100L * document.length, allocated + " bytes for " + document.length);
  }

  @Test
  void longKeysAndValuesAreCutBetweenCodePoints() {
    String smiles = "\uD83D\uDE00".repeat(60_000);
    String cut = "\uD83D\uDE00".repeat(100) + "...";
    assertRefusedAs(cut + ", line 1: unknown key \"" + cut + "\"; known keys: epochs",
        () -> parse("{\"" + smiles + "\": 1}").allowOnly(Set.of("epochs")));
    assertRefusedAs("n, line 1: must be a whole number, not \"" + cut + "\"", () -> parse("{\"n\": \"" + smiles + "\"}").integer("n"));
    assertRefusedAs(cut + "[1].k, line 1: must be a string, not 1",
        () -> parse("{\"" + smiles + "\": [{}, {\"k\": 1}]}").objects(smiles).get(1).text("k"));
    String key = "k".repeat(70_000);
    String duplicate = assertThrows(InvalidInputException.class, () -> parse("{\"" + key + "\": 1, \"" + key + "\": 2}")).getMessage();
    assertTrue(duplicate.length() < 300 && duplicate.contains("Duplicate field 'kkk"), duplicate);
  }

  @Test
  void longPathsShowTheirFirstAndLastSegments() {
    JsonObject json = parse("{\"a\":".repeat(20) + "{\"n\": 1}" + "}".repeat(20));
    for (int depth = 0; depth < 20; depth++) {
      json = json.object("a");
    }
    JsonObject deepest = json;
    assertRefusedAs("a.a.a.a.a....a.a.a.a.a.n, line 1: must be a string, not 1", () -> deepest.text("n"));
  }

  /** The names of a model's categories are one text. */
  @Test
  void textsMayBeAsLongAsTheFile() {
    String text = "x".repeat(21_000_000);
    assertEquals(text, parse("{\"t\":\"" + text + "\"}").text("t"));
  }

  @Test
  void limitsNameNoSwitchOfTheLibrary() {
    assertRefusedAs("line 1, column 1006: this is not JSON: Document nesting depth (1001) exceeds the maximum allowed (1000)",
        () -> parse("{\"a\":" + "[".repeat(2000)));
    assertRefusedAs("line 1, column 2006: this is not JSON: Number value length (2000) exceeds the maximum allowed (1000)",
        () -> parse("{\"a\":" + "9".repeat(2000) + "}"));
  }

  /** Strings of Aa and BB have the same hash code. */
  @Test
  void keysWithTheSameHashCodeTakeNoLonger() {
    StringBuilder document = new StringBuilder("{");
    for (int i = 0; i < 1 << 15; i++) {
      document.append(i == 0 ? "\"" : ",\"");
      for (int bit = 0; bit < 15; bit++) {
        document.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      document.append("\":1");
    }
    JsonObject json = parse(document.append('}').toString());
    assertEquals(1 << 15, json.keys().size());
  }

  @Test
  void unreadableFilesAreRefused(@TempDir Path folder) {
    assertRefused("there is no such file", () -> JsonInput.read(folder.resolve("none.json")));
    assertRefused("it is a folder, not a file", () -> JsonInput.read(folder));
  }

  private static void assertRefusedAs(String expected, Runnable action) {
    assertEquals(expected, assertThrows(InvalidInputException.class, action::run).getMessage());
  }

  private static void assertRefused(String expected, Runnable action) {
    String message = assertThrows(InvalidInputException.class, action::run).getMessage();
    assertTrue(message.contains(expected), message);
  }

  private static JsonObject parse(String text) {
    return JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
  }
}
