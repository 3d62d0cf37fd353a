package dev.plumb.train;

import dev.plumb.model.InvalidInputException;

/**
 * A run as its checkpoint describes it. Its folder is locked until this is closed.
 *
 * @param lock the lock of the folder
 * @param state the state to resume from
 */
public record SavedRun(RunFolder folder, RunLock lock, RunMetadata metadata, TrainerState state) implements AutoCloseable {
  /**
   * Locks a folder and reads its checkpoint.
   *
   * @throws InvalidInputException when the checkpoint is invalid, or another training holds the lock
   */
  public static SavedRun open(RunFolder folder) {
    // Nothing is written to a folder, not even a lock file, before its checkpoint has been read once. It is read again under the
    // lock because another process may have replaced it in the meantime.
    Checkpoint.read(folder.checkpoint());
    RunLock lock = folder.lock();
    try {
      return read(folder, lock);
    } catch (RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  private static SavedRun read(RunFolder folder, RunLock lock) {
    Checkpoint checkpoint = Checkpoint.read(folder.checkpoint());
    try {
      return new SavedRun(folder, lock, RunMetadata.of(checkpoint), checkpoint.state());
    } catch (InvalidInputException e) {
      throw e.at(folder.checkpoint().toString());
    }
  }

  SavedRun withMetadata(RunMetadata other) {
    return new SavedRun(folder, lock, other, state);
  }

  @Override
  public void close() {
    lock.close();
  }
}
