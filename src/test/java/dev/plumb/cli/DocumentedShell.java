package dev.plumb.cli;

import dev.plumb.Backends;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs the commands of a page one after another in a process of its own, whose working directory is the page's folder. Device
 * {@code auto} is the CPU, so that figures do not depend on whether the machine has a GPU.
 */
final class DocumentedShell {
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

  private DocumentedShell() {}

  /** Runs commands in a folder, and returns one result per command. */
  static List<Plumbed> run(Path folder, List<String> commands) throws IOException, InterruptedException {
    Path input = Files.createTempFile("commands", ".txt");
    Path output = Files.createTempFile("results", ".bin");
    try {
      Files.write(input, commands);
      Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
          System.getProperty("java.class.path"), DocumentedShell.class.getName(), input.toString(), output.toString())
          .directory(folder.toFile()).inheritIO().start();
      if (process.waitFor() != 0) {
        throw new AssertionError("the process that runs the commands ended with " + process.exitValue());
      }
      List<Plumbed> results = new ArrayList<>();
      try (DataInputStream in = new DataInputStream(Files.newInputStream(output))) {
        for (int i = 0; i < commands.size(); i++) {
          results.add(new Plumbed(in.readInt(), in.readUTF(), in.readUTF()));
        }
      }
      return results;
    } finally {
      Files.delete(input);
      Files.delete(output);
    }
  }

  /** Reads commands from the first file, a line each, and writes their results to the second one. */
  public static void main(String[] args) throws IOException {
    try (DataOutputStream results = new DataOutputStream(Files.newOutputStream(Path.of(args[1])))) {
      int code = 0;
      for (String command : Files.readAllLines(Path.of(args[0]))) {
        Plumbed result = command.equals("echo $?") ? new Plumbed(0, code + "\n", "") : run(words(command));
        code = result.code();
        results.writeInt(result.code());
        results.writeUTF(result.out());
        results.writeUTF(result.err());
      }
    }
  }

  private static List<String> words(String command) {
    return WORD.matcher(command).results()
        .map(match -> match.group(1) != null ? match.group(1) : match.group(2) != null ? match.group(2) : match.group(3)).toList();
  }

  private static Plumbed run(List<String> words) throws IOException {
    int redirection = words.indexOf(">");
    if (redirection >= 0) {
      Plumbed result = run(words.subList(0, redirection));
      Files.writeString(Path.of(words.get(redirection + 1)), result.out());
      return new Plumbed(result.code(), "", result.err());
    }
    String[] arguments = words.subList(1, words.size()).toArray(new String[0]);
    return switch (words.get(0)) {
      case "plumb", "scripts/plumb" -> plumb(arguments);
      case "cat" -> new Plumbed(0, Files.readString(Path.of(arguments[0])), "");
      case "head" -> new Plumbed(0, head(Path.of(arguments[2]), Integer.parseInt(arguments[1])), "");
      case "ls" -> new Plumbed(0, list(Path.of(arguments[0])), "");
      default -> throw new IllegalArgumentException("a page's console block shows \"" + words.get(0)
          + "\"; it may show plumb, cat, head -n, ls and echo $?");
    };
  }

  private static Plumbed plumb(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Main.run((device, usage) -> Backends.open(device.equals("auto") ? "cpu" : device, usage), arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Plumbed(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static String head(Path file, int lines) throws IOException {
    try (Stream<String> all = Files.lines(file)) {
      return all.limit(lines).map(line -> line + "\n").collect(Collectors.joining());
    }
  }

  private static String list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName() + "\n").filter(name -> !name.startsWith(".")).sorted()
          .collect(Collectors.joining());
    }
  }
}
