package dev.plumb.train;

import dev.plumb.model.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file that a training reads, and what it held.
 *
 * @param role data, labels or test
 * @param sha256 of its bytes, in 64 lower-case hexadecimal digits
 */
public record DataFile(String role, String path, String sha256) {
  private static final int BUFFER = 1 << 16;

  /** @throws dev.plumb.model.InvalidInputException when it cannot be read */
  public static DataFile of(String role, Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      DigestInputStream digesting = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
      byte[] buffer = new byte[BUFFER];
      while (digesting.read(buffer) >= 0) {
        // Only the digest is wanted.
      }
      return new DataFile(role, file.toString(), HexFormat.of().formatHex(digesting.getMessageDigest().digest()));
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
