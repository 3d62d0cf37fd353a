package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static dev.plumb.data.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that does not fit is refused with its size and the remedy, long before it is read whole. */
class HeapBudgetTest {
  private static final String LINE = "1.25,2.5,3.75,5,6,7,8,9\n";
  /** Packed values, 7 of 1 byte and 1 of 2; the same as doubles; and what a row takes besides. */
  private static final int BYTES_PER_ROW = 8 + 1 + 8 * 8 + 30;

  /** Returns the budget of a heap that has room for some bytes of data. */
  private static HeapBudget budget(long bytes) {
    return new HeapBudget((long) Math.ceil(1.03 * (bytes + HeapBudget.PROCESS_BYTES)), TableUse.ENCODED);
  }

  @TempDir
  private Path folder;

  @Test
  void whatFitsIsRead() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), LINE.repeat(5000));
    assertEquals(5000, TableReader.read(file, ReadOptions.DEFAULT, budget(5000L * BYTES_PER_ROW)).rows());
    assertRefused(file + ": about 5000 rows of 8 columns need about 13 MiB of memory, but Java may use 13 MiB; set"
        + " PLUMB_JAVA_OPTS=-Xmx20m (if the machine has that much), or use fewer rows or columns", () ->
        TableReader.read(file, ReadOptions.DEFAULT, budget(5000L * BYTES_PER_ROW - 1)));
  }

  @Test
  void aLargeFileIsRefusedByItsSizeAfterItsFirstRows() throws IOException {
    CountingStream stream = new CountingStream(LINE);
    ByteSource source = new ByteSource(stream, 100_000_000_000L);
    String message = refusal(() -> CsvTable.read(source, ReadOptions.DEFAULT, budget(4L << 30)));
    assertTrue(message.startsWith("about 4166666667 rows of 8 columns need about 411.7 GiB of memory, but Java may use 4.1 GiB; set"
        + " PLUMB_JAVA_OPTS=-Xmx412g"), message);
    assertTrue(stream.read < 200_000, stream.read + " bytes were read");
  }

  @Test
  void aStreamWithoutAnEndIsRefusedWhenItHasGrownTooLarge() {
    CountingStream stream = new CountingStream(LINE);
    String message = refusal(() -> TableReader.read(stream, "stdin", ReadOptions.DEFAULT, budget(10_000_000)));
    assertTrue(message.startsWith("stdin: more than 98304 rows of 8 columns need about 23 MiB of memory"), message);
  }

  @Test
  void aPackedFileIsRefusedByWhatItUnpacksTo() throws IOException {
    Path file = folder.resolve("a.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(LINE.repeat(400_000).getBytes(StandardCharsets.US_ASCII));
    }
    String message = refusal(() -> TableReader.read(file, ReadOptions.DEFAULT, budget(10_000_000)));
    assertTrue(message.contains("rows of 8 columns need about ") && Files.size(file) < 200_000, message);
  }

  @Test
  void anArrayIsRefusedByItsHeader() throws IOException {
    byte[] header = {0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28};
    assertRefused("stdin: 65536 x 28 x 28 numbers need about 470 MiB of memory, but Java may use 406 MiB; set"
        + " PLUMB_JAVA_OPTS=-Xmx470m (if the machine has that much), or use fewer rows or columns", () ->
        TableReader.read(new ByteArrayInputStream(header), "stdin", ReadOptions.DEFAULT.withoutTargets(),
            budget(400_000_000)));
  }

  /** A column takes much more than a value, so that an array of few rows can be small in its file and large in memory. */
  @Test
  void anArrayOfVeryManyColumnsIsRefusedByThem() throws IOException {
    String more = "; set PLUMB_JAVA_OPTS=-Xmx410m (if the machine has that much), or use fewer rows or columns";
    HeapBudget budget = budget(400_000_000);
    byte[] npy = npy("|u1", 1, 400_000);
    assertRefused("stdin: 1 x 400000 numbers need about 409 MiB of memory, but Java may use 406 MiB" + more, () ->
        TableReader.read(new ByteArrayInputStream(npy), "stdin", ReadOptions.DEFAULT, budget));
    byte[] idx = {0, 0, 8, 2, 0, 0, 0, 1, 0, 6, 26, (byte) 128};
    assertRefused("stdin: 1 x 400000 numbers need about 409 MiB of memory, but Java may use 406 MiB" + more, () ->
        TableReader.read(new ByteArrayInputStream(idx), "stdin", ReadOptions.DEFAULT.withoutTargets(), budget));
    Path labels = Files.write(folder.resolve("labels.npy"), npy("|u1", 1, 300_000));
    Path features = Files.write(folder.resolve("features.npy"), npy("|u1", 1, 100_000));
    assertRefused(features + ": labels " + labels + ": 1 x 300000 numbers and the data already read need about 409 MiB of"
        + " memory, but"
        + " Java may use 406 MiB" + more, () -> TableReader.read(features, ReadOptions.DEFAULT.withLabels(labels), budget));
    Path npz = folder.resolve("a.npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(npz))) {
      zip.putNextEntry(new ZipEntry("X.npy"));
      zip.write(npy("|u1", 1, 100_000));
      zip.putNextEntry(new ZipEntry("y.npy"));
      zip.write(npy("|u1", 1, 300_000));
    }
    assertRefused(npz + ": array y.npy: 1 x 300000 numbers and the data already read need about 409 MiB of memory, but Java may"
        + " use"
        + " 406 MiB" + more, () -> TableReader.read(npz, ReadOptions.DEFAULT, budget));
    assertEquals(400_000, TableReader.read(npz, ReadOptions.DEFAULT, budget(404_000_000)).columns().size());
  }

  @Test
  void anArrayOfMoreValuesThanJavaCanHoldIsRefusedAsThat() {
    byte[] header = {0, 0, 8, 2, (byte) 128, 0, 0, 0, 0, 0, 0, 2};
    assertRefused("stdin: 2147483648 rows of 2 numbers are more than 2147483639 values, the maximum of a table; use fewer rows or"
        + " columns", () -> TableReader.read(new ByteArrayInputStream(header), "stdin", ReadOptions.DEFAULT.withoutTargets()));
    byte[] dimensions = Arrays.copyOf(new byte[] {0, 0, 8, (byte) 200}, 804);
    Arrays.fill(dimensions, 4, 804, (byte) 1);
    assertRefused("stdin: has 200 dimensions; the maximum is 64", () ->
        TableReader.read(new ByteArrayInputStream(dimensions), "stdin", ReadOptions.DEFAULT.withoutTargets()));
  }

  private static byte[] npy(String type, int rows, int columns) {
    byte[] header = NpyFormat.header(type, List.of(rows, columns));
    return Arrays.copyOf(header, header.length + rows * columns);
  }

  @Test
  void aJvmWithASmallHeapRefusesInsteadOfRunningOutOfMemory() throws Exception {
    Path file = folder.resolve("large.csv");
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      for (int row = 0; row < 400_000; row++) {
        out.write(LINE);
      }
    }
    assertEquals("refused", readInAJvm(file, "-Xmx32m"));
    assertEquals("400000 rows", readInAJvm(file, "-Xmx128m"));
  }

  /** 7.8 MB in the file, 31.4 MB as features. */
  @Test
  void aTrainingRunsInTheHeapThatItsRefusalNames() throws Exception {
    int rows = 10_000;
    byte[] images = new byte[16 + rows * 784];
    ByteBuffer.wrap(images).putInt(0x803).putInt(rows).putInt(28).putInt(28);
    byte[] labels = new byte[8 + rows];
    ByteBuffer.wrap(labels).putInt(0x801).putInt(rows);
    Random random = new Random(5);
    for (int row = 0; row < rows; row++) {
      labels[8 + row] = (byte) random.nextInt(2);
      images[16 + row * 784 + random.nextInt(784)] = labels[8 + row];
    }
    Path file = Files.write(folder.resolve("images-idx3"), images);
    Files.write(folder.resolve("labels-idx1"), labels);
    String refusal = trainInAJvm(file, "-Xmx30m");
    Matcher option = Pattern.compile("PLUMB_JAVA_OPTS=(-Xmx(\\d+)m)").matcher(refusal);
    assertTrue(option.find(), refusal);
    assertTrue(Integer.parseInt(option.group(2)) <= 60, refusal);
    assertTrue(trainInAJvm(file, option.group(1)).contains("rows: 8000 for training, 2000 for validation"));
  }

  private String trainInAJvm(Path file, String heap) throws Exception {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), heap,
        "-XX:+UseSerialGC", "-Xmn8m", "-cp", System.getProperty("java.class.path"), "dev.plumb.cli.Main", "train", file.toString(),
        "--device", "cpu", "--layers", "4", "--epochs", "1", "--validation", "0.2", "--runs", folder.resolve("runs").toString())
        .redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(said.contains("PLUMB_JAVA_OPTS") ? 2 : 0, process.exitValue(), said);
    return said;
  }

  private static String readInAJvm(Path file, String heap) throws Exception {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), heap,
        "-XX:+UseSerialGC",
        "-cp", System.getProperty("java.class.path"), TableReadingProgram.class.getName(),
            file.toString()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    return said.contains("PLUMB_JAVA_OPTS=-Xmx") ? "refused" : said;
  }

  /** The same line again and again. */
  private static final class CountingStream extends InputStream {
    private final byte[] line;
    private long read;

    CountingStream(String line) {
      this.line = line.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public int read() {
      return line[(int) (read++ % line.length)];
    }
  }
}
