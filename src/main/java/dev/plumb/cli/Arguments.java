package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;

/** The options and operands of a command line, converted to their types. Every error message names the option. */
final class Arguments {
  /** An element of a comma-separated list: in double quotes, or without a quote at its start. */
  private static final Pattern WORD = Pattern.compile("\\s*(?:\"((?:[^\"]|\"\")*)\"\\s*|((?!\\s*\")[^,]*))(?=,|$)");

  private final CommandLine line;
  private final List<String> given;

  private Arguments(CommandLine line, List<String> given) {
    this.line = line;
    this.given = List.copyOf(given);
  }

  /**
   * Parses a command line.
   *
   * @throws InvalidInputException if an option is unknown, is given twice, or lacks its value
   */
  static Arguments parse(Options options, List<String> arguments) {
    DefaultParser parser = DefaultParser.builder()
        .setAllowPartialMatching(false)
        .setStripLeadingAndTrailingQuotes(false)
        .get();
    CommandLine line;
    try {
      line = parser.parse(options, arguments.toArray(String[]::new));
    } catch (UnrecognizedOptionException e) {
      String given = e.getOption().split("=", 2)[0];
      if (given.startsWith("--") && options.hasLongOption(given.substring(2))) {
        throw new InvalidInputException(given + " takes no value", e);
      }
      List<String> known = options.getOptions().stream().map(option -> "--" + option.getLongOpt()).sorted().toList();
      String nearest = Spelling.didYouMean(given, known);
      throw new InvalidInputException("unknown option " + given
          + (nearest.isEmpty() ? "; valid options: " + String.join(", ", known) : nearest), e);
    } catch (MissingArgumentException e) {
      throw needsValue(e.getOption());
    } catch (ParseException e) {
      throw new InvalidInputException(e.getMessage(), e);
    }
    for (Option option : line.getOptions()) {
      if (Arrays.stream(line.getOptions()).filter(option::equals).count() > 1) {
        throw new InvalidInputException("--" + option.getLongOpt() + " is given twice");
      }
      if (option.hasArg() && option.getValue().isBlank() && !Flags.MAY_BE_BLANK.contains(option)) {
        throw needsValue(option);
      }
    }
    return new Arguments(line, arguments);
  }

  private static InvalidInputException needsValue(Option option) {
    return new InvalidInputException("--" + option.getLongOpt() + " requires a value: " + option.getArgName());
  }

  /** Returns the command line as it was given. */
  List<String> given() {
    return given;
  }

  boolean has(Option option) {
    return line.hasOption(option);
  }

  Optional<String> text(Option option) {
    return Optional.ofNullable(line.getOptionValue(option));
  }

  /** Reads an option's path. */
  Optional<Path> path(Option option) {
    return text(option).map(word -> at(option, () -> LocaleEncoding.path(word)));
  }

  /** Reads the operand as a path. */
  Optional<Path> operandPath() {
    return operand().map(LocaleEncoding::path);
  }

  /** Parses an option's value; the error message starts with the option's name. */
  <T> T parsed(Option option, String defaultValue, Function<String, T> parser) {
    String word = text(option).orElse(defaultValue);
    return at(option, () -> parser.apply(word));
  }

  /** Returns what the supplier returns; its error message gets the option's name in front, unless it starts with an option. */
  <T> T at(Option option, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw e.getMessage().startsWith("--") ? e : e.at("--" + option.getLongOpt());
    }
  }

  /** Reads an integer from {@code min} to 2147483647. */
  int integer(Option option, int defaultValue, int min) {
    return (int) integer(option, defaultValue, min, Integer.MAX_VALUE);
  }

  /** Reads an integer from {@code min} to {@code max}. */
  long integer(Option option, long defaultValue, long min, long max) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return defaultValue;
    }
    try {
      long value = Long.parseLong(text.get().strip());
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      // The message is below, the same as for a number out of range.
    }
    throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get() + ": must be an integer from " + min + " to "
        + max);
  }

  double number(Option option, double defaultValue) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return defaultValue;
    }
    try {
      return Double.parseDouble(text.get());
    } catch (NumberFormatException e) {
      throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get() + ": must be a number", e);
    }
  }

  /** Reads integers separated by commas. */
  List<Integer> integers(Option option, List<Integer> defaultValue) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return defaultValue;
    }
    try {
      return Arrays.stream(text.get().split(",", -1)).map(part -> Integer.valueOf(part.strip())).toList();
    } catch (NumberFormatException e) {
      throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get()
          + ": must be integers of at most " + Integer.MAX_VALUE
          + ", separated by commas, such as 3,8,1", e);
    }
  }

  /** Returns the arguments that are not options. */
  List<String> operands() {
    return line.getArgList();
  }

  /**
   * Reads words separated by commas; a word that contains a comma is in double quotes, as in CSV. Empty if the option is missing
   * or blank.
   */
  List<String> words(Option option) {
    String text = text(option).orElse("");
    return text.isBlank() ? List.of() : at(option, () -> split(text));
  }

  private static List<String> split(String text) {
    Matcher word = WORD.matcher(text);
    List<String> words = new ArrayList<>();
    int start = 0;
    do {
      if (!word.find(start) || word.start() != start) {
        throw new InvalidInputException(text + ": a double quote is not closed before the next comma");
      }
      words.add(word.group(1) != null ? word.group(1).replace("\"\"", "\"") : word.group(2).strip());
      start = word.end() + 1;
    } while (word.end() < text.length());
    return words;
  }

  /** Reads all operands as paths; there must be exactly as many as names. */
  List<Path> operandPaths(String... names) {
    List<String> operands = line.getArgList();
    if (operands.size() > names.length) {
      throw new InvalidInputException("unexpected argument \"" + operands.get(names.length) + "\" after \""
          + operands.get(names.length - 1) + "\"");
    }
    if (operands.size() < names.length) {
      throw new InvalidInputException("missing argument " + names[operands.size()] + "; expected "
          + (names.length == 1 ? "a file name" : String.join(" ", names)));
    }
    if (operands.stream().anyMatch(String::isBlank)) {
      throw new InvalidInputException("empty argument where a file name is expected");
    }
    return operands.stream().map(LocaleEncoding::path).toList();
  }

  /** Returns the only operand, if any. */
  Optional<String> operand() {
    List<String> operands = line.getArgList();
    if (operands.size() > 1) {
      throw new InvalidInputException(
          "unexpected argument \"" + operands.get(1) + "\" after \"" + operands.get(0) + "\"");
    }
    if (operands.size() == 1 && operands.get(0).isBlank()) {
      throw new InvalidInputException("empty argument where a file name is expected");
    }
    return operands.stream().findFirst();
  }

  void requireNoOperand() {
    operand().ifPresent(operand -> {
      throw new InvalidInputException("unexpected argument \"" + operand + "\"; this command takes only options");
    });
  }
}
