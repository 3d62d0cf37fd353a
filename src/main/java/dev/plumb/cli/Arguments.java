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

/** A command's options and operands, read as what they should be. Every complaint names the option. */
final class Arguments {
  /** A word of a list up to the next comma: in quotes, or without any at its start. */
  private static final Pattern WORD = Pattern.compile("\\s*(?:\"((?:[^\"]|\"\")*)\"\\s*|((?!\\s*\")[^,]*))(?=,|$)");

  private final CommandLine line;
  private final List<String> given;

  private Arguments(CommandLine line, List<String> given) {
    this.line = line;
    this.given = List.copyOf(given);
  }

  /** @throws InvalidInputException when an option is unknown, given twice, or lacks its value */
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

  /** As they were given, word by word. */
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

  /** The option's word, read by a parser whose complaint gets the option's name before it. */
  <T> T parsed(Option option, String otherwise, Function<String, T> parser) {
    String word = text(option).orElse(otherwise);
    return at(option, () -> parser.apply(word));
  }

  /** Runs what may refuse the value of an option, and puts the option's name before a complaint that does not have one. */
  <T> T at(Option option, Supplier<T> made) {
    try {
      return made.get();
    } catch (InvalidInputException e) {
      throw e.getMessage().startsWith("--") ? e : e.at("--" + option.getLongOpt());
    }
  }

  int integer(Option option, int otherwise, int least) {
    return (int) whole(option, otherwise, least, Integer.MAX_VALUE);
  }

  long whole(Option option, long otherwise, long least, long most) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      long value = Long.parseLong(text.get().strip());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Said below, as for a number out of range.
    }
    throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get() + ": must be an integer from " + least + " to "
        + most);
  }

  double number(Option option, double otherwise) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return Double.parseDouble(text.get());
    } catch (NumberFormatException e) {
      throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get() + ": must be a number", e);
    }
  }

  /** Whole numbers with commas between them. */
  List<Integer> integers(Option option, List<Integer> otherwise) {
    Optional<String> text = text(option);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return Arrays.stream(text.get().split(",", -1)).map(part -> Integer.valueOf(part.strip())).toList();
    } catch (NumberFormatException e) {
      throw new InvalidInputException("--" + option.getLongOpt() + " " + text.get()
          + ": must be integers of at most " + Integer.MAX_VALUE
          + ", separated by commas, such as 3,8,1", e);
    }
  }

  /** The words beside the options. */
  List<String> operands() {
    return line.getArgList();
  }

  /**
   * Words with commas between them, in double quotes where they have commas themselves, as in CSV. Empty when the option is not
   * there or blank.
   */
  List<String> words(Option option) {
    String text = text(option).orElse("");
    return text.isBlank() ? List.of() : at(option, () -> split(text));
  }

  private static List<String> split(String text) {
    Matcher word = WORD.matcher(text);
    List<String> words = new ArrayList<>();
    int at = 0;
    do {
      if (!word.find(at) || word.start() != at) {
        throw new InvalidInputException(text + ": a double quote is not closed before the next comma");
      }
      words.add(word.group(1) != null ? word.group(1).replace("\"\"", "\"") : word.group(2).strip());
      at = word.end() + 1;
    } while (word.end() < text.length());
    return words;
  }

  /** Exactly as many operands as there are names for them, as paths. */
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

  /** What stands beside the options; at most one word. */
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
