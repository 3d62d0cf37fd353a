package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static dev.plumb.data.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arrays that NumPy wrote ({@code scripts/golden/npy.py}), and IDX files. */
class ArrayTableTest {
  private static final double[][] VALUES = {{0, 1, -2}, {100, 7, -128}};

  @TempDir
  private Path folder;

  @ParameterizedTest
  @EnumSource(NumberType.class)
  void everyTypeOfNumberIsRead(NumberType type) {
    String name = type.name().toLowerCase(Locale.ROOT);
    assertHolds(name + ".npy", asHeld(type));
    if (type.bytes() > 1) {
      assertHolds(name + "-big.npy", asHeld(type));
    }
  }

  /** Without a sign -2 wraps around, and true is 1. */
  private static DoubleUnaryOperator asHeld(NumberType type) {
    double range = Math.pow(2, 8 * type.bytes());
    return switch (type) {
      case U1, U2, U4, U8 -> value -> value < 0 ? value + range : value;
      case B1 -> value -> value == 0 ? 0 : 1;
      default -> value -> value;
    };
  }

  @Test
  void eightByteIntegersRoundToTheNearestDouble() throws IOException {
    long[] numbers = {Long.MAX_VALUE, -1, -2, Long.MIN_VALUE, Long.MIN_VALUE + 1024, Long.MIN_VALUE + 1025, (1L << 53) + 1};
    Random random = new Random(5);
    for (int i = 0; i < 1000 + numbers.length; i++) {
      long bits = i < numbers.length ? numbers[i] : random.nextLong();
      byte[] file = Files.readAllBytes(Path.of("src/test/resources/npy/u8.npy"));
      ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(file.length - 48, bits);
      assertEquals(new BigInteger(Long.toUnsignedString(bits)).doubleValue(),
          read(file).columns().get(0).number(0), "seed 5, " + bits);
    }
  }

  /** Of three numbers that are one double, as of three neighbors anywhere else. */
  @ParameterizedTest
  @CsvSource({"i8, 9007199254740992", "i8, -9223372036854775808", "i8, 9223372036854775805", "u8, 18446744073709551613", "u8, 7",
      "i8, -1"})
  void eightByteIntegersAreExactAsClasses(String type, BigInteger first) throws IOException {
    List<String> names = IntStream.range(0, 3).mapToObj(i -> first.add(BigInteger.valueOf(i)).toString()).toList();
    for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
      ByteBuffer numbers = ByteBuffer.allocate(6 * Long.BYTES).order(order);
      for (int row = 0; row < 6; row++) {
        numbers.putLong(first.longValue() + (5 - row) % 3);
      }
      byte[] header = NpyFormat.header((order == ByteOrder.BIG_ENDIAN ? ">" : "<") + type, List.of(6));
      byte[] file = Arrays.copyOf(header, header.length + numbers.capacity());
      System.arraycopy(numbers.array(), 0, file, header.length, numbers.capacity());
      Column column = read(file).columns().get(0);
      for (int row = 0; row < 6; row++) {
        assertEquals(names.get((5 - row) % 3), column.text(row));
      }
      ClassNames classes = ClassNames.of(column);
      assertEquals(names, classes.names());
      Table table = Table.of(List.of(column));
      assertArrayEquals(new int[] {2, 1, 0, 2, 1, 0}, classes.labels(column, table));
      assertEquals(names.get(1), table.rows(new int[] {4}).columns().get(0).text(0));
      assertEquals(Task.CLASSIFICATION, Task.infer(table.rows(new int[] {0, 1}).columns().get(0)), "two classes");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fortran.npy", "version-2.npy", "version-3.npy", "single.npz"})
  void everyOrderAndVersionIsRead(String file) {
    assertHolds(file, value -> value);
  }

  @Test
  void moreDimensionsAreOneRowEach() {
    Table table = golden("three-dimensions.npy");
    assertEquals(2, table.rows());
    assertEquals(12, table.columns().size());
    assertEquals(12, table.column("1").number(1));
    assertEquals(23, table.column("12").number(1));
    Table one = golden("one-dimension.npy");
    assertEquals(1, one.columns().size());
    assertEquals(4, one.column("1").number(4));
  }

  @Test
  void notANumberIsMissing() {
    assertTrue(golden("missing.npy").column("2").isMissing(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"stored.npz", "deflated.npz"})
  void featuresAndTargetsOfAnNpzAreOneTable(String file) {
    Table table = golden(file);
    assertEquals(List.of("1", "2", "3", "y"), table.names());
    assertEquals(-128, table.column("3").number(1));
    assertEquals(4, table.column("y").number(1));
  }

  @Test
  void allColumnsOfTheArrayYAreTargets() throws IOException {
    byte[] x = npy(List.of(3, 2), 1, 2, 3, 4, 5, 6);
    byte[] y = npy(List.of(3, 2), 0.5, 2, 1.5, 4, 2.5, 6);
    Path file = folder.resolve("two.npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, byte[]> array : List.of(Map.entry("X.npy", x), Map.entry("y.npy", y))) {
        zip.putNextEntry(new ZipEntry(array.getKey()));
        zip.write(array.getValue());
      }
    }
    Table table = TableReader.read(file, ReadOptions.DEFAULT);
    assertEquals(List.of("1", "2", "y1", "y2"), table.names());
    assertEquals(List.of("y1", "y2"), table.targets());
    assertEquals(List.of("1", "2"), EncodingOptions.DEFAULT.resolve(table).features());
    Path features = Files.write(folder.resolve("x.npy"), x);
    Path labels = Files.write(folder.resolve("labels.npy"), y);
    assertEquals(List.of("label1", "label2"), TableReader.read(features, ReadOptions.DEFAULT.withLabels(labels)).targets());
    assertEquals(List.of(), TableReader.read(features, ReadOptions.DEFAULT).targets());
  }

  private static byte[] npy(List<Integer> shape, double... values) {
    byte[] header = NpyFormat.header("<f8", shape);
    ByteBuffer file = ByteBuffer.allocate(header.length + 8 * values.length).order(ByteOrder.LITTLE_ENDIAN).put(header);
    for (double value : values) {
      file.putDouble(value);
    }
    return file.array();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '#', value = {
      "scalar.npy # has a single number; a table needs rows",
      "no-rows.npy # has 0 x 3 numbers; a table needs rows and columns",
      "texts.npy # has strings; save integers or floats of 4 or 8 bytes",
      "objects.npy # has Python objects; save integers or floats of 4 or 8 bytes",
      "half.npy # has numbers of dtype f2; save integers or floats of 4 or 8 bytes: astype('float32')",
      "complex.npy # has numbers of dtype c16; save integers or floats of 4 or 8 bytes",
      "records.npy # has records instead of numbers; save an array of one dtype",
      "others.npz # has the arrays a, b; it needs X and y, or only one array",
      "lone-x.npz # has an array X, but no array y with the targets"})
  void arraysThatAreNotTablesAreRefused(String file, String message) {
    assertRefused("src/test/resources/npy/" + file + ": " + message, () -> golden(file));
  }

  @Test
  void aColumnWithAnInfinityIsRefusedWhenItIsUsed() {
    Table table = golden("infinite.npy");
    assertEquals(1, table.column("1").number(0));
    assertRefused("src/test/resources/npy/infinite.npy: row 2, column 2 is Infinity; data must be finite", () -> table.column("2"));
  }

  @Test
  void aPredictionNeedsOnlyFeatures() {
    assertEquals(3, TableReader.read(Path.of("src/test/resources/npy/lone-x.npz"), ReadOptions.DEFAULT.withoutTargets())
        .columns().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"f8.npy", "version-2.npy", "b1.npy"})
  void everyTruncationIsRefused(String name) throws IOException {
    byte[] whole = Files.readAllBytes(Path.of("src/test/resources/npy", name));
    for (int length = 6; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertTrue(refusal(() -> read(part)).endsWith("the file is not complete"), "length " + length);
      Path file = Files.write(folder.resolve("part.npy"), part);
      assertTrue(refusal(() -> TableReader.read(file, ReadOptions.DEFAULT)).endsWith("the file is not complete"), "length "
          + length);
    }
    assertRefused("stdin: has more bytes than its header says", () -> read(Arrays.copyOf(whole, whole.length + 1)));
  }

  @Test
  void headersThatAreNotNumPysAreRefused() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of("src/test/resources/npy/f8.npy"));
    byte[] version = whole.clone();
    version[6] = 4;
    assertRefused("stdin: has NPY version 4; versions 1 to 3 are supported", () -> read(version));
    byte[] huge = Files.readAllBytes(Path.of("src/test/resources/npy/version-2.npy"));
    huge[11] = 0x7F;
    assertTrue(refusal(() -> read(huge)).contains("the maximum is 65536"), "a length of 2 GB");
    String text = new String(whole, StandardCharsets.ISO_8859_1);
    for (String wrong : List.of("'shape': (-2, 3)", "'shape': (2; 3)", "'shape': 'x, 3'")) {
      byte[] changed = text.replace("'shape': (2, 3)", wrong).getBytes(StandardCharsets.ISO_8859_1);
      assertTrue(refusal(() -> read(changed)).contains("has an invalid NPY header"), wrong);
    }
    byte[] large = text.replace("(2, 3), }       ", "(2000000000, 3)}").getBytes(StandardCharsets.ISO_8859_1);
    assertRefused("stdin: 2000000000 rows of 3 numbers are more than 2147483639 values, the maximum of a table; use fewer rows or"
        + " columns", () -> read(large));
    Path file = Files.write(folder.resolve("large.npy"), large);
    assertRefused(file + ": its header announces 2000000000 x 3 numbers of 8 bytes, but 48 bytes follow; the file is not"
        + " complete",
        () -> TableReader.read(file, ReadOptions.DEFAULT));
  }

  @Test
  void everyChangedBitOfAnNpzIsSeenOrChangesNothing() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of("src/test/resources/npy/deflated.npz"));
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < 500; i++) {
      byte[] changed = whole.clone();
      changed[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      Path file = Files.write(folder.resolve("changed.npz"), changed);
      try {
        Table table = TableReader.read(file, ReadOptions.DEFAULT);
        assertEquals(-128, table.column("3").number(1), "seed 3, change " + i);
        assertEquals(100, table.column("1").number(1), "seed 3, change " + i);
        assertEquals(3, table.column("y").number(0), "seed 3, change " + i);
      } catch (InvalidInputException e) {
        refused++;
      }
    }
    assertTrue(refused > 200, "only " + refused + " were refused");
  }

  @Test
  void twoArraysOfOneNameAreRefused() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (String name : List.of("X", "Z")) {
        zip.putNextEntry(new ZipEntry(name + ".npy"));
        zip.write(Files.readAllBytes(Path.of("src/test/resources/npy/f8.npy")));
      }
    }
    String twice = out.toString(StandardCharsets.ISO_8859_1).replace("Z.npy", "X.npy");
    Path file = Files.write(folder.resolve("twice.npz"), twice.getBytes(StandardCharsets.ISO_8859_1));
    assertRefused(file + ": has two arrays named X; names must be unique", () -> TableReader.read(file, ReadOptions.DEFAULT));
  }

  @Test
  void anNpzMustBeAFile() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of("src/test/resources/npy/stored.npz"));
    assertRefused("stdin: is an NPZ archive, which can be read only from a file, not from a stream or inside"
        + " gzip", () -> read(whole));
    Path cut = Files.write(folder.resolve("cut.npz"), Arrays.copyOf(whole, whole.length - 30));
    assertTrue(refusal(() -> TableReader.read(cut, ReadOptions.DEFAULT)).startsWith(cut + ": is a damaged ZIP file: "));
  }

  @Test
  void labelsAreFoundNextToImages() throws IOException {
    Path images = idx("train-images-idx3-ubyte", 8, new int[] {3, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 0);
    assertRefused(images + ": has no labels file next to it, whose name has labels and idx1 instead of images and idx3; use"
        + " --labels FILE", () -> TableReader.read(images, ReadOptions.DEFAULT));
    assertEquals(List.of("1", "2", "3", "4"), TableReader.read(images, ReadOptions.DEFAULT.withoutTargets()).names());
    gzip(idx("train-labels-idx1-ubyte", 8, new int[] {3}, 7, 0, 9));
    Table table = TableReader.read(images, ReadOptions.DEFAULT);
    assertEquals(List.of("1", "2", "3", "4", "label"), table.names());
    assertEquals(255, table.column("3").number(2));
    assertEquals(9, table.column("label").number(2));
    Path packed = gzip(images);
    assertEquals(9, TableReader.read(packed, ReadOptions.DEFAULT).column("label").number(2));
    Path others = idx("others", 8, new int[] {2}, 1, 2);
    assertRefused(packed + ": labels " + others + ": label has 2 rows, but there are 3 rows of features", () ->
        TableReader.read(packed, ReadOptions.DEFAULT.withLabels(others)));
    Path text = Files.writeString(folder.resolve("labels.csv"), "1\n2\n3\n");
    assertRefused(packed + ": labels " + text + ": is neither IDX nor NPY; a labels file must be one of them", () ->
        TableReader.read(packed, ReadOptions.DEFAULT.withLabels(text)));
    assertRefused(packed + ": labels none: there is no such file", () ->
        TableReader.read(packed, ReadOptions.DEFAULT.withLabels(Path.of("none"))));
    assertRefused(text + ": is neither IDX nor NPY; only these have their labels in a separate file", () ->
        TableReader.read(text, ReadOptions.DEFAULT.withLabels(others)));
  }

  @Test
  void everyTypeOfIdxIsRead() throws IOException {
    assertEquals(-3, single(idx("i1", 0x09, new int[] {2, 1}, 1, 0xFD)));
    assertEquals(-3, single(idx("i2", 0x0B, new int[] {2, 1}, 0, 1, 0xFF, 0xFD)));
    assertEquals(0x01020304, single(idx("i4", 0x0C, new int[] {2, 1}, 0, 0, 0, 0, 1, 2, 3, 4)));
    assertEquals(1.5, single(idx("f4", 0x0D, new int[] {2, 1}, 0, 0, 0, 0, 0x3F, 0xC0, 0, 0)));
    assertEquals(1.5, single(idx("f8", 0x0E, new int[] {1, 1}, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0)));
  }

  @Test
  void truncatedIdxIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(idx("i2", 0x0B, new int[] {2, 2}, 1, 2, 3, 4, 5, 6, 7, 8));
    for (int length = 3; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertTrue(refusal(() -> TableReader.read(new ByteArrayInputStream(part), "stdin", ReadOptions.DEFAULT.withoutTargets()))
          .endsWith("the file is not complete"), "length " + length);
    }
  }

  private double single(Path file) {
    Table table = TableReader.read(file, ReadOptions.DEFAULT.withoutTargets());
    return table.column("1").number(table.rows() - 1);
  }

  private Path idx(String name, int kind, int[] shape, int... bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(new byte[] {0, 0, (byte) kind, (byte) shape.length});
    for (int length : shape) {
      out.write(new byte[] {0, 0, 0, (byte) length});
    }
    for (int b : bytes) {
      out.write(b);
    }
    return Files.write(folder.resolve(name), out.toByteArray());
  }

  /** Replaces a file by its gzipped copy. */
  private static Path gzip(Path file) throws IOException {
    Path packed = Path.of(file + ".gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      Files.copy(file, out);
    }
    Files.delete(file);
    return packed;
  }

  private static void assertHolds(String file, DoubleUnaryOperator asHeld) {
    Table table = golden(file);
    assertEquals(VALUES.length, table.rows());
    assertEquals(VALUES[0].length, table.columns().size());
    for (int row = 0; row < VALUES.length; row++) {
      for (int column = 0; column < VALUES[0].length; column++) {
        assertEquals(asHeld.applyAsDouble(VALUES[row][column]), table.columns().get(column).number(row), file);
      }
    }
    assertFalse(table.has("y"));
  }

  private static Table golden(String file) {
    return TableReader.read(Path.of("src/test/resources/npy", file), ReadOptions.DEFAULT);
  }

  private static Table read(byte[] bytes) {
    return TableReader.read(new ByteArrayInputStream(bytes), "stdin", ReadOptions.DEFAULT);
  }
}
