package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.ExclusiveLock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The lock of a run folder, held by one training at a time: two would overwrite each other's files. It is a lock on the file
 * {@code .lock} of the folder, which is never deleted: another process may just have locked it.
 */
public final class RunLock implements AutoCloseable {
  static final String FILE_NAME = ".lock";

  private final ExclusiveLock lock;

  private RunLock(ExclusiveLock lock) {
    this.lock = lock;
  }

  /**
   * Takes the lock of a folder.
   *
   * @throws InvalidInputException when another training holds it, or the folder cannot be written
   */
  static RunLock take(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    try {
      return new RunLock(ExclusiveLock
          .tryTake(file, () -> FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE))
          .orElseThrow(() -> new InvalidInputException(
              folder + ": another process is training in it; wait for its end, or begin a new run")));
    } catch (IOException e) {
      throw AtomicFile.cannotWrite(file, e);
    }
  }

  /** Returns whether a training holds the lock of a folder. Writes nothing; false if the lock file cannot be opened. */
  static boolean isHeld(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try {
      Optional<ExclusiveLock> free = ExclusiveLock.tryTake(file, () -> FileChannel.open(file, StandardOpenOption.WRITE));
      free.ifPresent(ExclusiveLock::close);
      return free.isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    lock.close();
  }
}
