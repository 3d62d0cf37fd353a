package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files, read by a reader of the test's own: records, checksums and messages from the formats' definitions. */
class TensorBoardEventsTest {
  @TempDir Path folder;

  @Test
  void recordsHoldTheirChecksumsAndTheEventsThatWereWritten() throws IOException {
    long before = Instant.now().getEpochSecond();
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss/train", 0.1);
    values.put("loss/validation", Double.NaN);
    values.put("größe", Double.POSITIVE_INFINITY);
    Path file;
    try (TensorBoardEvents events = TensorBoardEvents.create(folder, 300)) {
      events.scalars(300, values);
      events.scalars(70_000_000_000L, Map.of("learning_rate", -1e-3));
      events.scalars(301, Map.of("nothing", Double.NaN));
      file = events.file();
      assertEquals(4, records(file).size(), "what was written is in the file before it is closed");
    }
    List<ByteBuffer> records = records(file);
    assertEquals(4, records.size());
    for (ByteBuffer record : records) {
      assertEquals(1 << 3 | 1, record.get(), "wall_time, a double, comes first");
      double time = record.getDouble();
      assertTrue(time >= before && time < before + 3600, "seconds since 1970: " + time);
    }
    assertEquals("step=0 3:\"brain.Event:2\"", text(records.get(0)));
    assertEquals("step=300 7:{1=1}", text(records.get(1)));
    assertEquals("step=300 5:{1:{1:\"loss/train\" 2=0.1}1:{1:\"größe\" 2=Infinity}}", text(records.get(2)));
    assertEquals("step=70000000000 5:{1:{1:\"learning_rate\" 2=-0.001}}", text(records.get(3)));
  }

  @Test
  void checksumOfTheTestIsTheStandards() {
    // RFC 3720, B.4: 32 bytes of zeros, and 32 of ones.
    assertEquals(0x8a9136aa, crc32c(new byte[32]));
    byte[] ones = new byte[32];
    Arrays.fill(ones, (byte) 0xff);
    assertEquals(0x62a8ab43, crc32c(ones));
  }

  @Test
  void aResumedRunAddsAFileAfterTheFirst() {
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      try (TensorBoardEvents events = TensorBoardEvents.create(folder, i)) {
        files.add(events.file());
      }
    }
    assertEquals(12, files.stream().distinct().count());
    assertEquals(files, files.stream().sorted().toList(), "the order of names is that of time");
    assertTrue(files.get(0).getFileName().toString().matches("events\\.out\\.tfevents\\.\\d{10}\\..*"), files.toString());
  }

  @Test
  void filesSortInTheOrderOfCreationUnderAnyClock() {
    List<String> names = new ArrayList<>();
    for (long seconds : new long[] {1_795_678_540, 1_795_592_142, 1_795_678_540, 0, -86_400, 10_413_792_000L, 1_795_678_541,
        -9_999_999_999L, 10_413_792_000L, 10_413_792_001L}) {
      names.add(make(seconds));
    }
    assertEquals(names, names.stream().sorted().distinct().toList());
    assertEquals("events.out.tfevents.1795678540.plumb.000", names.get(0));
    assertEquals("events.out.tfevents.1795678540.plumb.001", names.get(1));
  }

  @Test
  void clockBefore1970GivesANameWithoutASign() {
    assertEquals("events.out.tfevents.0000000000.plumb.000", make(-86_400));
    assertEquals("events.out.tfevents.0000000000.plumb.001", make(-86_399));
  }

  @Test
  void filesSortAfterThoseOfOtherWritersAndAfterAThousandOfOneSecond() throws IOException {
    for (String last : List.of("events.out.tfevents.-000086400.plumb.000", "events.out.tfevents.1795678540.host.123.0",
        "events.out.tfevents.9999999999.plumb.999", "events.out.tfevents.v2", "events.out.tfevents.zzz.plumb.999.plumb.999")) {
      Files.createFile(folder.resolve(last));
      for (int i = 0; i < 3; i++) {
        String name = make(1_795_592_142);
        assertTrue(name.compareTo(last) > 0, name + " after " + last);
        last = name;
      }
    }
  }

  /** The name of a file that is made when the clock says this. */
  private String make(long seconds) {
    try (TensorBoardEvents events = TensorBoardEvents.create(folder, 1, Clock.fixed(Instant.ofEpochSecond(seconds), ZoneOffset.UTC))) {
      return events.file().getFileName().toString();
    }
  }

  @Test
  void missingFolderIsRefused() {
    Path missing = folder.resolve("missing");
    String message = assertThrows(InvalidInputException.class, () -> TensorBoardEvents.create(missing, 0)).getMessage();
    assertTrue(message.startsWith("cannot write " + missing) && message.endsWith("there is no folder " + missing), message);
  }

  /** The data of each record, little-endian. */
  private static List<ByteBuffer> records(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<ByteBuffer> records = new ArrayList<>();
    while (in.hasRemaining()) {
      byte[] length = new byte[8];
      in.get(length);
      assertEquals(masked(crc32c(length)), in.getInt(), "checksum of the length");
      byte[] data = new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      in.get(data);
      assertEquals(masked(crc32c(data)), in.getInt(), "checksum of the data");
      records.add(ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
    }
    return records;
  }

  /** Castagnoli's polynomial, bit by bit. */
  private static int crc32c(byte[] bytes) {
    int crc = ~0;
    for (byte one : bytes) {
      crc ^= one & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
      }
    }
    return ~crc;
  }

  private static int masked(int crc) {
    return (crc >>> 15 | crc << 17) + 0xa282ead8;
  }

  /** The step, then the other fields of an event behind its time: 5:{...} a message, 3:"..." a text, 2=... a number. */
  private static String text(ByteBuffer event) {
    assertEquals(2 << 3, event.get());
    return "step=" + varint(event) + " " + fields(event, 0);
  }

  private static String fields(ByteBuffer in, int depth) {
    StringBuilder text = new StringBuilder();
    while (in.hasRemaining()) {
      int tag = (int) varint(in);
      int field = tag >> 3;
      switch (tag & 7) {
        case 0 -> text.append(field).append('=').append(varint(in));
        case 5 -> text.append(' ').append(field).append('=').append(in.getFloat());
        case 2 -> {
          byte[] bytes = new byte[(int) varint(in)];
          in.get(bytes);
          // Texts are the file version, field 3 of the event, and the tag, field 1 of a value two messages down.
          boolean isText = depth == 0 ? field == 3 : depth == 2;
          text.append(field).append(isText
              ? ":\"" + new String(bytes, StandardCharsets.UTF_8) + "\""
              : ":{" + fields(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), depth + 1) + "}");
        }
        default -> throw new AssertionError("wire type " + (tag & 7) + " of field " + field);
      }
    }
    return text.toString();
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte one = in.get();
      value |= (long) (one & 0x7f) << shift;
      if (one >= 0) {
        return value;
      }
    }
  }
}
