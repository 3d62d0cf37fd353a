package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static dev.plumb.data.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gzip files of several members: the whole content, or a refusal, wherever they are cut or changed. */
class GzipStreamTest {
  private static final int HEADER_CHECKSUM = 2;
  private static final int EXTRA_FIELD = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;
  private static final int ALL_FLAGS = 0x1F;
  private static final byte[] BGZIP = {'B', 'C', 2, 0, 0, 0};
  private static final String DAMAGED = "stdin: its gzip data is damaged: ";
  private static final String INCOMPLETE = "stdin: its gzip data ends too early; the file is not complete";

  @TempDir
  private Path folder;

  @Test
  void allMembersAreReadWhateverTheirHeadersHave() throws IOException {
    byte[] random = new byte[300_000];
    new Random(1).nextBytes(random);
    for (int flags = 0; flags <= ALL_FLAGS; flags++) {
      byte[] file = joined(member(0, bytes("one\n")), member(flags, random), member(flags, bytes("")), member(0, bytes("two\n")));
      assertArrayEquals(joined(bytes("one\n"), random, bytes("two\n")), unpacked(file), "flags " + flags);
    }
  }

  /** A stream that gives single bytes, as a slow pipe may. */
  @Test
  void aStreamMayComeInPieces() throws IOException {
    byte[] file = joined(member(ALL_FLAGS, bytes("one\n")), member(ALL_FLAGS, bytes("two\n")));
    InputStream slow = new ByteArrayInputStream(file) {
      @Override
      public synchronized int read(byte[] bytes, int offset, int length) {
        return super.read(bytes, offset, Math.min(1, length));
      }
    };
    assertArrayEquals(bytes("one\ntwo\n"), new GzipStream(slow).readAllBytes());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 511, 200_000})
  void zerosMayFollow(int zeros) throws IOException {
    byte[] whole = joined(member(0, rows(0, 5)), member(0, rows(5, 5)));
    assertEquals(10, read(joined(whole, new byte[zeros])).rows());
    byte[] other = joined(whole, new byte[zeros], bytes("\1"));
    assertRefused(DAMAGED + "the data after its first " + (other.length - 1) + " bytes is not gzip data", () -> read(other));
  }

  @Test
  void whatFollowsMustBeAMember() throws IOException {
    byte[] whole = joined(member(0, rows(0, 5)), member(0, rows(5, 5)));
    for (String rest : new String[] {"x", "11,12\n", "\u001Fx", "PK"}) {
      assertRefused(DAMAGED + "the data after its first " + whole.length + " bytes is not gzip data",
          () -> read(joined(whole, bytes(rest))));
    }
    assertRefused(INCOMPLETE, () -> read(joined(whole, bytes("\u001F"))));
  }

  @Test
  void everyCutIsRefusedUnlessItLeavesWholeMembers() throws IOException {
    byte[] first = member(ALL_FLAGS, rows(0, 10));
    byte[] second = member(ALL_FLAGS, rows(10, 10));
    byte[] whole = joined(first, second, member(0, rows(20, 10)));
    assertEquals(30, read(whole).rows());
    for (int length = 2; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      if (length == first.length || length == first.length + second.length) {
        assertEquals(length == first.length ? 10 : 20, read(part).rows());
      } else {
        assertRefused(INCOMPLETE, () -> read(part));
      }
    }
  }

  /** Bgzip's files end in an empty block, so that a cut between blocks is seen as well. */
  @Test
  void everyCutOfBlocksOfBgzipIsRefused() throws IOException {
    byte[] whole = joined(block(rows(0, 10)), block(rows(10, 10)), block(rows(20, 10)), block(bytes("")));
    assertEquals(30, read(whole).rows());
    for (int length = 2; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertRefused(INCOMPLETE, () -> read(part));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, HEADER_CHECKSUM, NAME, NAME | COMMENT, EXTRA_FIELD, ALL_FLAGS})
  void everyChangedBitIsRefusedOrChangesNothing(int flags) throws IOException {
    byte[] whole = joined(member(0, rows(0, 3)), member(flags, rows(3, 3)), member(0, rows(6, 3)));
    int refused = 0;
    // With another byte among the first two it is text, and not in UTF-8.
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] changed = whole.clone();
      changed[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        Table table = read(changed);
        assertEquals(9, table.rows(), "bit " + bit);
        for (int row = 0; row < 9; row++) {
          assertEquals(row, table.columns().get(0).number(row), "bit " + bit);
        }
      } catch (InvalidInputException e) {
        refused++;
      }
    }
    assertTrue(refused > 5 * whole.length, refused + " of " + 8 * whole.length + " were refused");
  }

  @Test
  void aHeaderIsRead() throws IOException {
    byte[] one = member(0, rows(0, 5));
    for (int bit = 0; bit < 8; bit++) {
      byte[] other = member(ALL_FLAGS, rows(5, 5));
      other[2] ^= (byte) (1 << bit);
      assertTrue(refusal(() -> read(joined(one, other))).startsWith(DAMAGED + "unknown compression method "));
      byte[] crc = member(HEADER_CHECKSUM, rows(5, 5));
      crc[10] ^= (byte) (1 << bit);
      assertRefused(DAMAGED + "the checksum of a header does not match", () -> read(joined(one, crc)));
      byte[] content = one.clone();
      content[one.length - 8] ^= (byte) (1 << bit);
      assertRefused(DAMAGED + "its checksum does not match", () -> read(content));
      byte[] length = one.clone();
      length[one.length - 1] ^= (byte) (1 << bit);
      assertRefused(DAMAGED + "its length does not match", () -> read(length));
    }
    for (int flag = 32; flag < 256; flag *= 2) {
      byte[] other = member(flag, rows(5, 5));
      assertRefused(DAMAGED + "unknown flags in a header", () -> read(joined(one, other)));
    }
  }

  @Test
  void labelsAreReadToTheirEndToo() throws IOException {
    Path images = Files.write(folder.resolve("a.idx"), new byte[] {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 5, 6});
    byte[] packed = member(0, new byte[] {0, 0, 8, 1, 0, 0, 0, 2, 0, 1});
    Path labels = Files.write(folder.resolve("labels.gz"), packed);
    assertEquals(1, TableReader.read(images, ReadOptions.DEFAULT.withLabels(labels)).column("label").number(1));
    Files.write(labels, joined(packed, bytes("x")));
    assertRefused(images + ": labels " + labels + ": its gzip data is damaged: the data after its first " + packed.length
        + " bytes is not gzip data", () -> TableReader.read(images, ReadOptions.DEFAULT.withLabels(labels)));
    Files.write(labels, Arrays.copyOf(packed, packed.length - 1));
    assertRefused(images + ": labels " + labels + ": its gzip data ends too early; the file is not complete",
        () -> TableReader.read(images, ReadOptions.DEFAULT.withLabels(labels)));
  }

  @Test
  void arraysAreReadToTheirEndToo() throws IOException {
    byte[] packed = member(0, Files.readAllBytes(Path.of("src/test/resources/npy/f8.npy")));
    assertEquals(2, read(packed).rows());
    assertRefused(DAMAGED + "the data after its first " + packed.length + " bytes is not gzip data",
        () -> read(joined(packed, bytes("x"))));
    assertRefused(INCOMPLETE, () -> read(Arrays.copyOf(packed, packed.length - 1)));
    assertRefused("stdin: has more bytes than its header says", () -> read(joined(packed, packed)));
  }

  private static Table read(byte[] file) {
    return TableReader.read(new ByteArrayInputStream(file), "stdin", ReadOptions.DEFAULT);
  }

  private static byte[] unpacked(byte[] file) throws IOException {
    try (GzipStream in = new GzipStream(new ByteArrayInputStream(file))) {
      return in.readAllBytes();
    }
  }

  private static byte[] rows(int from, int count) {
    StringBuilder text = new StringBuilder();
    for (int row = from; row < from + count; row++) {
      text.append(row).append(',').append(row * 0.37).append('\n');
    }
    return bytes(text.toString());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] member(int flags, byte[] content) throws IOException {
    return member(flags, new byte[] {'A', 'B', 3, 0, 0x1F, (byte) 0x8B, 8}, content);
  }

  private static byte[] block(byte[] content) throws IOException {
    return member(EXTRA_FIELD, BGZIP, content);
  }

  private static byte[] member(int flags, byte[] extra, byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(new byte[] {0x1F, (byte) 0x8B, 8, (byte) flags, 1, 2, 3, 4, 0, 3});
    if ((flags & EXTRA_FIELD) != 0) {
      out.write(extra.length);
      out.write(0);
      out.write(extra);
    }
    if ((flags & NAME) != 0) {
      out.write(bytes("rows.csv\0"));
    }
    if ((flags & COMMENT) != 0) {
      out.write(bytes("ten rows\0"));
    }
    if ((flags & HEADER_CHECKSUM) != 0) {
      out.write(little(checksum(out.toByteArray()), Short.BYTES));
    }
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try (DeflaterOutputStream deflated = new DeflaterOutputStream(out, deflater)) {
      deflated.write(content);
    }
    deflater.end();
    out.write(little(checksum(content), Integer.BYTES));
    out.write(little(content.length, Integer.BYTES));
    return out.toByteArray();
  }

  private static long checksum(byte[] bytes) {
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    return checksum.getValue();
  }

  private static byte[] little(long value, int bytes) {
    return Arrays.copyOf(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), bytes);
  }
}
