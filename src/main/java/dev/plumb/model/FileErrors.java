package dev.plumb.model;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.ZipException;

/** Readable reasons for an IOException, whose own message may be null or just a path. */
public final class FileErrors {
  private static final String FOLDER = "it is a folder, not a file";
  private static final String MISSING = "there is no such file";
  private static final String DENIED = "permission denied";

  private FileErrors() {}

  /**
   * Returns the reason of an error in one line, without the file's name: "permission denied".
   *
   * @param e of reading or writing a file
   * @return neither null nor empty
   */
  public static String reason(IOException e) {
    if (e instanceof FileSystemException system) {
      return systemReason(system);
    }
    if (e instanceof ClosedByInterruptException || e instanceof InterruptedIOException
        || e instanceof FileLockInterruptionException) {
      return "the thread was interrupted";
    }
    if (e instanceof ClosedChannelException) {
      return "it was closed in the meantime";
    }
    if (e instanceof EOFException) {
      return "it ends too early";
    }
    if (e instanceof CharacterCodingException) {
      return "its text is not in the expected encoding";
    }
    String message = firstLine(e.getMessage());
    if (e instanceof FileNotFoundException) {
      // java.io puts the path first: "iris.csv (Permission denied)".
      int reason = message.lastIndexOf(" (");
      return reason < 0 || !message.endsWith(")") ? MISSING
          : words(message.substring(reason + 2, message.length() - 1).toLowerCase(Locale.ROOT));
    }
    if (message.isEmpty()) {
      return e instanceof ZipException ? "its compressed data is damaged" : "input/output error " + e.getClass().getSimpleName();
    }
    return words(message);
  }

  /**
   * Returns the reason why a file cannot be read, to follow its name: "there is no such file", "cannot be read: permission
   * denied".
   *
   * @param file that was read; null for a stream
   * @param e of reading it
   * @return one line, without the file's name
   */
  public static String reading(Path file, IOException e) {
    String reason = file != null && Files.isDirectory(file) ? FOLDER : reason(e);
    return reason.equals(MISSING) ? reason : "cannot be read: " + reason;
  }

  /**
   * Returns the error for a file that cannot be read; its message begins with the file's name.
   *
   * @param file that was read
   * @param e of reading it
   * @return the error to throw
   */
  public static InvalidInputException cannotRead(Path file, IOException e) {
    return new InvalidInputException(file + ": " + reading(file, e), e);
  }

  /**
   * Returns the error for a file that cannot be written: "cannot write model.onnx: no space left on device".
   *
   * @param file that was written
   * @param e of writing it
   * @return the error to throw
   */
  public static InvalidInputException cannotWrite(Path file, IOException e) {
    String reason = reason(e);
    if (reason.equals(MISSING)) {
      Path folder = file.toAbsolutePath().getParent();
      reason = folder == null || Files.isDirectory(folder) ? "no file can be created there" : "there is no folder " + folder;
    }
    return new InvalidInputException("cannot write " + file + ": " + reason, e);
  }

  private static String systemReason(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return MISSING;
    }
    if (e instanceof AccessDeniedException) {
      return DENIED;
    }
    if (e instanceof FileAlreadyExistsException) {
      return "it exists already";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "the folder is not empty";
    }
    if (e instanceof NotDirectoryException) {
      return "it is not a folder";
    }
    if (e instanceof FileSystemLoopException) {
      return "its folders contain each other";
    }
    String reason = firstLine(e.getReason());
    return reason.isEmpty() ? "the file system refused the operation" : words(reason.toLowerCase(Locale.ROOT));
  }

  private static String words(String reason) {
    return switch (reason.toLowerCase(Locale.ROOT)) {
      case "is a directory" -> FOLDER;
      case "no such file or directory" -> MISSING;
      default -> reason;
    };
  }

  private static String firstLine(String text) {
    return text == null ? "" : text.lines().map(String::strip).filter(line -> !line.isEmpty()).findFirst().orElse("");
  }
}
