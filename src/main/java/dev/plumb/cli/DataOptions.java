package dev.plumb.cli;

import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TableReader;
import dev.plumb.data.TextFormat;
import dev.plumb.model.InvalidInputException;
import java.io.InputStream;
import java.nio.file.Path;

/** The options that say how a data file is read, and reading it. */
final class DataOptions {
  /** Stands for standard input or output. */
  static final Path STREAM = Path.of("-");

  private DataOptions() {}

  /** The form of a text file: what the options say, and otherwise what is known of it. */
  static TextFormat format(Arguments arguments, TextFormat known) {
    TextFormat format = known;
    if (arguments.has(Flags.HEADER)) {
      format = format.withHeader(arguments.parsed(Flags.HEADER, "", DataOptions::yes));
    }
    if (arguments.has(Flags.DELIMITER)) {
      char delimiter = arguments.parsed(Flags.DELIMITER, "", TextFormat::parseDelimiter);
      format = format.withDelimiter(delimiter);
    }
    return arguments.has(Flags.NA_VALUES) ? format.withNaValues(arguments.words(Flags.NA_VALUES)) : format;
  }

  /** How the columns of a trained model are read from a file. */
  static ReadOptions of(Arguments arguments, TableEncoding model) {
    ReadOptions options = model.readOptions(ReadOptions.DEFAULT.withFormat(format(arguments, TextFormat.DEFAULT)));
    return arguments.path(Flags.LABELS).map(options::withLabels).orElse(options);
  }

  /** Reads a file, or standard input where its name is a dash. */
  static Table read(Path file, ReadOptions options, InputStream in) {
    return file.equals(STREAM) ? TableReader.read(in, "standard input", options) : TableReader.read(file, options);
  }

  private static boolean yes(String word) {
    return switch (word) {
      case "yes" -> true;
      case "no" -> false;
      default -> throw new InvalidInputException("must be yes or no, not \"" + word + "\"");
    };
  }
}
