package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The lock of a run folder, requested by threads of one process and by several processes. */
class RunLockTest {
  private static final int PROCESSES = 3;
  private static final int THREADS = 2;

  @TempDir Path folder;

  /** Takes and releases the lock of a folder in several threads for some milliseconds; prints how often it was taken. */
  static final class Contender {
    public static void main(String[] args) throws Exception {
      Path contested = Path.of(args[0]);
      long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000;
      ExecutorService pool = Executors.newFixedThreadPool(THREADS);
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        counts.add(pool.submit(() -> contend(contested, end)));
      }
      pool.shutdown();
      int taken = 0;
      for (Future<Integer> count : counts) {
        taken += count.get();
      }
      System.out.println(taken);
    }

    /** Fails if another thread or process has the lock at the same time. */
    private static int contend(Path contested, long end) throws IOException {
      Path inside = contested.resolve("inside");
      int taken = 0;
      while (System.nanoTime() < end) {
        RunLock lock;
        try {
          lock = RunLock.take(contested);
        } catch (InvalidInputException e) {
          continue;
        }
        try {
          Files.createFile(inside);
          Files.delete(inside);
          taken++;
        } catch (FileAlreadyExistsException e) {
          throw new IllegalStateException("two hold the lock", e);
        } finally {
          lock.close();
        }
      }
      return taken;
    }
  }

  @Test
  void onlyOneHoldsTheLockAtATime() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < PROCESSES; i++) {
      processes.add(start(Contender.class, folder.toString(), "2000"));
    }
    int taken = 0;
    for (Process process : processes) {
      String out = new String(process.getInputStream().readAllBytes()).strip();
      assertEquals(0, process.waitFor(), out);
      taken += Integer.parseInt(out);
    }
    assertTrue(taken > 100, "taken " + taken + " times");
  }

  /** Takes the lock of a folder once; prints whether it was free. */
  static final class Asker {
    public static void main(String[] args) {
      try {
        RunLock.take(Path.of(args[0])).close();
        System.out.print("free");
      } catch (InvalidInputException e) {
        System.out.print("held");
      }
    }
  }

  /** POSIX releases a lock as soon as its process closes the file, through any channel. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void secondAttemptOfThisProcessLeavesTheLockInPlace() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Files.createDirectory(folder.resolve("run")));
    Path run = folder.resolve("run");
    RunLock lock = RunLock.take(run);
    try {
      for (Path name : List.of(run, link, run.resolve("../run/."), Path.of("").toAbsolutePath().relativize(run))) {
        String message = assertThrows(InvalidInputException.class, () -> RunLock.take(name)).getMessage();
        assertEquals(name + ": another process is training in it; wait for its end, or begin a new run", message);
        assertEquals("held", ask(run), "after an attempt by the name " + name);
      }
    } finally {
      lock.close();
    }
    assertEquals("free", ask(run));
  }

  @Test
  void lockOfOtherCodeInThisProcessIsLeftInPlace() throws Exception {
    try (FileChannel channel = FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertTrue(lock.isValid());
      assertThrows(InvalidInputException.class, () -> RunLock.take(folder));
      assertEquals("held", ask(folder));
    }
  }

  @Test
  void interruptedThreadTakesAndReleasesTheLock() throws Exception {
    Thread.currentThread().interrupt();
    RunLock lock = RunLock.take(folder);
    try {
      assertThrows(InvalidInputException.class, () -> RunLock.take(folder));
      assertTrue(Thread.interrupted(), "the status is kept");
      assertEquals("held", ask(folder));
      Thread.currentThread().interrupt();
    } finally {
      lock.close();
    }
    assertTrue(Thread.interrupted(), "the status is kept");
    assertEquals("free", ask(folder));
  }

  @Test
  void secondCloseDoesNotReleaseTheNextLock() throws Exception {
    RunLock first = RunLock.take(folder);
    first.close();
    RunLock second = RunLock.take(folder);
    try {
      first.close();
      assertThrows(InvalidInputException.class, () -> RunLock.take(folder));
      assertEquals("held", ask(folder));
    } finally {
      second.close();
    }
  }

  @Test
  void lockOfAProcessThatWasKilledIsFree() throws Exception {
    Process process = start(Contender.class, folder.toString(), "60000");
    for (int tries = 0; !Files.exists(folder.resolve(".lock")); tries++) {
      assertTrue(tries < 6000, "it did not come within a minute");
      Thread.sleep(10);
    }
    process.destroyForcibly().waitFor();
    assertEquals("free", ask(folder));
  }

  @Test
  void folderInPlaceOfTheLockIsRefused() throws IOException {
    Files.createDirectory(folder.resolve(".lock"));
    assertEquals("cannot write " + folder.resolve(".lock") + ": it is not a regular file",
        assertThrows(InvalidInputException.class, () -> RunLock.take(folder)).getMessage());
  }

  private static String ask(Path run) throws Exception {
    Process process = start(Asker.class, run.toString());
    String out = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), out);
    return out;
  }

  private static Process start(Class<?> main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }
}
