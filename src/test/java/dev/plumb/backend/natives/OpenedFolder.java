package dev.plumb.backend.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Opens a folder with two libraries and prints its path, and in the next line whether the thread is interrupted; with the
 * argument "wait" it then waits, and closes the folder otherwise. With "interrupt" its thread is interrupted before.
 */
final class OpenedFolder {
  private OpenedFolder() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> given = List.of(arguments);
    if (given.contains("interrupt")) {
      Thread.currentThread().interrupt();
    }
    NativeFolder folder = NativeFolder.open("test", List.of(
        NativeLibrary.of("liba.so", "the first library".getBytes(StandardCharsets.UTF_8)),
        NativeLibrary.of("libb.so", "the second".getBytes(StandardCharsets.UTF_8))));
    System.out.println(folder.path() + "\n" + Thread.currentThread().isInterrupted());
    if (given.contains("wait")) {
      Thread.currentThread().join();
    }
    folder.close();
  }
}
