package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.fuzz.Fuzzing;
import dev.plumb.fuzz.Mutations;
import dev.plumb.model.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged tables of every format, read with any options and encoded. */
class TableReaderFuzzTest {
  /** Small, so that what claims to be large is refused and not made. */
  private static final HeapBudget BUDGET = new HeapBudget(64 << 20, TableUse.ENCODED);
  private static final int MAX_ENCODED_VALUES = 20_000;
  private static final int INPUTS = 3000;
  private static final String[] PIECES = {",", "\n", "1", "2.5", "a", "\"", ";", "\t", " ", "|", "\r\n", "\r", "\"\"", "-", "x y",
      "NA", "1,5", "1e3", "?", "\u00e9", "\ud83d\ude00", "\ufeff", "#", "2024-01-02", "007", "1.000,5", "'", "\u00a0"};

  @TempDir
  private Path folder;

  @Test
  void textIsReadOrRefused() throws IOException {
    List<byte[]> valid = new ArrayList<>();
    for (String text : List.of(
        "a,b,y\n1,2,x\n3,4,z\n5,6,x\n", "1;2;3\n4;5;6\n", "a\tb\n1.5\t\"x \"\"y\"\"\"\n2\tz\n", "a,b\r\n1,\r\n,2\r\n",
        "\ufeffname;value\n\"M\u00fcller\n& Co\";1,5\nx;2,25\n", "y\n0\n1\n1\n0\n", "a b\n1 2\n3 4\n",
        "id,when,y\n001,2024-01-02,NA\n002,,1e-3\n003,x,?\n")) {
      valid.add(text.getBytes(StandardCharsets.UTF_8));
    }
    valid.add(Files.readAllBytes(Path.of("src/test/resources/tables/iris.csv")));
    Fuzzing.run("TableReader, text", INPUTS,
        random -> packed(random.nextInt(4) == 0 ? Mutations.text(random, PIECES) : Mutations.changed(valid, random), random),
        this::read);
  }

  @Test
  void arraysAreReadOrRefused() throws IOException {
    List<byte[]> valid = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/npy"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".npy")).sorted().toList()) {
        valid.add(Files.readAllBytes(file));
      }
    }
    valid.add(new byte[] {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, 0});
    valid.add(new byte[] {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9});
    valid.add(new byte[] {0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, -1, -3});
    valid.add(new byte[] {0, 0, 0x0E, 1, 0, 0, 0, 1, 0x3F, -8, 0, 0, 0, 0, 0, 0});
    Fuzzing.run("TableReader, NPY and IDX", INPUTS, random -> packed(Mutations.changed(valid, random), random), (input, random) -> {
      Files.write(folder.resolve("labels"), packed(random.nextBoolean()
          ? Mutations.pick(valid, random) : Mutations.changed(valid, random), random));
      read(input, random);
    });
  }

  @Test
  void archivesAreReadOrRefused() throws IOException {
    List<byte[]> archives = new ArrayList<>();
    List<byte[]> arrays = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/npy"))) {
      for (Path file : files.sorted().toList()) {
        (file.toString().endsWith(".npz") ? archives : arrays).add(Files.readAllBytes(file));
      }
    }
    Fuzzing.run("TableReader, NPZ", INPUTS, random -> random.nextInt(3) == 0
        ? archive(arrays, random) : packed(Mutations.changed(archives, random), random), this::read);
  }

  private void read(byte[] input, Random random) throws IOException {
    Path file = folder.resolve(random.nextInt(4) == 0 ? "x-images-idx3" : "x");
    ReadOptions options = options(random);
    Table table;
    if (random.nextInt(4) == 0) {
      table = TableReader.read(new ByteArrayInputStream(input), "stdin", options, BUDGET);
    } else {
      Files.write(file, input);
      table = TableReader.read(file, options, BUDGET);
    }
    assertTrue(table.rows() > 0 && !table.columns().isEmpty());
    for (Column column : table.columns()) {
      assertEquals(table.rows(), column.rows());
    }
    if ((long) table.rows() * table.columns().size() <= MAX_ENCODED_VALUES) {
      use(table, random);
    }
  }

  /** As training does, and then scoring. */
  private static void use(Table table, Random random) {
    for (Column column : table.columns()) {
      for (int row = 0; row < table.rows(); row++) {
        assertEquals(column.isMissing(row), column.text(row) == null);
        assertFalse(column.isNumeric() && Double.isInfinite(column.number(row)));
      }
    }
    EncodingOptions options = EncodingOptions.DEFAULT;
    options = random.nextBoolean() ? options : options.withTask(random.nextBoolean() ? Task.CLASSIFICATION : Task.REGRESSION);
    options = options.withMissing(Missing.values()[random.nextInt(Missing.values().length)]);
    try {
      EncodingOptions resolved = options.resolve(table);
      Table usable = resolved.handleMissing(table);
      TableEncoding encoding = TableEncoding.fit(usable, resolved);
      assertEquals(usable.rows(), encoding.encode(usable).rows());
    } catch (InvalidInputException e) {
      // The table was read all the same, and not every table is one to train on.
    }
  }

  private ReadOptions options(Random random) {
    ReadOptions options = ReadOptions.DEFAULT;
    if (random.nextInt(4) == 0) {
      options = options.withHeader(random.nextBoolean());
    }
    if (random.nextInt(4) == 0) {
      options = options.withDelimiter(",;\t |:".charAt(random.nextInt(6)));
    }
    if (random.nextInt(8) == 0) {
      options = options.withTextColumns(random.nextBoolean() ? Set.of("a") : Set.of("1", "2"));
    }
    if (random.nextInt(2) == 0) {
      options = options.withoutTargets();
    }
    Path labels = folder.resolve("labels");
    return random.nextInt(4) == 0 && Files.exists(labels) ? options.withLabels(labels) : options;
  }

  /** Sometimes gzipped, sometimes in several members, and then sometimes damaged. */
  private static byte[] packed(byte[] content, Random random) {
    if (random.nextInt(4) > 0) {
      return content;
    }
    int cut = random.nextBoolean() ? content.length : random.nextInt(content.length + 1);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try {
      for (int[] part : new int[][] {{0, cut}, {cut, content.length - cut}}) {
        try (OutputStream member = new GZIPOutputStream(packed)) {
          member.write(content, part[0], part[1]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return random.nextBoolean() ? packed.toByteArray() : Mutations.changed(List.of(packed.toByteArray()), random);
  }

  /** A sound archive of damaged arrays. */
  private static byte[] archive(List<byte[]> arrays, Random random) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (String name : random.nextBoolean() ? List.of("X", "y") : List.of("a")) {
        zip.putNextEntry(new ZipEntry(name + ".npy"));
        zip.write(random.nextInt(3) == 0 ? Mutations.pick(arrays, random) : Mutations.changed(arrays, random));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
