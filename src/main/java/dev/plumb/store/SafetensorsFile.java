package dev.plumb.store;

import dev.plumb.json.JsonOutput;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.BufferedInputStream;
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
 * that says type, shape and place of every tensor, and texts in {@code __metadata__}), then the values, little-endian, row-major,
 * without a gap. One and the same content gives the same bytes: tensors stand in the order given, those of 8 bytes a value first,
 * so that all are aligned.
 *
 * <p>Every file of Plumb carries a seal: the first text of its header is {@code plumb.sha256}, the SHA-256 of the whole file,
 * taken with the 64 hexadecimal digits of the seal itself as '0'. Reading refuses whatever the seal does not fit, so that a file
 * that was cut short, or of which any bit changed, is never taken for good. Other readers see one text more.
 */
public final class SafetensorsFile {
  /** Texts and tensors, in the order of the file. */
  public record Contents(SortedMap<String, String> texts, List<Tensor> tensors) {}

  static final String TEXTS = "__metadata__";
  static final String SEAL = "plumb.sha256";

  private static final byte[] BEFORE_SEAL = ("{\"" + TEXTS + "\":{\"" + SEAL + "\":\"").getBytes(StandardCharsets.US_ASCII);
  private static final String NO_SEAL = "0".repeat(64);
  private static final int LENGTH_BYTES = 8;
  private static final int BUFFER = 1 << 16;
  /** Where the values begin, and with them every value of 8 bytes. */
  private static final int ALIGNMENT = 8;
  /** What the format's own library reads at most, and more than a million tensors need. */
  private static final int MAX_HEADER_BYTES = 100_000_000;

  private SafetensorsFile() {}

  /**
   * Writes a file whole or not at all.
   *
   * @param texts of any keys but {@code plumb.sha256}
   * @throws InvalidInputException when it cannot be written; what was there before is then still there
   */
  public static void write(Path file, SortedMap<String, String> texts, List<? extends Tensor> tensors) {
    AtomicFile.write(file, out -> write(out, texts, tensors));
  }

  /** Writes the same to a stream, and leaves it open. */
  public static void write(OutputStream out, SortedMap<String, String> texts, List<? extends Tensor> tensors)
      throws IOException {
    Tensor.requireDistinct(tensors);
    if (texts.containsKey(SEAL) || tensors.stream().anyMatch(tensor -> tensor.name().equals(TEXTS))) {
      throw new IllegalArgumentException("the names " + SEAL + " and " + TEXTS + " belong to the format");
    }
    List<Tensor> ordered = new ArrayList<>(tensors);
    ordered.sort(Comparator.comparingInt(tensor -> -tensor.type().bytes()));
    byte[] header = header(texts, ordered);
    MessageDigest digest = sha256();
    writeAll(new DigestOutputStream(OutputStream.nullOutputStream(), digest), header, ordered);
    byte[] seal = HexFormat.of().formatHex(digest.digest()).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(seal, 0, header, BEFORE_SEAL.length, seal.length);
    writeAll(out, header, ordered);
  }

  /**
   * Reads a file of Plumb.
   *
   * @throws InvalidInputException when it cannot be read, is not one, or is damaged; the message names the file
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
   * Reads everything in one pass, so that the bytes of the seal's digest are the bytes of the tensors. Whether the file is damaged
   * is known only at its end; that it is comes before any other error.
   */
  private static Contents read(InputStream in, long size) throws IOException {
    byte[] length = in.readNBytes(LENGTH_BYTES);
    int least = BEFORE_SEAL.length + NO_SEAL.length();
    long headerBytes = length.length < LENGTH_BYTES ? -1 : little(ByteBuffer.wrap(length)).getLong();
    if (headerBytes < least || headerBytes > Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES)) {
      throw new InvalidInputException("is no safetensors file, or was cut short: its " + size
          + " bytes do not begin with such a header");
    }
    byte[] header = in.readNBytes((int) headerBytes);
    if (!Arrays.equals(header, 0, BEFORE_SEAL.length, BEFORE_SEAL, 0, BEFORE_SEAL.length)) {
      throw new InvalidInputException("is no file of Plumb: its header does not begin with Plumb's checksum, \"" + SEAL
          + "\"; another program wrote it, or it is damaged");
    }
    MessageDigest digest = sha256();
    digest.update(length);
    digest.update(BEFORE_SEAL);
    digest.update(NO_SEAL.getBytes(StandardCharsets.US_ASCII));
    digest.update(header, least, header.length - least);
    DigestInputStream values = new DigestInputStream(in, digest);
    Contents contents;
    try {
      contents = contents(header, values, size - LENGTH_BYTES - headerBytes);
    } catch (InvalidInputException e) {
      requireSeal(header, values);
      throw e;
    }
    requireSeal(header, values);
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
    texts.remove(SEAL);
    return new Contents(texts, tensors);
  }

  /** Reads what is left of the values, then compares the digest with the seal. */
  private static void requireSeal(byte[] header, DigestInputStream values) throws IOException {
    values.transferTo(OutputStream.nullOutputStream());
    String seal = new String(header, BEFORE_SEAL.length, NO_SEAL.length(), StandardCharsets.ISO_8859_1);
    if (!HexFormat.of().formatHex(values.getMessageDigest().digest()).equals(seal)) {
      throw new InvalidInputException("is damaged: its SHA-256 is not the one written in it; it was cut short or changed after"
          + " Plumb wrote it, take an undamaged copy");
    }
  }

  private static byte[] header(SortedMap<String, String> texts, List<Tensor> tensors) throws IOException {
    byte[] json = JsonOutput.compact(out -> {
      out.writeStartObject();
      out.writeObjectFieldStart(TEXTS);
      out.writeStringField(SEAL, NO_SEAL);
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
      throw new IOException("its names and texts take " + json.length + " bytes, and " + MAX_HEADER_BYTES
          + " are the most that safetensors allows");
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
