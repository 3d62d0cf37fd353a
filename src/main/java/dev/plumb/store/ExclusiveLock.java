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
 * A lock on a file that one holder has at a time, among all threads of all processes. The system releases it when the process ends,
 * however it ends.
 *
 * <p>The file must stay where it is for as long as anybody may ask for the lock: a lock on a deleted file excludes nobody who makes
 * the file anew. On POSIX systems a process loses its lock as soon as it closes any channel of the file, so a file that this process
 * has locked is never opened a second time here.
 */
public final class ExclusiveLock implements AutoCloseable {
  /** Opens the file to be locked, for writing. */
  @FunctionalInterface
  public interface Opener {
    FileChannel open() throws IOException;
  }

  /** The locked files of this process; also the monitor of everything that opens, locks or closes such a file. */
  private static final List<Path> HELD = new ArrayList<>();

  /** Files that other code of this process has locked: to close them would release that code's locks. */
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
   * Takes the lock if it is free. Does not wait, and is not affected by an interrupt of the thread.
   *
   * @param file that the opener opens; it is not opened when this process has the lock already, by whatever name
   * @return empty when somebody else has it
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

  /** Returns whether other processes respect the lock: false where the file system has no locks. */
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

  /** Links in the path of the folder are resolved; the file itself need not be there. */
  private static Path canonical(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    return Files.exists(absolute) ? absolute.toRealPath() : absolute.getParent().toRealPath().resolve(absolute.getFileName());
  }
}
