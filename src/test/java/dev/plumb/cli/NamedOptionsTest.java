package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.junit.jupiter.api.Test;

/** Every option, variable and property named in a message, a help page, README.md or the site exists. */
class NamedOptionsTest {
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--([a-z][a-z-]*)");
  private static final Pattern COMMAND = Pattern.compile("plumb ([a-z]+)((?: [^\\n;:,`#)]*)?)");
  private static final Pattern VARIABLE = Pattern.compile("PLUMB_[A-Z_]+");
  private static final Pattern PROPERTY = Pattern.compile("-D(plumb\\.[a-z.]+)");

  /** Words that look like options of Plumb and are not. */
  private static final Map<String, String> OTHERS = Map.ofEntries(
      Map.entry("gpus", "an option of docker run"),
      Map.entry("add-modules", "an option of java"),
      Map.entry("enable-native-access", "an option of java"),
      Map.entry("share", "a variable of CSS in reports"),
      Map.entry("class", "an option of spark-submit"),
      Map.entry("conf", "an option of spark-submit"),
      Map.entry("driver-java-options", "an option of spark-submit"),
      Map.entry("executor-memory", "an option of spark-submit"),
      Map.entry("jars", "an option of spark-submit"),
      Map.entry("master", "an option of spark-submit"),
      Map.entry("num-executors", "an option of spark-submit"));

  private static final Map<String, Options> COMMANDS = commands().stream()
      .collect(Collectors.toMap(Command::name, Command::options));

  private static List<Command> commands() {
    DeviceChoice devices = new DeviceChoice(Backends::open);
    return List.of(new TrainCommand(devices), new EvaluateCommand(devices), new PredictCommand(devices),
        new ScoreCommand(devices), new ImportanceCommand(devices), new CvCommand(devices), new TuneCommand(devices), new RunsCommand(),
        new CompareCommand(), new ExportCommand(), new StudyCommand(devices), new CheckCommand(devices), new BenchCommand(devices), new DevicesCommand());
  }

  @Test
  void everyNamedOptionExists() throws Exception {
    Set<String> known = new TreeSet<>(OTHERS.keySet());
    for (Field field : Flags.class.getDeclaredFields()) {
      if (field.getType() == Option.class) {
        known.add(((Option) field.get(null)).getLongOpt());
      }
    }
    Map<String, List<String>> named = named(OPTION, match -> match.group(1));
    assertTrue(named.keySet().containsAll(Set.of("missing", "resume", "gpus", "categorical")), named.keySet().toString());
    named.keySet().removeAll(known);
    assertEquals(Map.of(), named);
  }

  /** Checks command lines in texts, such as {@code plumb train --resume RUN}. */
  @Test
  void everyShownCommandHasItsOptions() throws IOException {
    Map<String, List<String>> shown = named(COMMAND, MatchResult::group);
    int options = 0;
    for (Map.Entry<String, List<String>> line : shown.entrySet()) {
      MatchResult command = COMMAND.matcher(line.getKey()).results().findFirst().orElseThrow();
      if (COMMANDS.containsKey(command.group(1))) {
        for (MatchResult option : OPTION.matcher(command.group(2)).results().toList()) {
          assertTrue(COMMANDS.get(command.group(1)).hasLongOption(option.group(1)), line.toString());
          options++;
        }
      }
    }
    assertTrue(options > 10, "only " + options + " options were looked at");
  }

  @Test
  void everyNamedVariableIsOneOfTheLauncher() throws IOException {
    String launcher = Files.readString(Path.of("scripts/plumb"));
    Map<String, List<String>> named = named(VARIABLE, MatchResult::group);
    assertTrue(named.containsKey("PLUMB_JAVA_OPTS"));
    named.keySet().removeIf(launcher::contains);
    assertEquals(Map.of(), named);
  }

  @Test
  void everyNamedPropertyIsRead() throws IOException {
    Set<String> literals = new TreeSet<>();
    for (Path source : sources()) {
      literals.addAll(literals(Files.readString(source)));
    }
    Map<String, List<String>> named = named(PROPERTY, match -> match.group(1));
    assertTrue(named.containsKey("plumb.cpu.products"));
    String build = Files.readString(Path.of("pom.xml"));
    named.keySet().removeIf(name -> literals.contains(name) || build.contains("<name>" + name + "</name>"));
    assertEquals(Map.of(), named);
  }

  @Test
  void literalsAreFound() {
    assertEquals(List.of("a\\\"b", "c // d", "\n  --e \"f\"\n  ", "g"), literals("""
        x = "a\\"b" + "c // d"; // "no"
        /* "no" */ y = '"' + \"""
          --e "f"
          \"""; z = '\\'' + "g";
        """));
  }

  /** Returns the matches of a pattern in the messages, README.md and the site, with their files. */
  private static Map<String, List<String>> named(Pattern pattern, Function<MatchResult, String> name) throws IOException {
    Map<String, List<String>> found = new TreeMap<>();
    for (Path source : sources()) {
      for (String literal : literals(Files.readString(source))) {
        add(found, pattern, name, literal, source);
      }
    }
    for (DocumentedPage page : DocumentedPage.all()) {
      add(found, pattern, name, String.join("\n", page.lines()), page.path());
    }
    return found;
  }

  private static void add(Map<String, List<String>> found, Pattern pattern, Function<MatchResult, String> name, String text,
      Path place) {
    pattern.matcher(text).results().forEach(
        match -> found.computeIfAbsent(name.apply(match), key -> new ArrayList<>()).add(place.toString()));
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
  }

  /** The texts in quotes, as they are in the source; not those in comments. */
  private static List<String> literals(String source) {
    List<String> literals = new ArrayList<>();
    for (int i = 0; i < source.length(); i++) {
      if (source.startsWith("//", i)) {
        i = source.indexOf('\n', i);
      } else if (source.startsWith("/*", i)) {
        i = source.indexOf("*/", i) + 1;
      } else if (source.charAt(i) == '"' || source.charAt(i) == '\'') {
        String quote = source.startsWith("\"\"\"", i) ? "\"\"\"" : source.substring(i, i + 1);
        int end = i + quote.length();
        while (!source.startsWith(quote, end)) {
          end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (!quote.equals("'")) {
          literals.add(source.substring(i + quote.length(), end));
        }
        i = end + quote.length() - 1;
      }
    }
    return literals;
  }
}
