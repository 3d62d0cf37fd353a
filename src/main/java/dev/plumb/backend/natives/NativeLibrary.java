package dev.plumb.backend.natives;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;

/**
 * A native library from the jar, with its size and CRC-32. A jar lists the CRC-32 of each entry, so a file that was unpacked
 * before can be compared with it without unpacking the entry again.
 */
public final class NativeLibrary {
  private static final int BUFFER_BYTES = 1 << 20;

  private interface Source {
    InputStream open() throws IOException;
  }

  private record Checksum(long size, long crc) {}

  private final String name;
  private final Source source;
  private final Checksum checksum;

  private NativeLibrary(String name, Source source, Checksum checksum) {
    this.name = name;
    this.source = source;
    this.checksum = checksum;
  }

  /** Returns a library whose content is in memory. */
  public static NativeLibrary of(String name, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return new NativeLibrary(name, () -> new ByteArrayInputStream(content), new Checksum(content.length, crc.getValue()));
  }

  /**
   * Returns a library from the jar.
   *
   * @param name the file name to unpack it to
   * @param resource its location; null when the jar lacks it
   * @throws FileNotFoundException when the jar lacks it
   */
  public static NativeLibrary of(String name, URL resource) throws IOException {
    if (resource == null) {
      throw new FileNotFoundException("there is no " + name + " in the jar");
    }
    URLConnection connection = resource.openConnection();
    ZipEntry entry = connection instanceof JarURLConnection jar ? jar.getJarEntry() : null;
    Checksum checksum = entry != null && entry.getSize() >= 0 && entry.getCrc() >= 0
        ? new Checksum(entry.getSize(), entry.getCrc()) : copy(resource::openStream, OutputStream.nullOutputStream());
    return new NativeLibrary(name, resource::openStream, checksum);
  }

  /** Returns the file name. */
  public String name() {
    return name;
  }

  /** Returns a string that identifies name and content. */
  String key() {
    return name + " " + checksum.size() + " " + checksum.crc();
  }

  /** Returns whether a file is a regular file with exactly this content. */
  boolean isIn(Path file) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == checksum.size()
        && copy(() -> Files.newInputStream(file), OutputStream.nullOutputStream()).equals(checksum);
  }

  /**
   * Writes the content.
   *
   * @throws IOException also when the content does not have the checksum that the jar lists
   */
  void write(OutputStream out) throws IOException {
    if (!copy(source, out).equals(checksum)) {
      throw new IOException("the jar is damaged: its library " + name + " is not as it was packed");
    }
  }

  private static Checksum copy(Source source, OutputStream out) throws IOException {
    CRC32 crc = new CRC32();
    long size = 0;
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = source.open()) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        crc.update(buffer, 0, read);
        out.write(buffer, 0, read);
        size += read;
      }
    }
    return new Checksum(size, crc.getValue());
  }
}
