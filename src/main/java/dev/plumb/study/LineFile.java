package dev.plumb.study;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.ExclusiveLock;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * An append-only text file under a lock. A kill of the process loses no line. A power failure may lose lines that were added within
 * a second after another one. An incomplete last line, as a kill may leave it, is ignored by reading and cut off when the next
 * line is added; before that an open file is not changed.
 */
final class LineFile implements AutoCloseable {
  private static final int BLOCK_BYTES = 1 << 16;

  /** A sync takes some milliseconds, as long as the training of a small network. */
  private static final long SYNC_EVERY_NANOS = 1_000_000_000;

  /** The first line contains a JSON file of a user; none is larger. */
  private static final int MAX_FIRST_LINE_BYTES = 128 << 20;

  private final ExclusiveLock lock;

  /** Used directly and not by its channel, since an interrupt of the thread would close the channel and release the lock. */
  private final RandomAccessFile file;

  /** The first byte after the last whole line. */
  private long end;

  private boolean isOnDisk = true;
  private long lastSync = System.nanoTime() - SYNC_EVERY_NANOS;

  private LineFile(ExclusiveLock lock, RandomAccessFile file) {
    this.lock = lock;
    this.file = file;
  }

  /**
   * Creates a file with one line, or no file on failure.
   *
   * @throws java.nio.file.FileAlreadyExistsException when the name is taken
   */
  static LineFile create(Path path, String firstLine) throws IOException {
    Files.createFile(path);
    try {
      LineFile made = locked(path);
      try {
        made.add(firstLine + "\n");
        return made;
      } catch (IOException e) {
        made.close();
        throw e;
      }
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw e;
    }
  }

  /** @throws InvalidInputException when this or another process has it open */
  static LineFile open(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString());
    }
    if (!Files.isWritable(path)) {
      throw new AccessDeniedException(path.toString());
    }
    LineFile opened = locked(path);
    try {
      opened.end = opened.lastLineEnd();
      return opened;
    } catch (IOException e) {
      opened.close();
      throw e;
    }
  }

  private static LineFile locked(Path path) throws IOException {
    RandomAccessFile[] opened = new RandomAccessFile[1];
    ExclusiveLock lock = ExclusiveLock.tryTake(path, () -> {
      try {
        opened[0] = new RandomAccessFile(path.toFile(), "rw");
      } catch (FileNotFoundException e) {
        throw new AccessDeniedException(path.toString(), null, e.getMessage());
      }
      return opened[0].getChannel();
    }).orElseThrow(() -> new InvalidInputException(
        path + ": another study is writing to this file; wait for it, or stop it"));
    return new LineFile(lock, opened[0]);
  }

  /** Returns the position after the last line feed, or 0 if there is none. */
  private long lastLineEnd() throws IOException {
    byte[] block = new byte[BLOCK_BYTES];
    for (long after = file.length(); after > 0;) {
      int count = (int) Math.min(BLOCK_BYTES, after);
      file.seek(after - count);
      file.readFully(block, 0, count);
      for (int i = count - 1; i >= 0; i--) {
        if (block[i] == '\n') {
          return after - count + i + 1;
        }
      }
      after -= count;
    }
    return 0;
  }

  /**
   * Returns the first line if it is complete and begins as expected; only the first bytes of another file are read.
   *
   * @param start the expected beginning of the line
   */
  Optional<String> firstLine(String start) throws IOException {
    byte[] expected = start.getBytes(StandardCharsets.UTF_8);
    if (end < expected.length) {
      return Optional.empty();
    }
    byte[] first = new byte[expected.length];
    file.seek(0);
    file.readFully(first);
    if (!Arrays.equals(first, expected)) {
      return Optional.empty();
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    line.write(first);
    InputStream rest = new Lines(first.length);
    byte[] block = new byte[BLOCK_BYTES];
    for (int count = rest.read(block); count > 0 && line.size() <= MAX_FIRST_LINE_BYTES; count = rest.read(block)) {
      for (int i = 0; i < count; i++) {
        if (block[i] == '\n') {
          line.write(block, 0, i);
          return Optional.of(line.toString(StandardCharsets.UTF_8));
        }
      }
      line.write(block, 0, count);
    }
    return Optional.empty();
  }

  /** Returns a reader of all complete lines, to be read to its end before other calls. It need not be closed. */
  BufferedReader lines() {
    return new BufferedReader(new InputStreamReader(new Lines(0), StandardCharsets.UTF_8));
  }

  /** @param lines each with its line feed */
  void add(String lines) throws IOException {
    byte[] bytes = lines.getBytes(StandardCharsets.UTF_8);
    file.setLength(end);
    file.seek(end);
    file.write(bytes);
    end += bytes.length;
    isOnDisk = false;
    if (System.nanoTime() - lastSync >= SYNC_EVERY_NANOS) {
      sync();
    }
  }

  private void sync() throws IOException {
    file.getFD().sync();
    isOnDisk = true;
    lastSync = System.nanoTime();
  }

  /** @throws IOException when the last lines cannot be written to the disk */
  @Override
  public void close() throws IOException {
    try (lock) {
      if (!isOnDisk) {
        sync();
      }
    }
  }

  /** The file up to the end of its last whole line. */
  private final class Lines extends InputStream {
    private long position;

    Lines(long position) {
      this.position = position;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (position >= end) {
        return -1;
      }
      file.seek(position);
      int count = file.read(bytes, offset, (int) Math.min(length, end - position));
      position += Math.max(count, 0);
      return count;
    }
  }
}
