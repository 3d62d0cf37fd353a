package dev.plumb.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lock on a file that excludes all other threads and processes. The operating system releases it when the process ends, even when
 * the process is killed.
 *
 * <p>The file must exist as long as the lock may be requested: a lock on a deleted file does not exclude a process that creates
 * the file again. On POSIX systems a process loses its lock when it closes any channel of the file, so a file that this process
 * has locked is never opened a second time.
 */
public final class ExclusiveLock implements AutoCloseable {
  /** Opener of the file to lock. */
  @FunctionalInterface
  public interface Opener {
    /**
     * Opens the file for writing.
     *
     * @return the channel
     * @throws IOException when it cannot be opened
     */
    FileChannel open() throws IOException;
  }

  /** Locked files of this process; also the monitor for opening, locking and closing them. */
  private static final List<Path> HELD = new ArrayList<>();

  /** Channels of files that other code of this process has locked: closing them would release those locks. */
  private static final List<FileChannel> NEVER_CLOSED = new ArrayList<>();

  private final Path file;
  private final FileChannel channel;
  private final boolean acrossProcesses;

  private ExclusiveLock(Path file, FileChannel channel, boolean acrossProcesses) {
    this.file = file;
    this.channel = channel;
    this.acrossProcesses = acrossProcesses;
  }

  /**
   * Acquires the lock if it is free. Does not wait, and ignores interrupts of the thread.
   *
   * @param file to lock; it is not opened when this process already holds its lock, under any path
   * @param opener of the file
   * @return empty when the lock is held elsewhere
   * @throws IOException when the file cannot be opened
   */
  public static Optional<ExclusiveLock> tryTake(Path file, Opener opener) throws IOException {
    synchronized (HELD) {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new FileSystemException(file.toString(), null, "it is not a regular file");
      }
      Path canonical = canonical(file);
      if (HELD.stream().anyMatch(held -> held.equals(canonical) || AtomicFile.isSameFile(file, held))) {
        return Optional.empty();
      }
      FileChannel channel = opener.open();
      boolean acrossProcesses;
      try {
        if (channel.tryLock() == null) {
          channel.close();
          return Optional.empty();
        }
        acrossProcesses = true;
      } catch (OverlappingFileLockException e) {
        NEVER_CLOSED.add(channel);
        return Optional.empty();
      } catch (IOException e) {
        // The file system has no locks.
        acrossProcesses = false;
      }
      HELD.add(canonical);
      return Optional.of(new ExclusiveLock(canonical, channel, acrossProcesses));
    }
  }

  /**
   * Returns whether the lock excludes other processes.
   *
   * @return false when the file system has no locks
   */
  public boolean isAcrossProcesses() {
    return acrossProcesses;
  }

  /** Releases the lock and closes the file. A second call does nothing. */
  @Override
  public void close() {
    synchronized (HELD) {
      if (!channel.isOpen()) {
        return;
      }
      HELD.remove(file);
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException("cannot close " + file, e);
      }
    }
  }

  /** Resolves links in the path of the folder; the file itself need not exist. */
  private static Path canonical(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    return Files.exists(absolute) ? absolute.toRealPath() : absolute.getParent().toRealPath().resolve(absolute.getFileName());
  }
}
