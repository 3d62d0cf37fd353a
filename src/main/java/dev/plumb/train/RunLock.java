package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to train in a run folder, which one process has at a time: two would write over each other's files. The system takes it
 * back when the process ends, however it ends.
 */
public final class RunLock implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private RunLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** @throws InvalidInputException when somebody else has it, or the folder cannot be written */
  static RunLock take(Path folder) {
    Path file = folder.resolve(".lock");
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw AtomicFile.cannotWrite(file, e);
    }
    if (isHeldElsewhere(channel)) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new InvalidInputException(folder + ": another process is training in it; wait for its end, or begin a new run");
    }
    return new RunLock(file, channel);
  }

  /** Where the file system has no locks there is nobody to ask, and it counts as free. */
  private static boolean isHeldElsewhere(FileChannel channel) {
    try {
      FileLock lock = channel.tryLock();
      return lock == null;
    } catch (OverlappingFileLockException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(file);
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
