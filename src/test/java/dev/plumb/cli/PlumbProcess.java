package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A command in a process of its own, which a test can kill or send a signal. */
final class PlumbProcess {
  private static final int MAX_WAITS = 12_000;

  private PlumbProcess() {}

  /** Starts a command with some options of the JVM; its output goes to the files out and err in the folder. */
  static Process start(Path folder, List<String> jvmOptions, List<String> arguments) throws IOException {
    return start(folder, Map.of(), jvmOptions, arguments);
  }

  /** Starts a command likewise, with some variables of the environment. */
  static Process start(Path folder, Map<String, String> variables, List<String> jvmOptions, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    // As scripts/plumb does; newer Javas warn otherwise.
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
        .redirectOutput(folder.resolve("out").toFile()).redirectError(folder.resolve("err").toFile());
    builder.environment().putAll(variables);
    return builder.start();
  }

  /** Starts a process with the Vector API if this process has it, so that this process can resume what it has begun. */
  static Process startWithSameNumerics(Path folder, List<String> arguments) throws IOException {
    boolean hasVectorApi = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return start(folder, hasVectorApi ? List.of("--add-modules", "jdk.incubator.vector") : List.of(), arguments);
  }

  /** Sends a signal, such as INT. */
  static void signal(Process process, String name) throws IOException, InterruptedException {
    assertEquals(0, new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor());
  }

  /** Waits until a condition holds, for two minutes at most. */
  static void await(Condition condition) throws IOException, InterruptedException {
    for (int waits = 0; !condition.holds(); waits++) {
      assertTrue(waits < MAX_WAITS, "the condition did not hold within two minutes");
      Thread.sleep(10);
    }
  }

  /** A condition that may read files. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException;
  }
}
