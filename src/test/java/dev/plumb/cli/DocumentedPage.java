package dev.plumb.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A page of Markdown and its fenced blocks.
 *
 * @param path from the root of the repository
 */
record DocumentedPage(Path path, List<String> lines, List<Block> blocks) {
  static final Path README = Path.of("README.md");
  static final Path SITE = Path.of("src/site/markdown");

  /**
   * A fenced block.
   *
   * @param line number of the line with the opening fence, from 1
   * @param language first word after the fence; empty if there is none
   * @param name second word, of a block that is an input file of the page's commands; empty if there is none
   */
  record Block(int line, String language, String name, List<String> lines) {
    String text() {
      return String.join("\n", lines) + "\n";
    }
  }

  /**
   * A command of a console block.
   *
   * @param line number of its line, from 1
   * @param output expected lines
   */
  record Command(int line, String text, List<String> output) {}

  @Override
  public String toString() {
    return path.toString();
  }

  /** Returns README.md and all pages of the site. */
  static List<DocumentedPage> all() throws IOException {
    List<DocumentedPage> pages = new ArrayList<>(List.of(read(README)));
    try (Stream<Path> files = Files.list(SITE)) {
      for (Path file : files.sorted().toList()) {
        pages.add(read(file));
      }
    }
    return pages;
  }

  static DocumentedPage read(Path path) throws IOException {
    return parse(path, Files.readAllLines(path));
  }

  static DocumentedPage parse(Path path, List<String> lines) {
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.startsWith("```")) {
        int end = i + 1;
        while (end < lines.size() && !lines.get(end).equals("```")) {
          end++;
        }
        if (end == lines.size()) {
          throw new AssertionError(path + ": line " + (i + 1) + ": the block has no end");
        }
        String[] words = line.substring(3).strip().split(" +", 2);
        blocks.add(new Block(i + 1, words[0], words.length > 1 ? words[1] : "", List.copyOf(lines.subList(i + 1, end))));
        i = end;
      } else if (line.stripLeading().startsWith("```") || line.startsWith("    ")) {
        throw new AssertionError(path + ": line " + (i + 1) + ": code belongs into a block that starts with ``` in the first column");
      }
    }
    return new DocumentedPage(path, List.copyOf(lines), blocks);
  }

  /** Returns the blocks of a language. */
  List<Block> blocks(String language) {
    return blocks.stream().filter(block -> block.language().equals(language)).toList();
  }

  /** Returns the commands of the console blocks, in order. */
  List<Command> commands() {
    List<Command> commands = new ArrayList<>();
    for (Block block : blocks("console")) {
      List<String> output = null;
      for (int i = 0; i < block.lines().size(); i++) {
        String line = block.lines().get(i);
        if (line.startsWith("$ ")) {
          output = new ArrayList<>();
          commands.add(new Command(block.line() + 1 + i, line.substring(2), output));
        } else if (output == null) {
          throw new AssertionError(path + ": line " + (block.line() + 1) + ": a console block starts with \"$ \" and a command");
        } else if (i < block.lines().size() - 1 || !line.isBlank()) {
          output.add(line);
        }
      }
    }
    return commands;
  }
}
