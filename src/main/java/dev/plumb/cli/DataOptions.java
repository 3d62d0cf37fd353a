package dev.plumb.cli;

import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.InvalidInputException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.apache.commons.cli.Option;

/** The options that say how a data file is read, and reading it. */
final class DataOptions {
  /** Stands for standard input or output. */
  static final Path STREAM = Path.of("-");

  static final Option[] FLAGS = {Flags.HEADER, Flags.DELIMITER, Flags.LABELS};

  private DataOptions() {}

  /** @param words columns that are read as words whatever they hold */
  static ReadOptions of(Arguments arguments, Set<String> words) {
    ReadOptions options = ReadOptions.DEFAULT;
    if (arguments.has(Flags.HEADER)) {
      options = options.withHeader(arguments.parsed(Flags.HEADER, "", DataOptions::yes));
    }
    if (arguments.has(Flags.DELIMITER)) {
      options = options.withDelimiter(arguments.parsed(Flags.DELIMITER, "", DataOptions::delimiter));
    }
    if (arguments.has(Flags.LABELS)) {
      options = options.withLabels(arguments.path(Flags.LABELS).orElseThrow());
    }
    Set<String> all = new HashSet<>(words);
    all.addAll(arguments.words(Flags.CATEGORICAL));
    return options.withWords(all);
  }

  /** Reads a file, or standard input where its name is a dash. */
  static Table read(Path file, ReadOptions options, InputStream in) {
    return file.equals(STREAM) ? TableReader.read(in, "standard input", options) : TableReader.read(file, options);
  }

  private static boolean yes(String word) {
    return switch (word) {
      case "yes" -> true;
      case "no" -> false;
      default -> throw new InvalidInputException("\"" + word + "\" is neither yes nor no");
    };
  }

  private static char delimiter(String word) {
    if (word.equals("tab") || word.equals("\\t")) {
      return '\t';
    }
    if (word.length() != 1 || word.equals("\"") || Character.isLetterOrDigit(word.charAt(0))) {
      throw new InvalidInputException("\"" + word + "\" cannot be it; one character is needed, like ; or |, or tab");
    }
    return word.charAt(0);
  }
}
