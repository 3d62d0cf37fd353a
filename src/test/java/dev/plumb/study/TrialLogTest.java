package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.report.GridReport;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrialLogTest {
  private static final String SPEC = """
      { "epochs": 5, "lossAtEpochs": [2],
        "grid": {"depth": [1, 2], "width": [2], "activation": ["relu", "tanh"], "seeds": 3} }""";
  private static final TrialLog.Head HEAD = new TrialLog.Head("1", "17", "cpu", Precision.FP64, 42, 3, SPEC,
      Optional.of(Numerics.of(DeviceInfo.Kind.CPU, Precision.FP64).with("vectors", "plain Java")), Optional.empty(), List.of());
  private static final Study STUDY = study(SPEC);
  private static final DeviceInfo CPU = new DeviceInfo(DeviceInfo.Kind.CPU, "a CPU");

  @TempDir Path folder;
  private Path path;

  private static Study study(String text) {
    return StudySpecReader.parse(text).gridStudy();
  }

  @BeforeEach
  void writeTwoRows() {
    path = folder.resolve("some.runs");
    try (TrialLog file = TrialLog.create(path, HEAD)) {
      file.add(List.of(row(2), row(0)));
    }
  }

  @Test
  void whatWasWrittenIsReadToTheLastBit() {
    try (TrialLog file = TrialLog.open(path)) {
      assertEquals(HEAD, file.head());
      assertEquals(STUDY, file.study(TrialLogTest::study));
      TrialRow[] rows = new TrialRow[12];
      BitSet done = file.read(STUDY, rows);
      assertEquals("{0, 2}", done.toString());
      assertEquals(row(2).line(), rows[2].line());
      assertArrayEquals(row(2).losses(), rows[2].losses());
      assertEquals(1, rows[0].idle().length);
    }
  }

  @Test
  void numericsUnderWhichItWasResumedAreLinesOfTheirOwn() {
    Numerics other = HEAD.numerics().orElseThrow().with("vectors", "Vector API, 256 bits");
    try (TrialLog file = TrialLog.open(path)) {
      file.add(other);
      file.add(List.of(row(1)));
    }
    try (TrialLog file = TrialLog.open(path)) {
      assertEquals("{0, 1, 2}", file.read(STUDY, new TrialRow[STUDY.trials()]).toString());
      assertEquals(List.of(HEAD.numerics().orElseThrow(), other), file.numerics());
    }
  }

  @Test
  void fileWithoutNumericsIsReadAsSuch() {
    Path old = folder.resolve("old.runs");
    TrialLog.Head head = new TrialLog.Head("1", "17", "cpu", Precision.FP64, 42, 3, "{}", Optional.empty(), Optional.empty(), List.of());
    TrialLog.create(old, head).close();
    try (TrialLog file = TrialLog.open(old)) {
      assertEquals(head, file.head());
      file.read(STUDY, new TrialRow[STUDY.trials()]);
      assertEquals(List.of(), file.numerics());
    }
  }

  /** A kill may leave any part of the last line. */
  @Test
  void tornLastLineIsDroppedWhereverItEnds() throws IOException {
    byte[] whole = Files.readAllBytes(path);
    int firstRow = new String(whole, StandardCharsets.UTF_8).indexOf('\n') + 1;
    int secondRow = new String(whole, StandardCharsets.UTF_8).indexOf('\n', firstRow) + 1;
    for (int end = secondRow; end < whole.length; end++) {
      byte[] torn = Arrays.copyOf(whole, end);
      Files.write(path, torn);
      try (TrialLog file = TrialLog.open(path)) {
        assertEquals("{2}", file.read(STUDY, new TrialRow[12]).toString(), "cut at " + end);
      }
      assertArrayEquals(torn, Files.readAllBytes(path), "reading does not change the file");
      try (TrialLog file = TrialLog.open(path)) {
        file.add(List.of(row(1)));
        assertEquals("{1, 2}", file.read(STUDY, new TrialRow[12]).toString(), "cut at " + end);
      }
    }
  }

  @Test
  void whatIsNotAsItWasWrittenIsRefusedWithItsLine() throws IOException {
    String text = Files.readString(path);
    Files.writeString(path, text.replaceFirst("0\\.5", "0.7"));
    refused("line 2: this is not as it was written (its checksum is wrong); take the line out, and its network is trained again");
    Files.writeString(path, text);
    Files.writeString(path, row(0).line() + "\n", StandardOpenOption.APPEND);
    refused("line 4: network 0 is there twice");
    Files.writeString(path, text);
    Files.writeString(path, sealed(row(0).line(), 0, "12") + "\n", StandardOpenOption.APPEND);
    refused("line 4: this is not as it was written (network 12 is not one of the study's 12)");
  }

  @Test
  void listsOfAnotherLengthThanTheStudyNeedsAreRefused() throws IOException {
    String head = Files.readString(path).lines().findFirst().orElseThrow() + "\n";
    List<String> names = List.of("losses", "gradient norms", "gradient norms by epoch", "update-to-weight ratios",
        "dead or saturated shares");
    int[] needed = {5, 2, 10, 2, 1};
    for (int list = 0; list < 5; list++) {
      String full = row(1).line().split(",")[4 + list];
      for (String other : List.of("", full + " 1.0", full + " " + full, full.contains(" ") ? full.substring(full.indexOf(' ') + 1) : "")) {
        Files.writeString(path, head + sealed(row(1).line(), 4 + list, other) + "\n");
        int count = other.isEmpty() ? 0 : other.split(" ").length;
        refused("line 2: this is not as it was written (it has " + count + " " + names.get(list) + ", but the study has "
            + needed[list] + ")");
      }
    }
    Files.writeString(path, head + sealed(row(1).line(), 1, "6") + "\n");
    refused("line 2: this is not as it was written (it diverged in epoch 6 of 5)");
    Files.writeString(path, head + sealed(row(1).line(), 2, "NaN") + "\n");
    refused("line 2: this is not as it was written (it took NaN s)");
  }

  /** What is changed, and sealed again, comes to rows that everything can be made of, or is refused. */
  @Test
  void changedFilesAreReadOrRefused() throws IOException {
    long seed = 20251127;
    Random random = new Random(seed);
    String head = Files.readString(path).lines().findFirst().orElseThrow();
    int read = 0;
    for (int i = 0; i < 1200; i++) {
      String[] lines = {i % 3 == 0 ? changed(head, random) : head, row(2).line(), row(7).line()};
      int line = 1 + random.nextInt(2);
      lines[line] = i % 7 == 0 ? changed(lines[line], random)
          : sealed(lines[line], random.nextInt(9), field(lines[line].split(",")[random.nextInt(9)], random));
      Files.writeString(path, String.join("\n", lines) + "\n");
      String context = "seed " + seed + ", number " + i;
      Study study;
      TrialRow[] rows;
      try (TrialLog file = TrialLog.open(path)) {
        study = file.study(TrialLogTest::study);
        rows = new TrialRow[study.trials()];
        file.read(study, rows);
      } catch (InvalidInputException e) {
        assertFalse(e.getMessage().isBlank(), context);
        continue;
      }
      read++;
      use(new StudyResult(study, CPU, 0, rows), i % 50 == 0);
    }
    assertTrue(read > 100 && read < 1100, read + " were read");
  }

  private static void use(StudyResult result, boolean report) throws IOException {
    OutputStream nowhere = OutputStream.nullOutputStream();
    StudyOutput.writeJson(result, "1", nowhere);
    StudyOutput.writeCsv(result, nowhere);
    List<Finding> findings = StudyFindings.of(result);
    if (report) {
      new GridReport(result, findings, Optional.empty(), new TreeMap<>()).write(nowhere);
    }
  }

  /** A byte or two of it are others, or it is cut, or a part is there twice. */
  private static String changed(String line, Random random) {
    int at = random.nextInt(line.length());
    return switch (random.nextInt(4)) {
      case 0 -> line.substring(0, at) + (char) (' ' + random.nextInt(95)) + line.substring(at + 1);
      case 1 -> line.substring(0, at);
      case 2 -> line.substring(0, at) + random.nextInt(100) + line.substring(at);
      default -> line.substring(0, at) + line.substring(at / 2);
    };
  }

  private static String field(String field, Random random) {
    String[] values = {"", "-1", "0", "1", "5", "6", "NaN", "-Infinity", "Infinity", "1e400", "x", "0x1p3", " ", "2147483648",
        field + " 0", field + " " + field, field.replaceFirst("^\\S* ", ""), "-0.0", "1e-320", field};
    return values[random.nextInt(values.length)];
  }

  /** The line with another field, and the checksum that it then has. */
  private static String sealed(String line, int field, String value) {
    String[] fields = line.split(",", -1);
    fields[field] = value;
    String text = String.join(",", Arrays.copyOf(fields, fields.length - 1));
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return text + "," + Long.toHexString(crc.getValue());
  }

  private void refused(String message) {
    try (TrialLog file = TrialLog.open(path)) {
      String said = assertThrows(InvalidInputException.class, () -> file.read(STUDY, new TrialRow[12])).getMessage();
      assertTrue(said.contains(message), said);
    }
  }

  @Test
  void filesThatAreNoRunFilesAreRefusedUnchanged() throws IOException {
    String head = Files.readString(path).lines().findFirst().orElseThrow();
    for (String content : List.of("", "\n", SPEC, "a,b,y\n1,2,x\n3,4", "\n\n\nno line end", head, head.substring(0, 40),
        "{\"plumb\":\"1\"}\nrest", "{\"plumb\":\"1\"", "{\"plumb\":\"\n", head.replace("fp64", "fp63") + "\nrest")) {
      Files.writeString(path, content);
      assertNoRunFile(path);
      assertEquals(content, Files.readString(path));
    }
    assertNoRunFile(Files.write(folder.resolve("noise"), new byte[] {0, -1, 10, 0, -1}));
    Files.writeString(path, head.replace("\\\"depth\\\"", "\\\"deep\\\"") + "\nrest");
    try (TrialLog file = TrialLog.open(path)) {
      String message = assertThrows(InvalidInputException.class, () -> file.study(TrialLogTest::study)).getMessage();
      assertTrue(message.startsWith(path + ", line 1: grid.deep, line 2: unknown key \"deep\""), message);
    }
    assertTrue(Files.readString(path).endsWith("\nrest"));
  }

  private static void assertNoRunFile(Path file) {
    assertEquals(file + ": this is no run file of a study: its first line is not one that plumb study writes",
        assertThrows(InvalidInputException.class, () -> TrialLog.open(file)).getMessage());
  }

  @Test
  void largeFileIsRefusedSoon() throws IOException {
    for (String start : List.of("", "{\"plumb\":\"")) {
      for (String end : List.of("", "\n")) {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
          file.setLength(0);
          file.write(start.getBytes(StandardCharsets.US_ASCII));
          file.seek(200 << 20);
          file.write(("." + end).getBytes(StandardCharsets.US_ASCII));
        }
        assertTimeout(Duration.ofSeconds(10), () -> assertNoRunFile(path));
        assertEquals((200 << 20) + 1 + end.length(), Files.size(path));
      }
    }
  }

  @Test
  void fileIsMadeOnceAndAddedToByOne() throws IOException {
    assertTrue(assertThrows(InvalidInputException.class, () -> TrialLog.create(path, HEAD)).getMessage().contains("this file exists"));
    try (TrialLog file = TrialLog.open(path)) {
      Path other = Files.createLink(folder.resolve("other.runs"), path);
      for (Path name : List.of(path, folder.resolve("../" + folder.getFileName() + "/some.runs"), other)) {
        assertTrue(assertThrows(InvalidInputException.class, () -> TrialLog.open(name)).getMessage().contains("another study is writing"));
      }
      file.add(List.of(row(5)));
    }
    assertTrue(assertThrows(InvalidInputException.class, () -> TrialLog.open(folder.resolve("none"))).getMessage()
        .contains("there is no such file"));
    assertFalse(Files.exists(folder.resolve("none")));
    assertEquals(folder + ": a study keeps its networks in a file, to be resumed, and this is a folder",
        assertThrows(InvalidInputException.class, () -> TrialLog.open(folder)).getMessage());
  }

  @Test
  void interruptedThreadAddsWholeLines() {
    Thread.currentThread().interrupt();
    try (TrialLog file = TrialLog.open(path)) {
      file.add(List.of(row(1)));
      file.add(List.of(row(3)));
      assertEquals("{0, 1, 2, 3}", file.read(STUDY, new TrialRow[12]).toString());
    } finally {
      assertTrue(Thread.interrupted(), "the status is kept");
    }
  }

  private static TrialRow row(int network) {
    int layers = STUDY.cellOf(network).network().layerCount();
    double[] losses = new double[STUDY.curveEpochs().size()];
    Arrays.setAll(losses, i -> i == 1 ? Double.NaN : 0.1 / (i + 1));
    double[] norms = new double[layers];
    Arrays.fill(norms, 1e-300);
    return new TrialRow(network, network == 0 ? 4 : 0, 0.5, network == 0 ? Double.NaN : 1 / 3.0, losses, norms,
        TrialRow.array(losses.length * layers, i -> i == 3 ? Double.NaN : 0.1), TrialRow.array(layers, i -> 1e-20),
        TrialRow.array(layers - 1, i -> 0.25));
  }
}
