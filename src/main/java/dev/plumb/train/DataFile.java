package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonObject;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A file that a training reads, with the hash of its content.
 *
 * @param role data, labels, test, or from for the model to start from
 * @param path the path as given
 * @param sha256 the SHA-256 of its bytes, in 64 lower-case hexadecimal digits
 */
public record DataFile(String role, String path, String sha256) {
  /** The beginning of the message for data that a resumed training could not read again. */
  public static final String FILE_NEEDED = "training reads its data again when it is resumed: a file is needed, not ";

  private static final int BUFFER = 1 << 16;
  /** Paths of open streams, which another process does not have, even if a shell has opened them on regular files. */
  private static final List<String> OPEN_STREAMS = List.of("/dev/stdin", "/dev/fd", "/proc");

  /**
   * Computes the hash of a file.
   *
   * @throws InvalidInputException when the file cannot be read, or could not be read a second time, like a pipe
   */
  public static DataFile of(String role, Path file) {
    requireReadableAgain(file);
    try (InputStream in = Files.newInputStream(file)) {
      DigestInputStream digesting = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
      byte[] buffer = new byte[BUFFER];
      while (digesting.read(buffer) >= 0) {
        // Reading updates the digest.
      }
      return new DataFile(role, file.toString(), HexFormat.of().formatHex(digesting.getMessageDigest().digest()));
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Writes files as the array "data" of the current object. */
  public static void write(List<DataFile> files, JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("data");
    for (DataFile file : files) {
      json.writeStartObject();
      json.writeStringField("role", file.role());
      json.writeStringField("path", file.path());
      json.writeStringField("sha256", file.sha256());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** Reads files from the array "data" of an object; empty if it has none. */
  public static List<DataFile> read(JsonObject json) {
    return !json.has("data") ? List.of() : json.objects("data").stream()
        .map(data -> new DataFile(data.text("role"), data.text("path"), data.text("sha256"))).toList();
  }

  private static void requireReadableAgain(Path file) {
    Path absolute = file.toAbsolutePath().normalize();
    boolean isStream = OPEN_STREAMS.stream().anyMatch(absolute::startsWith);
    if (Files.exists(file) && !Files.isDirectory(file) && (isStream || !Files.isRegularFile(file))) {
      throw new InvalidInputException(file + ": " + FILE_NEEDED + (isStream ? "an open stream" : "a pipe or a device"));
    }
  }
}
