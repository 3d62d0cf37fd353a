package dev.plumb.store;

import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.List;

/**
 * Atomic writing of files: the content goes to a temporary file in the same folder, which is then renamed. An existing target
 * that is not a regular file (a pipe, a device) is appended to directly, because a rename would replace it by a file.
 */
public final class AtomicFile {
  /** Content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes the content.
     *
     * @param out stream, which is closed by the caller
     * @throws IOException when writing fails
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Paths of streams, which may be regular files that a shell has opened: they are appended to, never replaced. */
  private static final List<String> OPEN_STREAMS = List.of("/dev/stdout", "/dev/stderr", "/dev/fd", "/proc");

  /** Limit of symbolic links, as in Linux. */
  private static final int MAX_LINKS = 40;

  private AtomicFile() {}

  /**
   * Checks, before a long computation, that {@link #write} can write to a target. Creates no file, and deletes temporary files
   * that killed processes left next to the target.
   *
   * @param target to be written later
   * @throws InvalidInputException when it cannot be written
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
      TemporaryPath.deleteAbandoned(file.getParent());
      try (TemporaryPath temporary = TemporaryPath.file(file.getParent())) {
        Files.newOutputStream(temporary.path(), StandardOpenOption.CREATE_NEW).close();
      }
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /**
   * Returns whether {@link #write} replaces the target.
   *
   * @param target to be written
   * @return false for a pipe or a device, which is appended to
   * @throws InvalidInputException when the target is a folder
   */
  public static boolean isReplaced(Path target) {
    try {
      return !isSpecial(target);
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /**
   * Returns whether two paths, links followed, lead to the same file, or to the same name of a file that does not exist yet.
   *
   * @param one path
   * @param other path
   * @return true when writing to one would overwrite the other
   */
  public static boolean isSameTarget(Path one, Path other) {
    return isSameFile(one, other) || canonical(one).equals(canonical(other));
  }

  /**
   * Returns the path that {@link #write} writes to: absolute, with links of existing folders resolved.
   *
   * @param target to be written
   * @return the path
   */
  public static Path canonical(Path target) {
    try {
      Path file = resolve(target);
      Path folder = file.getParent();
      return folder == null ? file : folder.toRealPath().resolve(file.getFileName());
    } catch (IOException e) {
      return target.toAbsolutePath().normalize();
    }
  }

  /**
   * Returns whether two paths, links followed, lead to the same regular file.
   *
   * @param one path
   * @param other path
   * @return false when either does not exist, and for pipes and devices, which have no content to overwrite
   */
  public static boolean isSameFile(Path one, Path other) {
    try {
      return Files.isRegularFile(one) && Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes a file atomically.
   *
   * @param target file
   * @param content of the file
   * @throws InvalidInputException when it cannot be written; an existing file is then unchanged
   */
  public static void write(Path target, Content content) {
    try {
      if (isSpecial(target)) {
        OutputStream stream = new BufferedOutputStream(Files.newOutputStream(target, StandardOpenOption.APPEND));
        try (OutputStream out = TerminalOutput.isTerminal(target) ? new TerminalOutput(stream) : stream) {
          content.writeTo(out);
        }
        return;
      }
      Path file = resolve(target);
      try (TemporaryPath temporary = TemporaryPath.file(file.getParent())) {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary.path(), StandardOpenOption.CREATE_NEW))) {
          content.writeTo(out);
        }
        copyPermissions(file, temporary.path());
        Files.move(temporary.path(), file, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** Follows links, so that their target is written, even if it does not exist yet, and they remain links. */
  private static Path resolve(Path target) throws IOException {
    Path file = target.toAbsolutePath();
    for (int links = 0; Files.isSymbolicLink(file); links++) {
      if (links == MAX_LINKS) {
        throw new FileSystemException(target.toString(), null, "too many symbolic links");
      }
      file = file.resolveSibling(Files.readSymbolicLink(file));
    }
    return file;
  }

  /** Returns whether an existing target must not be replaced: a device, a pipe, or an open stream. */
  private static boolean isSpecial(Path target) throws FileSystemException {
    if (Files.isDirectory(target)) {
      throw new FileSystemException(target.toString(), null, "it is a folder, not a file");
    }
    Path absolute = target.toAbsolutePath();
    return Files.exists(target)
        && (!Files.isRegularFile(target) || OPEN_STREAMS.stream().anyMatch(absolute::startsWith));
  }

  /** Gives a file the permissions of the one that it replaces. */
  private static void copyPermissions(Path from, Path to) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(from, PosixFileAttributeView.class);
    if (view != null && Files.exists(from)) {
      Files.setPosixFilePermissions(to, view.readAttributes().permissions());
    }
  }

  /**
   * Returns the error for a file that cannot be written.
   *
   * @param target file
   * @param e of writing it
   * @return the error to throw
   */
  public static InvalidInputException cannotWrite(Path target, IOException e) {
    return FileErrors.cannotWrite(target, e);
  }
}
