package dev.plumb.store;

import dev.plumb.json.JsonOutput;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;

/**
 * Files of named tensors in the safetensors format: 8 bytes with the header's length (little-endian), the header (a JSON object
 * with type, shape and offsets of every tensor, and texts in {@code __metadata__}), then the values, little-endian, row-major,
 * without gaps. Equal contents give equal bytes: tensors are in the given order, those with 8 bytes per value first, so that all
 * are aligned.
 *
 * <p>Every file that Plumb writes has a checksum: the first text of its header is {@code plumb.sha256}, the SHA-256 of the whole
 * file with the 64 hexadecimal digits of the checksum itself as '0'. Reading verifies it, so that a truncated file, or one with
 * any changed bit, is refused. For other readers it is one more text.
 */
public final class SafetensorsFile {
  /**
   * Contents of a file.
   *
   * @param texts of the metadata, without the checksum
   * @param tensors in the order of the file
   */
  public record Contents(SortedMap<String, String> texts, List<Tensor> tensors) {}

  static final String TEXTS = "__metadata__";
  static final String CHECKSUM = "plumb.sha256";

  private static final byte[] BEFORE_CHECKSUM = ("{\"" + TEXTS + "\":{\"" + CHECKSUM + "\":\"").getBytes(StandardCharsets.US_ASCII);
  private static final String EMPTY_CHECKSUM = "0".repeat(64);
  private static final int LENGTH_BYTES = 8;
  private static final int BUFFER = 1 << 16;
  /** Alignment of the first value in bytes, and with it of every value of 8 bytes. */
  private static final int ALIGNMENT = 8;
  /** Limit of the format's own library; more than a million tensors need. */
  private static final int MAX_HEADER_BYTES = 100_000_000;

  private SafetensorsFile() {}

  /**
   * Writes a file atomically.
   *
   * @param file to write
   * @param texts metadata with any keys but {@code plumb.sha256}
   * @param tensors with distinct names
   * @throws InvalidInputException when it cannot be written; an existing file is then unchanged
   */
  public static void write(Path file, SortedMap<String, String> texts, List<? extends Tensor> tensors) {
    AtomicFile.write(file, out -> write(out, texts, tensors));
  }

  /**
   * Writes to a stream and leaves it open.
   *
   * @param out stream
   * @param texts metadata with any keys but {@code plumb.sha256}
   * @param tensors with distinct names
   * @throws IOException when writing fails
   */
  public static void write(OutputStream out, SortedMap<String, String> texts, List<? extends Tensor> tensors)
      throws IOException {
    Tensor.requireDistinct(tensors);
    if (texts.containsKey(CHECKSUM) || tensors.stream().anyMatch(tensor -> tensor.name().equals(TEXTS))) {
      throw new IllegalArgumentException("the names " + CHECKSUM + " and " + TEXTS + " are reserved");
    }
    List<Tensor> ordered = new ArrayList<>(tensors);
    ordered.sort(Comparator.comparingInt(tensor -> -tensor.type().bytes()));
    byte[] header = header(texts, ordered);
    MessageDigest digest = sha256();
    writeAll(new DigestOutputStream(OutputStream.nullOutputStream(), digest), header, ordered);
    byte[] checksum = HexFormat.of().formatHex(digest.digest()).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(checksum, 0, header, BEFORE_CHECKSUM.length, checksum.length);
    writeAll(out, header, ordered);
  }

  /**
   * Reads a file that Plumb wrote.
   *
   * @param file to read
   * @return its contents
   * @throws InvalidInputException when it cannot be read, was not written by Plumb, or is damaged; the message names the file
   */
  public static Contents read(Path file) {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new InvalidInputException("cannot be read: it is "
            + (Files.isDirectory(file) ? "a folder" : "a pipe or a device") + ", not a file");
      }
      return readWhole(file);
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  /**
   * Reads the bytes of a file that Plumb wrote.
   *
   * @param bytes of the whole file
   * @return its contents
   * @throws InvalidInputException when they are not of such a file, or damaged
   */
  static Contents read(byte[] bytes) {
    try {
      return read(new ByteArrayInputStream(bytes), bytes.length);
    } catch (IOException e) {
      throw new InvalidInputException("is truncated", e);
    }
  }

  private static Contents readWhole(Path file) throws IOException {
    long size = Files.size(file);
    // A stream: unlike a channel, it is not closed when the reading thread is interrupted.
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
      if (Files.size(file) == size) {
        return read(in, size);
      }
    }
    // The file was replaced between the calls.
    return readWhole(file);
  }

  /**
   * Reads everything in one pass, so that exactly the bytes of the tensors are digested. Damage is detected only at the end of
   * the file, and takes precedence over any other error.
   */
  private static Contents read(InputStream in, long size) throws IOException {
    byte[] length = in.readNBytes(LENGTH_BYTES);
    int least = BEFORE_CHECKSUM.length + EMPTY_CHECKSUM.length();
    long headerBytes = length.length < LENGTH_BYTES ? -1 : little(ByteBuffer.wrap(length)).getLong();
    if (headerBytes < least || headerBytes > Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES)) {
      throw new InvalidInputException("is not a safetensors file, or is truncated: its " + size
          + " bytes do not begin with a valid header");
    }
    byte[] header = in.readNBytes((int) headerBytes);
    if (!Arrays.equals(header, 0, BEFORE_CHECKSUM.length, BEFORE_CHECKSUM, 0, BEFORE_CHECKSUM.length)) {
      throw new InvalidInputException("is not a file that Plumb wrote: its header does not begin with Plumb's checksum, \"" + CHECKSUM
          + "\"; another program wrote it, or it is damaged");
    }
    MessageDigest digest = sha256();
    digest.update(length);
    digest.update(BEFORE_CHECKSUM);
    digest.update(EMPTY_CHECKSUM.getBytes(StandardCharsets.US_ASCII));
    digest.update(header, least, header.length - least);
    DigestInputStream values = new DigestInputStream(in, digest);
    Contents contents;
    try {
      contents = contents(header, values, size - LENGTH_BYTES - headerBytes);
    } catch (InvalidInputException e) {
      requireChecksum(header, values);
      throw e;
    }
    requireChecksum(header, values);
    return contents;
  }

  private static Contents contents(byte[] header, InputStream values, long valueBytes) throws IOException {
    SafetensorsHeader parsed = SafetensorsHeader.parse(header, valueBytes);
    parsed.requireRoom();
    List<Tensor> tensors = new ArrayList<>();
    for (SafetensorsHeader.Entry entry : parsed.entries()) {
      tensors.add(TensorValues.read(entry, values));
    }
    SortedMap<String, String> texts = parsed.texts();
    texts.remove(CHECKSUM);
    return new Contents(texts, tensors);
  }

  /** Reads the rest of the values, then compares the digest with the stored checksum. */
  private static void requireChecksum(byte[] header, DigestInputStream values) throws IOException {
    values.transferTo(OutputStream.nullOutputStream());
    String checksum = new String(header, BEFORE_CHECKSUM.length, EMPTY_CHECKSUM.length(), StandardCharsets.ISO_8859_1);
    if (!HexFormat.of().formatHex(values.getMessageDigest().digest()).equals(checksum)) {
      throw new InvalidInputException("is damaged: its SHA-256 does not match the one stored in it; it was truncated or"
          + " changed after Plumb wrote it: use an undamaged copy");
    }
  }

  private static byte[] header(SortedMap<String, String> texts, List<Tensor> tensors) throws IOException {
    byte[] json = JsonOutput.compact(out -> {
      out.writeStartObject();
      out.writeObjectFieldStart(TEXTS);
      out.writeStringField(CHECKSUM, EMPTY_CHECKSUM);
      for (var text : texts.entrySet()) {
        out.writeStringField(text.getKey(), text.getValue());
      }
      out.writeEndObject();
      long begin = 0;
      for (Tensor tensor : tensors) {
        long end = begin + (long) tensor.size() * tensor.type().bytes();
        out.writeObjectFieldStart(tensor.name());
        out.writeStringField("dtype", tensor.type().name());
        out.writeArrayFieldStart("shape");
        for (int extent : tensor.shape()) {
          out.writeNumber(extent);
        }
        out.writeEndArray();
        out.writeArrayFieldStart("data_offsets");
        out.writeNumber(begin);
        out.writeNumber(end);
        out.writeEndArray();
        out.writeEndObject();
        begin = end;
      }
      out.writeEndObject();
    });
    if (json.length > MAX_HEADER_BYTES) {
      throw new IOException("its names and texts take " + json.length + " bytes; the maximum of safetensors is "
          + MAX_HEADER_BYTES);
    }
    byte[] padded = Arrays.copyOf(json, (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void writeAll(OutputStream out, byte[] header, List<Tensor> tensors) throws IOException {
    out.write(little(ByteBuffer.allocate(LENGTH_BYTES)).putLong(header.length).array());
    out.write(header);
    for (Tensor tensor : tensors) {
      TensorValues.write(tensor, out);
    }
  }

  private static ByteBuffer little(ByteBuffer buffer) {
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
