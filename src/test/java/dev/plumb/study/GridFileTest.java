package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GridFileTest {
  private static final GridFile.Head HEAD = new GridFile.Head("1", "17", "cpu", Precision.FP64, 42, 3, "{ \"grid\":\n 1 }",
      Optional.of(Numerics.of(DeviceInfo.Kind.CPU, Precision.FP64).with("vectors", "plain Java")));

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void writeTwoRows() {
    path = folder.resolve("some.runs");
    try (GridFile file = GridFile.create(path, HEAD)) {
      file.add(List.of(row(2), row(0)));
    }
  }

  @Test
  void whatWasWrittenIsReadToTheLastBit() {
    try (GridFile file = GridFile.open(path)) {
      assertEquals(HEAD, file.head());
      GridRow[] rows = new GridRow[3];
      BitSet done = file.read(rows);
      assertEquals("{0, 2}", done.toString());
      assertEquals(row(2).line(), rows[2].line());
      assertArrayEquals(row(2).losses(), rows[2].losses());
      assertEquals(0, rows[0].idle().length);
    }
  }

  @Test
  void numericsUnderWhichItWasResumedAreLinesOfTheirOwn() {
    Numerics other = HEAD.numerics().orElseThrow().with("vectors", "Vector API, 256 bits");
    try (GridFile file = GridFile.open(path)) {
      file.add(other);
      file.add(List.of(row(1)));
    }
    try (GridFile file = GridFile.open(path)) {
      assertEquals("{0, 1, 2}", file.read(new GridRow[3]).toString());
      assertEquals(List.of(HEAD.numerics().orElseThrow(), other), file.numerics());
    }
  }

  @Test
  void fileWithoutNumericsIsReadAsSuch() {
    Path old = folder.resolve("old.runs");
    GridFile.Head head = new GridFile.Head("1", "17", "cpu", Precision.FP64, 42, 3, "{}", Optional.empty());
    GridFile.create(old, head).close();
    try (GridFile file = GridFile.open(old)) {
      assertEquals(head, file.head());
      file.read(new GridRow[3]);
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
      Files.write(path, Arrays.copyOf(whole, end));
      try (GridFile file = GridFile.open(path)) {
        assertEquals("{2}", file.read(new GridRow[3]).toString(), "cut at " + end);
        file.add(List.of(row(1)));
        assertEquals("{1, 2}", file.read(new GridRow[3]).toString(), "cut at " + end);
      }
    }
  }

  @Test
  void whatIsNotAsItWasWrittenIsRefusedWithItsLine() throws IOException {
    String text = Files.readString(path);
    Files.writeString(path, text.replaceFirst("0\\.5", "0.7"));
    refused("line 2: this is not as it was written (its checksum is wrong)");
    Files.writeString(path, text);
    Files.writeString(path, row(0).line() + "\n", StandardOpenOption.APPEND);
    refused("line 4: network 0 is there twice");
    Files.writeString(path, text);
    Files.writeString(path, row(3).line() + "\n", StandardOpenOption.APPEND);
    refused("line 4: network 3 is not one of the study's");
    Files.writeString(path, "");
    assertTrue(assertThrows(InvalidInputException.class, () -> {
      try (GridFile file = GridFile.open(path)) {
        file.head();
      }
    }).getMessage().contains("this is no run file of a study"));
  }

  private void refused(String message) {
    try (GridFile file = GridFile.open(path)) {
      String said = assertThrows(InvalidInputException.class, () -> file.read(new GridRow[3])).getMessage();
      assertTrue(said.contains(message), said);
    }
  }

  @Test
  void fileIsMadeOnceAndAddedToByOne() {
    assertTrue(assertThrows(InvalidInputException.class, () -> GridFile.create(path, HEAD)).getMessage().contains("is there already"));
    try (GridFile file = GridFile.open(path)) {
      assertTrue(assertThrows(InvalidInputException.class, () -> GridFile.open(file.path())).getMessage().contains("another study adds"));
    }
    assertTrue(assertThrows(InvalidInputException.class, () -> GridFile.open(folder.resolve("none"))).getMessage()
        .contains("there is no such file"));
  }

  private static GridRow row(int network) {
    return new GridRow(network, network == 0 ? 7 : 0, 0.5, network == 0 ? Double.NaN : 1 / 3.0, new double[] {0.1, Double.NaN},
        new double[] {1e-300}, new float[] {0.1f, Float.NaN}, new float[] {1e-20f}, new float[0]);
  }
}
