package dev.plumb.store;

import dev.plumb.model.InvalidInputException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Writes a file whole or not at all: into a temporary file beside it, then renamed over it. A target that is there and is not a
 * regular file (a pipe, a device) is written to directly, since a rename would put a file in its place.
 */
public final class AtomicFile {
  /** What a file holds. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private AtomicFile() {}

  /**
   * Finds out early, before long work, whether {@link #write} will be able to write there. Leaves nothing behind.
   *
   * @throws InvalidInputException when it will not
   */
  public static void requireWritable(Path target) {
    try {
      if (isSpecial(target)) {
        if (!Files.isWritable(target)) {
          throw new AccessDeniedException(target.toString());
        }
        return;
      }
      Path file = resolve(target);
      if (Files.exists(file) && !Files.isWritable(file)) {
        throw new AccessDeniedException(file.toString());
      }
      Path temporary = temporary(file);
      Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW).close();
      Files.delete(temporary);
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** Whether both paths lead to one and the same file, links followed; false when either is not there. */
  public static boolean isSameFile(Path one, Path other) {
    try {
      return Files.exists(one) && Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }

  /** @throws InvalidInputException when it cannot be written; what was there before is then still there */
  public static void write(Path target, Content content) {
    try {
      if (isSpecial(target)) {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(target, StandardOpenOption.WRITE))) {
          content.writeTo(out);
        }
        return;
      }
      Path file = resolve(target);
      Path temporary = temporary(file);
      try {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW))) {
          content.writeTo(out);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** A link is followed, so that the file it points to is written and the link stays. */
  private static Path resolve(Path target) throws IOException {
    return Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
  }

  /** /dev/stdout may lead to a regular file, which is open already: what is under these folders is never replaced. */
  private static boolean isSpecial(Path target) throws FileSystemException {
    if (Files.isDirectory(target)) {
      throw new FileSystemException(target.toString(), null, "it is a folder, not a file");
    }
    Path absolute = target.toAbsolutePath();
    return Files.exists(target)
        && (!Files.isRegularFile(target) || absolute.startsWith("/dev") || absolute.startsWith("/proc"));
  }

  private static Path temporary(Path file) {
    return file.resolveSibling("." + file.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
  }

  private static InvalidInputException cannotWrite(Path target, IOException e) {
    String reason;
    if (e instanceof AccessDeniedException) {
      reason = "permission denied";
    } else if (e instanceof NoSuchFileException) {
      reason = "there is no folder " + target.toAbsolutePath().getParent();
    } else if (e instanceof FileSystemException system && system.getReason() != null) {
      reason = system.getReason().toLowerCase(Locale.ROOT);
    } else {
      reason = String.valueOf(e.getMessage());
    }
    return new InvalidInputException("cannot write " + target + ": " + reason, e);
  }
}
