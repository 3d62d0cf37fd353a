package dev.plumb.backend.natives;

import dev.plumb.model.FileErrors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32;

/**
 * A folder with native libraries of the jar, to load them from. Only this user can write to it, and each library in it was compared
 * with the jar. It is in the user's cache, where the libraries stay for the next process; where the cache cannot be used, it is
 * among the temporary files, and is deleted when the libraries are loaded. What killed processes have left in either place is
 * deleted by the next one: a process holds a lock on what it has not finished, which the system releases when it ends.
 */
public final class NativeFolder implements AutoCloseable {
  private static final String TEMPORARY_FILES = "java.io.tmpdir";
  private static final String TEMPORARY = "plumb-natives-";
  private static final String LOCK = ".plumb-lock";
  private static final String UNFINISHED = ".unfinished";

  /** A folder of this age without a lock was left behind; a younger one may not have its lock yet. */
  private static final Duration UNLOCKED = Duration.ofMinutes(1);

  /** Libraries of another version are deleted when nobody has used them for so long. */
  private static final Duration UNUSED = Duration.ofDays(30);

  /** Names of the temporary folders of this process: a second look at a lock of its own would release it. */
  private static final Set<String> OPEN = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final FileChannel lock;

  /** @param lock held as long as a temporary folder is there; null in the cache */
  private NativeFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Opens a folder that has the libraries.
   *
   * @param name what they belong to, for the folder's name
   * @throws IOException when there is no place for them; its message names the folder of temporary files
   */
  public static NativeFolder open(String name, List<NativeLibrary> libraries) throws IOException {
    return open(name, libraries, Map.of());
  }

  /**
   * Opens a folder that has the libraries, and in the cache symbolic links to them: a loader that made the links itself would
   * disturb other processes that use the folder.
   *
   * @param links the library's file name for each link's name
   * @throws IOException when there is no place for the libraries; its message names the folder of temporary files
   */
  public static NativeFolder open(String name, List<NativeLibrary> libraries, Map<String, String> links) throws IOException {
    // Channels refuse to work for an interrupted thread, and what fails here is not tried again in this process.
    boolean interrupted = Thread.interrupted();
    try {
      return openUninterrupted(name, libraries, links);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static NativeFolder openUninterrupted(String name, List<NativeLibrary> libraries, Map<String, String> links)
      throws IOException {
    deleteLeftOvers();
    try {
      return inCache(name, libraries, links);
    } catch (IOException | InvalidPathException e) {
      try {
        return temporary(libraries);
      } catch (IOException | InvalidPathException last) {
        IOException refusal = new IOException(
            System.getProperty(TEMPORARY_FILES) + ": native libraries cannot be unpacked there: "
                + (last instanceof IOException error ? FileErrors.reason(error) : "it cannot be named in this locale"));
        refusal.addSuppressed(last);
        refusal.addSuppressed(e);
        throw refusal;
      }
    }
  }

  private static NativeFolder inCache(String name, List<NativeLibrary> libraries, Map<String, String> links) throws IOException {
    Path cache = FileOwnership.privateFolder(UserCache.folder().orElseThrow(() -> new IOException("the user has no home folder")));
    Path folder = FileOwnership.privateFolder(cache.resolve(name + "-" + key(libraries)));
    tidy(cache, folder);
    for (NativeLibrary library : libraries) {
      Path file = folder.resolve(library.name());
      if (!FileOwnership.isPrivate(file) || !library.isIn(file)) {
        replace(file, library);
      }
      requireExecutable(file);
    }
    for (Map.Entry<String, String> link : links.entrySet()) {
      link(folder.resolve(link.getKey()), Path.of(link.getValue()));
    }
    return new NativeFolder(folder, null);
  }

  private static void link(Path link, Path target) throws IOException {
    if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
      return;
    }
    Path unfinished = link.resolveSibling(link.getFileName() + UUID.randomUUID().toString() + UNFINISHED);
    try {
      Files.createSymbolicLink(unfinished, target);
      Files.move(unfinished, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (UnsupportedOperationException e) {
      throw new IOException(link + ": symbolic links are not supported", e);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static NativeFolder temporary(List<NativeLibrary> libraries) throws IOException {
    // Only its owner has access to it.
    Path folder = Files.createTempDirectory(Path.of(System.getProperty(TEMPORARY_FILES)), TEMPORARY).toRealPath();
    OPEN.add(folder.getFileName().toString());
    FileChannel lock = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    NativeFolder made = new NativeFolder(folder, lock);
    try {
      if (!tryLock(lock)) {
        throw new IOException(folder + ": cannot be locked");
      }
      for (NativeLibrary library : libraries) {
        Path file = Files.createFile(folder.resolve(library.name()), FileOwnership.attributes());
        try (OutputStream out = Files.newOutputStream(file)) {
          library.write(out);
        }
        requireExecutable(file);
      }
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  /** A process that loads the library meanwhile has the old content or the new. */
  private static void replace(Path file, NativeLibrary library) throws IOException {
    Path unfinished = Files.createTempFile(file.getParent(), library.name(), UNFINISHED, FileOwnership.attributes());
    try (FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
      // Where another process took it for a left-over before it had its lock, it is gone and cannot be moved.
      if (!tryLock(channel)) {
        throw new IOException(unfinished + ": cannot be locked");
      }
      library.write(Channels.newOutputStream(channel));
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /** Seen before the system's loader refuses to map it. */
  private static void requireExecutable(Path file) throws IOException {
    if (!Files.isExecutable(file)) {
      throw new IOException("it seems to be mounted noexec");
    }
  }

  /** Returns the folder, by its real path. */
  public Path path() {
    return path;
  }

  /** Returns the file of a library. */
  public Path file(String library) {
    return path.resolve(library);
  }

  /** To be called when all is loaded: deletes a temporary folder, unless the system holds its files (Windows). */
  @Override
  public void close() {
    if (lock != null && deleteAllBut(path, LOCK)) {
      close(lock);
      deleteFolder(path);
      OPEN.remove(path.getFileName().toString());
    }
  }

  /** Deletes what has not been used for long, and what killed processes have left. */
  private static void tidy(Path cache, Path used) throws IOException {
    Instant now = Instant.now();
    if (Files.getLastModifiedTime(used).toInstant().isBefore(now.minus(Duration.ofDays(1)))) {
      Files.setLastModifiedTime(used, FileTime.from(now));
    }
    for (Path folder : list(cache, "*")) {
      if (isOlder(folder, UNUSED)) {
        deleteFolder(folder);
      }
    }
    list(used, "*" + UNFINISHED).forEach(NativeFolder::deleteIfUnlocked);
  }

  private static void deleteIfUnlocked(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      if (tryLock(channel)) {
        delete(file);
      }
    } catch (IOException e) {
      // Finished in the meantime.
    }
  }

  /** Deletes temporary folders of processes that were killed. */
  private static void deleteLeftOvers() {
    Path temporaryFiles;
    try {
      temporaryFiles = Path.of(System.getProperty(TEMPORARY_FILES));
    } catch (InvalidPathException e) {
      return;
    }
    for (Path folder : list(temporaryFiles, TEMPORARY + "*")) {
      try {
        if (!OPEN.contains(folder.getFileName().toString()) && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            && FileOwnership.isPrivate(folder)) {
          deleteLeftOver(folder);
        }
      } catch (IOException e) {
        // Deleted by another process.
      }
    }
  }

  private static void deleteLeftOver(Path folder) throws IOException {
    Path file = folder.resolve(LOCK);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      if (isOlder(folder, UNLOCKED)) {
        deleteFolder(folder);
      }
      return;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      if (tryLock(channel) && deleteAllBut(folder, LOCK)) {
        close(channel);
        deleteFolder(folder);
      }
    }
  }

  private static boolean isOlder(Path folder, Duration age) {
    try {
      return Files.getLastModifiedTime(folder).toInstant().isBefore(Instant.now().minus(age));
    } catch (IOException e) {
      // Deleted by another process.
      return false;
    }
  }

  /** Takes the lock, if nobody has it. */
  private static boolean tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static void deleteFolder(Path folder) {
    deleteAllBut(folder, "");
    delete(folder);
  }

  private static boolean deleteAllBut(Path folder, String kept) {
    boolean all = true;
    for (Path file : list(folder, "*")) {
      all &= file.getFileName().toString().equals(kept) || delete(file);
    }
    return all;
  }

  /** Returns what is in a folder, as far as it can be read. */
  private static List<Path> list(Path folder, String names) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, names)) {
      files.forEach(found::add);
    } catch (IOException | DirectoryIteratorException e) {
      // What cannot be seen cannot be deleted either.
    }
    return found;
  }

  private static boolean delete(Path file) {
    try {
      Files.deleteIfExists(file);
      return true;
    } catch (IOException e) {
      // Still in use; a later start deletes it.
      return false;
    }
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // It has nothing to be written.
    }
  }

  private static String key(List<NativeLibrary> libraries) {
    CRC32 crc = new CRC32();
    libraries.forEach(library -> crc.update((library.key() + "\n").getBytes(StandardCharsets.UTF_8)));
    return Long.toHexString(crc.getValue());
  }
}
