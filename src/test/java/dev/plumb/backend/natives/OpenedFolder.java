package dev.plumb.backend.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Opens a folder with two libraries and prints its path; with an argument it then waits, and closes it otherwise. */
final class OpenedFolder {
  private OpenedFolder() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    NativeFolder folder = NativeFolder.open("test", List.of(
        NativeLibrary.of("liba.so", "the first library".getBytes(StandardCharsets.UTF_8)),
        NativeLibrary.of("libb.so", "the second".getBytes(StandardCharsets.UTF_8))));
    System.out.println(folder.path());
    if (arguments.length > 0) {
      Thread.currentThread().join();
    }
    folder.close();
  }
}
