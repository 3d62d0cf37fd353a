package dev.plumb.cli;

import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TableReader;
import dev.plumb.data.TextFormat;
import dev.plumb.model.InvalidInputException;
import java.io.InputStream;
import java.nio.file.Path;

/** The options for reading a data file. */
final class DataOptions {
  /** The name of standard input or output. */
  static final Path STREAM = Path.of("-");

  private DataOptions() {}

  /** Returns the format of a text file: the default format, changed by the options that are given. */
  static TextFormat format(Arguments arguments, TextFormat defaultFormat) {
    TextFormat format = defaultFormat;
    if (arguments.has(Flags.HEADER)) {
      format = format.withHeader(arguments.parsed(Flags.HEADER, "", DataOptions::parseYesNo));
    }
    if (arguments.has(Flags.DELIMITER)) {
      char delimiter = arguments.parsed(Flags.DELIMITER, "", TextFormat::parseDelimiter);
      format = format.withDelimiter(delimiter);
    }
    return arguments.has(Flags.NA_VALUES) ? format.withNaValues(arguments.words(Flags.NA_VALUES)) : format;
  }

  /** Returns the options for reading the columns of a trained model. */
  static ReadOptions of(Arguments arguments, TableEncoding model) {
    ReadOptions options = model.readOptions(ReadOptions.DEFAULT.withFormat(format(arguments, TextFormat.DEFAULT)));
    return arguments.path(Flags.LABELS).map(options::withLabels).orElse(options);
  }

  /** Reads a file, or standard input if the name is a dash. */
  static Table read(Path file, ReadOptions options, InputStream in) {
    return file.equals(STREAM) ? TableReader.read(in, "standard input", options) : TableReader.read(file, options);
  }

  private static boolean parseYesNo(String word) {
    return switch (word) {
      case "yes" -> true;
      case "no" -> false;
      default -> throw new InvalidInputException("must be yes or no, not \"" + word + "\"");
    };
  }
}
