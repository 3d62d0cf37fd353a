package dev.plumb.backend.cuda;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A folder of this process alone, for its copy of JCuda's natives. JCuda itself unpacks to fixed names in the shared temp
 * folder and loads whatever lies there: another user's file, or one that another process has half written.
 */
final class NativeFolder implements AutoCloseable {
  private static final String PREFIX = "plumb-natives-";

  /** Natives are loaded within moments of being unpacked; a folder this old is left over, or the system holds its files. */
  private static final Duration LEFT_OVER = Duration.ofHours(1);

  private final Path path;
  private final List<String> names;

  private NativeFolder(Path path, List<String> names) {
    this.path = path;
    this.names = names;
  }

  /**
   * Makes a new folder below the temp folder, which nobody else may enter.
   *
   * @param names the files it will hold, the only ones that cleaning up deletes
   */
  static NativeFolder make(List<String> names) throws IOException {
    Path temp = Path.of(System.getProperty("java.io.tmpdir"));
    if (File.separatorChar == '\\') {
      removeLeftOvers(temp, names);
    }
    // With access for the owner alone where the file system knows owners.
    return new NativeFolder(Files.createTempDirectory(temp, PREFIX), names);
  }

  Path path() {
    return path;
  }

  /** One of the natives in the jar, whole. */
  static byte[] resource(String name) throws IOException {
    try (InputStream in = NativeFolder.class.getResourceAsStream("/lib/" + name)) {
      if (in == null) {
        throw new FileNotFoundException("there is no lib/" + name + " in the jar");
      }
      return in.readAllBytes();
    }
  }

  /** Writes a file that must not be there yet. */
  Path write(String name, byte[] content) throws IOException {
    return Files.write(path.resolve(name), content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /** Deletes files and folder. What the system holds (Windows: a loaded library) is tried again at exit and at a later start. */
  @Override
  public void close() {
    // Files are registered last, since what is registered last is deleted first.
    path.toFile().deleteOnExit();
    for (String name : names) {
      File file = path.resolve(name).toFile();
      if (!file.delete()) {
        file.deleteOnExit();
      }
    }
    delete(path);
  }

  /** Windows deletes no library that is loaded, not at exit either: a later start does. */
  private static void removeLeftOvers(Path temp, List<String> names) {
    Instant newest = Instant.now().minus(LEFT_OVER);
    try (var folders = Files.newDirectoryStream(temp, PREFIX + "*")) {
      for (Path folder : folders) {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            && Files.getLastModifiedTime(folder).toInstant().isBefore(newest)) {
          names.forEach(name -> delete(folder.resolve(name)));
          delete(folder);
        }
      }
    } catch (IOException e) {
      // What is left over costs space and nothing else.
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // Still in use; deleted at exit or at a later start.
    }
  }
}
