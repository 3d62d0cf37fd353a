package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.ExclusiveLock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to train in a run folder, which one training has at a time: two would overwrite each other's files. It is a lock on the
 * file {@code .lock} of the folder, which stays there: who deletes it may delete the one that another process has just locked.
 */
public final class RunLock implements AutoCloseable {
  static final String FILE_NAME = ".lock";

  private final ExclusiveLock lock;

  private RunLock(ExclusiveLock lock) {
    this.lock = lock;
  }

  /** @throws InvalidInputException when another training has it, or the folder cannot be written */
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

  @Override
  public void close() {
    lock.close();
  }
}
