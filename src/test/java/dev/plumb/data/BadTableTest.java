package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import java.util.List;

/** Errors in text files. */
class BadTableTest {
  @TempDir
  private Path folder;

  static List<Arguments> badFiles() {
    String manyNumbers = "1,2\n".repeat(5000);
    return List.of(
        bad("", "is empty; a table is needed"),
        bad("\n\n", "is empty; a table is needed"),
        bad("\uFEFF", "is empty; a table is needed"),
        bad("a,b\n", "has a header but no rows; at least one row is needed"),
        bad("a,b\n1,2\n3\n", "line 3 has 1 field, but line 1 has 2"),
        bad("a,b\n1,2\n\n3,4,5\n", "line 4 has 3 fields, but line 1 has 2"),
        bad("a,b\n1,2,\n3,4,\n", "line 2 has 3 fields, but line 1 has 2"),
        bad("1,7\n3,4\n5,6,7\n", "line 3 has 3 fields, but line 1 has 2"),
        bad("a,b,a\n1,2,3\n", "line 1: columns 1 and 3 are both named \"a\"; names must be unique"),
        bad(",b\n1,2\n", "line 1: column 1 has no name; every column needs one (remove a column of row numbers)"),
        bad("a,b\n1,2\n2,3\n3,x\n", "line 4, column 2 (\"b\"): \"x\" is not a number, but the column's other values are;"
            + " correct it, leave it empty, mark it as missing (--na-values), or read the column as text (--categorical b)"),
        bad(manyNumbers + "3,x y\n", "line 5001, column 2: \"x y\" is not a number, but the column's other values are; correct"
            + " it, leave it empty, mark it as missing (--na-values), or read the column as text (--categorical 2)"),
        bad("a,b\n1,2\n\"3\n3\",1\n4,5\n6,7\n",
            "line 3, column 1 (\"a\"): \"3 3\" is not a number, but the column's other values are; correct it, leave it empty,"
                + " mark it as missing (--na-values), or read the column as text (--categorical a)"),
        bad("a,b\n1,2\n3,inf\n", "line 3, column 2 (\"b\"): inf is infinite; data must be finite"),
        bad("a,b\n1,2\n-Infinity,4\n", "line 3, column 1 (\"a\"): -Infinity is infinite; data must be finite"),
        bad(manyNumbers + "3,-1e999\n", "line 5001, column 2: -1e999 is outside the range of a double (1.8e308); correct it"),
        bad("a,b\n1,2\n3,\"4\n5,6\n", "line 3: the quote that opens here is never closed"),
        bad("a,b\n1,2\n3,\"4\"5\n", "line 3: there is text between a closing quote and the end of the field; write a quote"
            + " within quotes twice"),
        bad("a;b\n1,5;2\n2,25;3\n", "line 2, column 1 (\"a\"): \"1,5\" has a decimal comma;"
            + " numbers need a decimal point: write 1.5, or read the column as text (--categorical a)"),
        bad("a,b\n1,2\n3,\0\n", "line 3 contains a NUL byte; save the file as UTF-8 text"),
        Arguments.of(new byte[] {'a', ',', 'b', '\n', '1', ',', '2', '\n', (byte) 0xE4, ',', '2', '\n'},
            "line 3: byte 0xE4 is not UTF-8; save the file as UTF-8"),
        Arguments.of(new byte[] {'a', '\n', '1', '\n', (byte) 0xC3}, "line 3: byte 0xC3 is not UTF-8; save the file as UTF-8"),
        Arguments.of("a,b\n1,2\n".getBytes(StandardCharsets.UTF_16), "is in UTF-16; save it as UTF-8"),
        Arguments.of("\uFEFFa,b\n1,2\n".getBytes(StandardCharsets.UTF_16LE), "is in UTF-16; save it as UTF-8"));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void isRefusedWithFileAndPlace(byte[] content, String message) throws IOException {
    Path file = Files.write(folder.resolve("bad.csv"), content);
    assertRefused(file + ": " + message, () -> read(file));
  }

  @Test
  void aFaultFarIntoTheFileIsOnItsLine() throws IOException {
    StringBuilder text = new StringBuilder("x,y\r\n");
    for (int line = 2; line < 100_000; line++) {
      text.append(line).append(",\"two\r\nlines\"\r\n");
    }
    Path file = Files.writeString(folder.resolve("bad.csv"), text + "1,a,b\r\n");
    assertRefused(file + ": line 199998 has 3 fields, but line 1 has 2", () -> read(file));
    Files.write(file, (text + "ü\0").getBytes(StandardCharsets.UTF_8));
    assertRefused(file + ": line 199998 contains a NUL byte; save the file as UTF-8 text", () -> read(file));
    Files.write(file, (text + "1,\u00FC\r\n").getBytes(StandardCharsets.ISO_8859_1));
    assertRefused(file + ": line 199998: byte 0xFC is not UTF-8; save the file as UTF-8", () ->
        read(file));
  }

  @Test
  void missingFilesAndFoldersAreRefused() {
    Path none = folder.resolve("none.csv");
    assertRefused(none + ": there is no such file", () -> TableReader.read(none, ReadOptions.DEFAULT));
    assertRefused(folder + ": cannot be read: it is a folder, not a file", () -> TableReader.read(folder, ReadOptions.DEFAULT));
  }

  /** Reads a table and uses all of its columns. */
  private static void read(Path file) {
    Table table = TableReader.read(file, ReadOptions.DEFAULT);
    table.names().forEach(table::column);
  }

  private static Arguments bad(String text, String message) {
    return Arguments.of(text.getBytes(StandardCharsets.UTF_8), message);
  }
}
