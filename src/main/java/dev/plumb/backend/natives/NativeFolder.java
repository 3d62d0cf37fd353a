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
 * A folder to which native libraries from the jar are unpacked so that they can be loaded. Only the current user can write to it,
 * and each library in it is compared with the jar before it is used. It is in the user's cache folder, where the next process
 * finds the libraries again; if the cache cannot be used, it is in the folder of temporary files and is deleted once the
 * libraries are loaded.
 *
 * <p>Leftovers of killed processes are deleted by the next process. A process holds a file lock on everything that is unfinished,
 * and the system releases the lock when the process ends.
 */
public final class NativeFolder implements AutoCloseable {
  private static final String TEMPORARY_FILES = "java.io.tmpdir";
  private static final String TEMPORARY = "plumb-natives-";
  private static final String LOCK = ".plumb-lock";
  private static final String UNFINISHED = ".unfinished";

  /** Age from which a folder without a lock is a leftover; the process that makes a younger one may not have locked it yet. */
  private static final Duration UNLOCKED = Duration.ofMinutes(1);

  /** Time without use after which libraries of other versions are deleted. */
  private static final Duration UNUSED = Duration.ofDays(30);

  /** Names of this process's own temporary folders: opening and closing their lock files would release the locks. */
  private static final Set<String> OPEN = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final FileChannel lock;

  /** @param lock held while a temporary folder exists; null for a folder in the cache */
  private NativeFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Opens a folder that contains the given libraries.
   *
   * @param name first part of the folder's name
   * @throws IOException when they cannot be unpacked anywhere; the message names the folder of temporary files
   */
  public static NativeFolder open(String name, List<NativeLibrary> libraries) throws IOException {
    return open(name, libraries, Map.of());
  }

  /**
   * Opens a folder that contains the given libraries and, in the cache, symbolic links to them. A loader that made the links
   * itself would disturb other processes that use the folder.
   *
   * @param links target file name by link name
   * @throws IOException when the libraries cannot be unpacked anywhere; the message names the folder of temporary files
   */
  public static NativeFolder open(String name, List<NativeLibrary> libraries, Map<String, String> links) throws IOException {
    // Channels throw in an interrupted thread, and callers do not retry in this process.
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
    deleteLeftovers();
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
    Path cache = FileOwnership.privateFolder(
        UserCache.folder().orElseThrow(() -> new IOException("the user has no home folder")));
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
    // Java creates it with access for its owner only.
    Path folder = Files.createTempDirectory(Path.of(System.getProperty(TEMPORARY_FILES)), TEMPORARY).toRealPath();
    OPEN.add(folder.getFileName().toString());
    FileChannel lock = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    NativeFolder temporary = new NativeFolder(folder, lock);
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
      return temporary;
    } catch (IOException | RuntimeException e) {
      temporary.close();
      throw e;
    }
  }

  /** Replaces a file atomically: a process that loads it at the same time gets the old content or the new. */
  private static void replace(Path file, NativeLibrary library) throws IOException {
    Path unfinished = Files.createTempFile(file.getParent(), library.name(), UNFINISHED, FileOwnership.attributes());
    try (FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
      // If another process deleted it as a leftover before it was locked, the move below fails.
      if (!tryLock(channel)) {
        throw new IOException(unfinished + ": cannot be locked");
      }
      library.write(Channels.newOutputStream(channel));
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /** Checks for a file system mounted noexec, whose libraries the system's loader would refuse with an unclear message. */
  private static void requireExecutable(Path file) throws IOException {
    if (!Files.isExecutable(file)) {
      throw new IOException("it seems to be mounted noexec");
    }
  }

  /** Returns the real path of the folder. */
  public Path path() {
    return path;
  }

  /** Returns the path of a library's file. */
  public Path file(String library) {
    return path.resolve(library);
  }

  /** Deletes a temporary folder, unless the system keeps its files open (Windows). Call it when all libraries are loaded. */
  @Override
  public void close() {
    if (lock != null && deleteAllBut(path, LOCK)) {
      close(lock);
      deleteFolder(path);
      OPEN.remove(path.getFileName().toString());
    }
  }

  /** Deletes folders that were not used for a long time, and unfinished files of killed processes. */
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
      // The other process has finished and renamed it.
    }
  }

  /** Deletes temporary folders of processes that were killed. */
  private static void deleteLeftovers() {
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
          deleteLeftover(folder);
        }
      } catch (IOException e) {
        // Deleted by another process.
      }
    }
  }

  private static void deleteLeftover(Path folder) throws IOException {
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

  /** Acquires a lock; returns false if another process or thread holds it. */
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
    boolean allDeleted = true;
    for (Path file : list(folder, "*")) {
      allDeleted &= file.getFileName().toString().equals(kept) || delete(file);
    }
    return allDeleted;
  }

  /** Returns the entries of a folder, as far as they can be read. */
  private static List<Path> list(Path folder, String names) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, names)) {
      files.forEach(found::add);
    } catch (IOException | DirectoryIteratorException e) {
      // The rest can neither be read nor deleted.
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
      // Nothing was written.
    }
  }

  private static String key(List<NativeLibrary> libraries) {
    CRC32 crc = new CRC32();
    libraries.forEach(library -> crc.update((library.key() + "\n").getBytes(StandardCharsets.UTF_8)));
    return Long.toHexString(crc.getValue());
  }
}
