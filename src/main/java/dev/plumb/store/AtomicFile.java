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
 * Writes a file whole or not at all: into a temporary file beside it, then renamed over it. A target that is there and is not a
 * regular file (a pipe, a device) is added to directly, since a rename would put a file in its place.
 */
public final class AtomicFile {
  /** What a file holds. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Names of streams, which may be regular files that a shell has opened: they are added to and never replaced. */
  private static final List<String> OPEN_STREAMS = List.of("/dev/stdout", "/dev/stderr", "/dev/fd", "/proc");

  /** As many as Linux follows. */
  private static final int MAX_LINKS = 40;

  private AtomicFile() {}

  /**
   * Finds out early, before long work, whether {@link #write} will be able to write there. Leaves nothing behind, and deletes what a
   * killed process has left next to the target.
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
      TemporaryPath.deleteAbandoned(file.getParent());
      try (TemporaryPath temporary = TemporaryPath.file(file.getParent())) {
        Files.newOutputStream(temporary.path(), StandardOpenOption.CREATE_NEW).close();
      }
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /**
   * Returns whether {@link #write} replaces the target; a pipe or a device is appended to.
   *
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
   * Returns whether writing to both paths would end in one file: they lead to the same file, or to the same name where there is none
   * yet. Links are followed.
   */
  public static boolean isSameTarget(Path one, Path other) {
    return isSameFile(one, other) || canonical(one).equals(canonical(other));
  }

  /** Returns the path by which {@link #write} makes a file: absolute, and without links as far as it exists. */
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
   * Returns whether both paths lead to one and the same file, links followed; false when either is not there, and for pipes and
   * devices, which hold nothing that could be overwritten.
   */
  public static boolean isSameFile(Path one, Path other) {
    try {
      return Files.isRegularFile(one) && Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }

  /** @throws InvalidInputException when it cannot be written; what was there before is then still there */
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

  /** Links are followed, to a file that is not there yet too, so that what they point to is written and they stay links. */
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

  /** Whether a target is there that must not be replaced: a device, a pipe, or a stream that is open already. */
  private static boolean isSpecial(Path target) throws FileSystemException {
    if (Files.isDirectory(target)) {
      throw new FileSystemException(target.toString(), null, "it is a folder, not a file");
    }
    Path absolute = target.toAbsolutePath();
    return Files.exists(target)
        && (!Files.isRegularFile(target) || OPEN_STREAMS.stream().anyMatch(absolute::startsWith));
  }

  /** A file that replaces another is as readable as that one was. */
  private static void copyPermissions(Path from, Path to) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(from, PosixFileAttributeView.class);
    if (view != null && Files.exists(from)) {
      Files.setPosixFilePermissions(to, view.readAttributes().permissions());
    }
  }

  /** One line that says why a file cannot be written. */
  public static InvalidInputException cannotWrite(Path target, IOException e) {
    return FileErrors.cannotWrite(target, e);
  }
}
