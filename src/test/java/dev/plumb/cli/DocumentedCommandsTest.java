package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every block of README.md and of the site. Blocks of these languages may be shown:
 *
 * <ul>
 *   <li>{@code console}: {@code $ } and a command, then what it prints on stdout, and on stderr if it fails. The commands of a page
 *       run one after another in a folder that contains tables from {@link #TABLES}, the first rows of
 *       iris.csv as {@code new.csv}, and the page's own files. In expected output
 *       {@code ...} is any text of a line, and a line {@code ...} any number of lines. A command that fails is followed by
 *       {@code $ echo $?}.
 *   <li>{@code json FILE} and {@code csv FILE}: an input file that a later command names
 *   <li>{@code sh}: commands that are covered by {@link #ELSEWHERE}
 *   <li>{@code java}: an excerpt of an example that is compiled and run as a test
 *   <li>{@code xml}: Maven dependencies, whose coordinates are in pom.xml
 * </ul>
 *
 * <p>When output differs, {@code target/documents} has the page with what was printed.
 */
class DocumentedCommandsTest {
  private static final Set<String> LANGUAGES = Set.of("console", "python", "json", "csv", "sh", "java", "xml");

  private static final Path TABLES = Path.of("src/test/resources/tables");
  private static final Path EXAMPLES = Path.of("src/test/java/dev/plumb/examples");
  /** Run by ScoreOnSparkIT. */
  private static final Path SPARK_EXAMPLE = Path.of("src/spark/test/dev/plumb/spark/PipelineExample.java");
  /** Runs the examples in Python. */
  private static final Path PYTHON = Path.of("scripts/check-exports.py");

  /**
   * A file that runs a command, or tells why no test does.
   *
   * @param text an excerpt of the file
   */
  private record Coverage(String file, String text) {}

  private static final Coverage LAUNCHER = new Coverage("src/test/java/dev/plumb/cli/LauncherIT.java", "LAUNCHER.toString(), ");
  private static final Coverage BENCH = 
      new Coverage("src/test/java/dev/plumb/cli/BenchCommandTest.java", "bench(\"--quick\", \"--threads\", \"3\", \"--device\", \"cpu\", \"--json\"");
  private static final Coverage SPARK =
      new Coverage("src/test/java/dev/plumb/spark/SparkIT.java", "\"study\", \"--on\", \"local-cluster[2,1,1024]\"");
  private static final Coverage SCORE = new Coverage("src/test/java/dev/plumb/spark/ScoreOnSparkIT.java", "\"plumb score ");
  private static final Coverage PROFILE = new Coverage("pom.xml", "<id>jmh</id>");

  /** Commands that are not run here: they build, install or take minutes. */
  private static final Map<String, Coverage> ELSEWHERE = Map.ofEntries(
      Map.entry("apt-get install openjdk-17-jdk-headless maven", new Coverage(".ci/run", "openjdk-17-jdk-headless maven g++ chromium")),
      Map.entry("apt-get install g++ chromium", new Coverage(".ci/run", "openjdk-17-jdk-headless maven g++ chromium")),
      Map.entry("mvn verify", new Coverage(".ci/run", "mvn -B -ntp verify")),
      Map.entry("scripts/plumb --version", LAUNCHER),
      Map.entry("scripts/plumb bench", BENCH),
      Map.entry("scripts/plumb bench W2 W3 --device cpu", BENCH),
      Map.entry("scripts/plumb bench --json bench.json", BENCH),
      Map.entry("scripts/plumb bench --quick", BENCH),
      Map.entry("scripts/plumb study --on \"local-cluster[2,1,1024]\"", SPARK),
      Map.entry("scripts/plumb tune iris.csv --trials 200 --on spark://head:7077", SPARK),
      Map.entry("scripts/plumb score runs/iris-1 irises.parquet scored --on \"local-cluster[2,1,1024]\"", SCORE),
      Map.entry("scripts/plumb score runs/iris-1 hdfs://namenode/irises hdfs://namenode/scored --on yarn", SCORE),
      Map.entry("PLUMB_SPARK_OPTS=\"--conf spark.executor.resource.gpu.amount=1 --conf spark.task.resource.gpu.amount=1\" scripts/plumb"
          + " study depth --on yarn", SPARK),
      Map.entry("spark-submit --master yarn --class dev.plumb.spark.SparkMain target/plumb-spark.jar tune iris.csv --trials 200 --on yarn",
          SPARK),
      Map.entry("mvn -Pjmh -q test-compile exec:exec", PROFILE),
      Map.entry("mvn -Pjmh -q test-compile exec:exec -Djmh.options=\"-f 1 RowKernels\"", PROFILE));

  @TempDir Path folder;

  static List<DocumentedPage> pages() throws IOException {
    return DocumentedPage.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pages")
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "paths are shown with /")
  void commandsPrintWhatThePageShows(DocumentedPage page) throws Exception {
    writeInputs(page);
    List<DocumentedPage.Command> commands = page.commands();
    if (commands.isEmpty()) {
      return;
    }
    List<Plumbed> results = DocumentedShell.run(folder, commands.stream().map(DocumentedPage.Command::text).toList());
    List<String> failures = new ArrayList<>();
    for (int i = 0; i < commands.size(); i++) {
      DocumentedPage.Command command = commands.get(i);
      Plumbed result = results.get(i);
      String place = page.path() + ": line " + command.line() + ": $ " + command.text() + "\n";
      boolean codeShown = i + 1 < commands.size() && commands.get(i + 1).text().equals("echo $?");
      if (result.code() != 0 && !codeShown) {
        failures.add(place + "exit code " + result.code() + ", which no \"$ echo $?\" shows:\n" + result.err());
      }
      mismatch(command, printed(result)).ifPresent(difference -> failures.add(place + difference));
    }
    if (!failures.isEmpty()) {
      Path corrected = Path.of("target/documents").resolve(page.path().getFileName());
      Files.createDirectories(corrected.getParent());
      Files.write(corrected, corrected(page, results));
      failures.add(corrected + " has the page with what was printed");
    }
    assertEquals("", String.join("\n", failures));
  }

  /** Writes the tables and the files that the page shows. */
  private void writeInputs(DocumentedPage page) throws IOException {
    for (String table : List.of("iris.csv", "wine.csv", "diabetes.csv", "breast_cancer.csv")) {
      Files.copy(TABLES.resolve(table), folder.resolve(table));
    }
    Files.write(folder.resolve("new.csv"), Files.readAllLines(TABLES.resolve("iris.csv")).subList(0, 4));
    for (DocumentedPage.Block block : page.blocks()) {
      if (!block.name().isEmpty()) {
        Files.writeString(folder.resolve(block.name()), block.text());
      }
    }
  }

  private static List<String> printed(Plumbed result) {
    return (result.code() == 0 ? result.out() : result.out() + result.err()).lines().map(String::stripTrailing).toList();
  }

  /** Returns how the output differs from the command's, with the first line that does not fit. */
  private static Optional<String> mismatch(DocumentedPage.Command command, List<String> printed) {
    List<String> expected = command.output();
    String text = printed.stream().map(line -> line + "\n").collect(Collectors.joining());
    if (Pattern.matches(pattern(expected), text)) {
      return Optional.empty();
    }
    int fitting = expected.size();
    while (!Pattern.compile(pattern(expected.subList(0, fitting))).matcher(text).lookingAt()) {
      fitting--;
    }
    String line = fitting < expected.size()
        ? "line " + (command.line() + 1 + fitting) + ", expected: " + expected.get(fitting) : "expected no more lines";
    return Optional.of(line + "\nprinted:\n" + text);
  }

  private static String pattern(List<String> lines) {
    return lines.stream().map(line -> line.equals("...") ? "(?:.*\n)*?" : linePattern(line) + "\n").collect(Collectors.joining());
  }

  private static String linePattern(String line) {
    return Pattern.compile("\\.\\.\\.").splitAsStream(line.stripTrailing() + "\0")
        .map(part -> Pattern.quote(part.replace("\0", ""))).collect(Collectors.joining(".*?"));
  }

  /** Returns the page's lines with what was printed where output differs. Expected lines that fit a printed one stay. */
  private static List<String> corrected(DocumentedPage page, List<Plumbed> results) {
    List<String> lines = new ArrayList<>(page.lines());
    List<DocumentedPage.Command> commands = page.commands();
    for (int i = commands.size() - 1; i >= 0; i--) {
      DocumentedPage.Command command = commands.get(i);
      List<String> printed = printed(results.get(i));
      if (mismatch(command, printed).isPresent()) {
        List<String> output = lines.subList(command.line(), command.line() + command.output().size());
        output.clear();
        output.addAll(corrected(command.output(), printed));
      }
    }
    return lines;
  }

  private static List<String> corrected(List<String> expected, List<String> printed) {
    List<String> corrected = new ArrayList<>();
    int line = 0;
    for (int i = 0; i < expected.size() && line < printed.size(); i++) {
      if (expected.get(i).equals("...")) {
        int next = line;
        while (next < printed.size() && (i + 1 == expected.size() || !printed.get(next).matches(linePattern(expected.get(i + 1))))) {
          next++;
        }
        if (next < printed.size() || i + 1 == expected.size()) {
          corrected.add("...");
          line = next;
        }
      } else {
        corrected.add(printed.get(line).matches(linePattern(expected.get(i))) ? expected.get(i) : printed.get(line));
        line++;
      }
    }
    corrected.addAll(printed.subList(line, printed.size()));
    return corrected;
  }

  @Test
  void dotsStandForTextOfALineAndForLines() {
    List<String> shown = List.of("run: runs/...", "...", "loss 0.5");
    assertTrue("run: runs/iris-1\na\nb\nloss 0.5\n".matches(pattern(shown)));
    assertTrue("run: runs/iris-1\nloss 0.5\n".matches(pattern(shown)));
    assertFalse("run: runs/iris-1\nloss 0.55\n".matches(pattern(shown)));
    assertFalse("run: iris-1\nloss 0.5\n".matches(pattern(shown)));
    assertTrue("a ... (b)\n".matches(pattern(List.of("a ..."))));
    DocumentedPage.Command command = new DocumentedPage.Command(7, "plumb", List.of("a", "b"));
    assertEquals("line 9, expected: b\nprinted:\na\nc\n", mismatch(command, List.of("a", "c")).orElseThrow());
    assertEquals("expected no more lines\nprinted:\na\nb\nc\n", mismatch(command, List.of("a", "b", "c")).orElseThrow());
    assertTrue(mismatch(command, List.of("a", "b")).isEmpty());
  }

  @Test
  void correctedPageHasWhatWasPrinted() {
    List<String> lines = List.of("# Page", "", "```console", "$ plumb x", "run: ...", "old", "", "$ plumb y", "same", "```", "end");
    DocumentedPage page = DocumentedPage.parse(Path.of("x.md"), lines);
    assertEquals(List.of("# Page", "", "```console", "$ plumb x", "run: ...", "new", "$ plumb y", "same", "```", "end"),
        corrected(page, List.of(new Plumbed(0, "run: 1\nnew\n", ""), new Plumbed(0, "same\n", ""))));
    assertEquals(List.of("new head", "...", "end"), corrected(List.of("head", "...", "end"), List.of("new head", "1", "2", "end")));
    assertEquals(List.of("new head", "..."), corrected(List.of("head", "..."), List.of("new head", "1", "2")));
    assertEquals(List.of("1", "2"), corrected(List.of("...", "end"), List.of("1", "2")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pages")
  void everyBlockIsOfATestedKind(DocumentedPage page) throws IOException {
    String commands = page.commands().stream().map(DocumentedPage.Command::text).collect(Collectors.joining("\n"));
    for (DocumentedPage.Block block : page.blocks()) {
      String place = page.path() + ": line " + block.line() + ": ";
      assertTrue(LANGUAGES.contains(block.language()), place + "blocks are of " + LANGUAGES + ", not \"" + block.language() + "\"");
      switch (block.language()) {
        case "json", "csv" -> assertTrue(!block.name().isEmpty() && commands.contains(" " + block.name()),
            place + "a block of a file has its name after the language, and a command reads it");
        case "sh" -> {
          for (String line : block.lines()) {
            String command = line.replaceFirst(" +# .*", "");
            Coverage coverage = ELSEWHERE.get(command);
            assertTrue(coverage != null, place + "no test covers: " + command);
            assertTrue(Files.readString(Path.of(coverage.file())).contains(coverage.text()),
                place + coverage.file() + " does not cover: " + command);
          }
        }
        case "java" -> assertTrue(examples().contains(unindented(block.text())),
            place + "no example in " + EXAMPLES + " contains this");
        case "python" -> assertTrue(unindented(Files.readString(PYTHON)).contains(unindented(block.text())),
            place + PYTHON + " does not contain this");
        case "xml" -> assertAreInThePom(place, block.text());
        default -> { }
      }
    }
  }

  /** Returns the sources of all examples, without indentation. */
  private static String examples() throws IOException {
    StringBuilder sources = new StringBuilder(Files.readString(SPARK_EXAMPLE));
    try (var files = Files.list(EXAMPLES)) {
      for (Path file : files.sorted(Comparator.naturalOrder()).toList()) {
        sources.append(Files.readString(file));
      }
    }
    return unindented(sources.toString());
  }

  private static String unindented(String text) {
    return text.replaceAll("(?m)^ +", "");
  }

  private static void assertAreInThePom(String place, String xml) throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    for (MatchResult property : Pattern.compile("<([a-z]+\\.version)>(.*?)</").matcher(pom).results().toList()) {
      pom = pom.replace("${" + property.group(1) + "}", property.group(2));
    }
    List<String> coordinates = Pattern.compile("<groupId>.*?</version>", Pattern.DOTALL).matcher(xml).results()
        .map(match -> match.group().replaceAll("\\s", "")).toList();
    assertFalse(coordinates.isEmpty(), place + "no dependency is shown");
    for (String dependency : coordinates) {
      assertTrue(pom.replaceAll("\\s", "").contains(dependency), place + "pom.xml does not contain " + dependency);
    }
  }

  @Test
  void everyCommandCoveredElsewhereIsShown() throws IOException {
    Set<String> shown = pages().stream().flatMap(page -> page.blocks("sh").stream()).flatMap(block -> block.lines().stream())
        .map(line -> line.replaceFirst(" +# .*", "")).collect(Collectors.toSet());
    assertEquals(ELSEWHERE.keySet(), shown);
  }

  // Links

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(#[^)]*)?\\)");

  @ParameterizedTest(name = "{0}")
  @MethodSource("pages")
  void linksLeadToFiles(DocumentedPage page) {
    Path folder = page.path().toAbsolutePath().getParent();
    LINK.matcher(String.join("\n", page.lines())).results().map(match -> match.group(1)).filter(link -> !link.startsWith("http"))
        .forEach(link -> assertTrue(Files.exists(folder.resolve(link))
            || Files.exists(Path.of("src/site/resources").resolve(link)), page.path() + " links to " + link));
  }

  @Test
  void menuOfTheSiteHasAllPages() throws IOException {
    Set<String> menu = Pattern.compile("href=\"(\\w[\\w-]*)\\.html\"").matcher(Files.readString(Path.of("src/site/site.xml"))).results()
        .map(match -> match.group(1) + ".md").collect(Collectors.toSet());
    Set<String> files = pages().stream().map(DocumentedPage::path).filter(path -> path.startsWith(DocumentedPage.SITE))
        .map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    assertEquals(files, menu);
  }
}
