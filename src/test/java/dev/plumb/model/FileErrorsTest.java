package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FileErrorsTest {
  @TempDir Path folder;

  static Stream<Arguments> reasons() {
    return Stream.of(
        arguments(new NoSuchFileException("a.csv"), "there is no such file"),
        arguments(new FileNotFoundException("a.csv (No such file or directory)"), "there is no such file"),
        arguments(new FileNotFoundException("a (1).csv (Permission denied)"), "permission denied"),
        arguments(new FileNotFoundException(), "there is no such file"),
        arguments(new AccessDeniedException("a.csv"), "permission denied"),
        arguments(new FileAlreadyExistsException("a.csv"), "it exists already"),
        arguments(new DirectoryNotEmptyException("a"), "the folder is not empty"),
        arguments(new NotDirectoryException("a"), "it is not a folder"),
        arguments(new FileSystemLoopException("a"), "its folders contain each other"),
        arguments(new FileSystemException("a.csv"), "the file system refused the operation"),
        arguments(new FileSystemException("a.csv", null, "Read-only file system"), "read-only file system"),
        arguments(new FileSystemException("a.csv", null, "Is a directory"), "it is a folder, not a file"),
        arguments(new ClosedByInterruptException(), "the thread was interrupted"),
        arguments(new FileLockInterruptionException(), "the thread was interrupted"),
        arguments(new InterruptedIOException(), "the thread was interrupted"),
        arguments(new AsynchronousCloseException(), "it was closed in the meantime"),
        arguments(new EOFException(), "it ends too early"),
        arguments(new EOFException("Unexpected end of ZLIB input stream"), "it ends too early"),
        arguments(new MalformedInputException(1), "its text is not in the expected encoding"),
        arguments(new ZipException(), "its compressed data is damaged"),
        arguments(new ZipException("invalid block type"), "invalid block type"),
        arguments(new IOException(), "input/output error IOException"),
        arguments(new IOException(" \n"), "input/output error IOException"),
        arguments(new IOException("Is a directory"), "it is a folder, not a file"),
        arguments(new IOException("No space left on device\nmore"), "No space left on device"));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void everyExceptionHasAReason(IOException e, String reason) {
    assertEquals(reason, FileErrors.reason(e));
  }

  @Test
  void messagesNameTheFileOnce() {
    Path file = folder.resolve("a.csv");
    Path missing = folder.resolve("none/a.csv");
    assertEquals(file + ": there is no such file",
        FileErrors.cannotRead(file, new NoSuchFileException(file.toString())).getMessage());
    assertEquals(file + ": cannot be read: permission denied",
        FileErrors.cannotRead(file, new AccessDeniedException(file.toString())).getMessage());
    assertEquals("cannot be read: the thread was interrupted", FileErrors.reading(null, new ClosedByInterruptException()));
    assertEquals(folder + ": cannot be read: it is a folder, not a file",
        FileErrors.cannotRead(folder, new IOException()).getMessage());
    assertEquals("cannot write " + file + ": the file system refused the operation",
        FileErrors.cannotWrite(file, new FileSystemException(file.toString())).getMessage());
    assertEquals("cannot write " + file + ": no file can be created there",
        FileErrors.cannotWrite(file, new NoSuchFileException(file.toString())).getMessage());
    assertEquals("cannot write " + missing + ": there is no folder " + missing.getParent(),
        FileErrors.cannotWrite(missing, new NoSuchFileException(missing.toString())).getMessage());
  }
}
