package dev.plumb.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Temporary file or folder, {@code .plumb-UUID.tmp} or {@code .plumb-UUID}, in the folder of the target that it is renamed to.
 * While it exists, its process holds a lock on {@code .plumb-UUID.lock}, by which {@link #deleteAbandoned} distinguishes the
 * remains of a killed process from files that another process is writing.
 */
public final class TemporaryPath implements AutoCloseable {
  private static final String PREFIX = ".plumb-";
  private static final String FILE = ".tmp";
  private static final String LOCK = ".lock";
  private static final Pattern NAME =
      Pattern.compile("(\\.plumb-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\\.tmp|\\.lock)?");

  private final Path path;
  private final Path lockFile;
  private final ExclusiveLock lock;

  private TemporaryPath(Path path, Path lockFile, ExclusiveLock lock) {
    this.path = path;
    this.lockFile = lockFile;
    this.lock = lock;
  }

  /** Reserves the path of a file, which does not exist yet. */
  static TemporaryPath file(Path folder) throws IOException {
    return reserve(folder, FILE);
  }

  /**
   * Creates an empty folder.
   *
   * @param parent folder in which it is created
   * @return the temporary folder
   * @throws IOException when it cannot be created
   */
  public static TemporaryPath folder(Path parent) throws IOException {
    TemporaryPath folder = reserve(parent, "");
    try {
      Files.createDirectory(folder.path);
      return folder;
    } catch (IOException e) {
      folder.close();
      throw e;
    }
  }

  private static TemporaryPath reserve(Path folder, String ending) throws IOException {
    while (true) {
      // A new name every time: lock files are deleted, and a lock on a deleted file excludes no other process.
      String name = PREFIX + UUID.randomUUID();
      Path lockFile = folder.resolve(name + LOCK);
      Optional<ExclusiveLock> lock = ExclusiveLock.tryTake(lockFile,
          () -> FileChannel.open(lockFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
      if (lock.isPresent()) {
        if (Files.exists(lockFile)) {
          return new TemporaryPath(folder.resolve(name + ending), lockFile, lock.get());
        }
        lock.get().close();
      }
      // Another process took the new lock file for an abandoned one and deleted it.
    }
  }

  /**
   * Returns the path.
   *
   * @return of the file or folder
   */
  public Path path() {
    return path;
  }

  /** Deletes the file or folder unless it was renamed. What cannot be deleted is left for {@link #deleteAbandoned}. */
  @Override
  public void close() {
    delete(path);
    delete(lockFile);
    lock.close();
  }

  /**
   * Deletes temporary files and folders that killed processes left in a folder, as far as permitted. Files of running processes
   * are kept, and so is everything in a file system without locks.
   *
   * @param folder to clean up
   */
  public static void deleteAbandoned(Path folder) {
    TreeSet<String> names = new TreeSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, PREFIX + "*")) {
      for (Path path : all) {
        Matcher matcher = NAME.matcher(path.getFileName().toString());
        if (matcher.matches()) {
          names.add(matcher.group(1));
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // The folder cannot be listed; writing to it reports why.
      return;
    }
    names.forEach(name -> deleteAbandoned(folder, name));
  }

  private static void deleteAbandoned(Path folder, String name) {
    Path lockFile = folder.resolve(name + LOCK);
    Optional<ExclusiveLock> lock;
    try {
      lock = ExclusiveLock.tryTake(lockFile, () -> FileChannel.open(lockFile, StandardOpenOption.WRITE));
    } catch (NoSuchFileException e) {
      // A process creates the lock file before the others and deletes it after them.
      delete(folder.resolve(name));
      delete(folder.resolve(name + FILE));
      return;
    } catch (IOException e) {
      return;
    }
    lock.ifPresent(taken -> {
      if (taken.isAcrossProcesses()) {
        delete(folder.resolve(name));
        delete(folder.resolve(name + FILE));
        delete(lockFile);
      }
      taken.close();
    });
  }

  /** Deletes a file or a folder with its content, as far as permitted. Links are deleted, not followed. */
  private static void delete(Path path) {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(path)) {
      for (Path one : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(one);
      }
    } catch (IOException | UncheckedIOException e) {
      // It is kept.
    }
  }
}
