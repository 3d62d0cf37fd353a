package dev.plumb;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The allowed dependencies between packages: jdeps reads the compiled classes, and the table below must allow every use. */
class ImportRulesTest {
  private static final String ROOT = "dev.plumb";

  /** The packages of Plumb that each package may use. Only the root package uses the backends, which never use each other. */
  private static final Map<String, Set<String>> ALLOWED = Map.ofEntries(
      entry("random", Set.of()),
      entry("model", Set.of("random")),
      entry("json", Set.of("model")),
      entry("data", Set.of("model", "random")),
      entry("store", Set.of("model", "data", "json")),
      entry("backend", Set.of("model", "data")),
      entry("backend.reference", Set.of("model", "data", "backend")),
      entry("backend.natives", Set.of("model")),
      entry("backend.cuda.natives", Set.of("model", "backend", "backend.natives", "json")),
      entry("backend.cuda.device", Set.of("model", "backend", "backend.cuda.natives")),
      entry("backend.cuda.session", Set.of("model", "data", "backend", "backend.cuda.device")),
      entry("backend.cuda.layered", Set.of("model", "data", "backend", "backend.cuda.device", "backend.cuda.session")),
      entry("backend.cuda.fused", Set.of("model", "data", "backend", "backend.cuda.device", "backend.cuda.session")),
      entry("backend.cuda", Set.of("model", "data", "backend", "backend.cuda.natives", "backend.cuda.device", "backend.cuda.session",
          "backend.cuda.layered", "backend.cuda.fused")),
      entry("backend.cpu", Set.of("model", "data", "backend", "backend.cpu.engine", "backend.cpu.blas", "backend.cpu.fp64",
          "backend.cpu.fp32")),
      entry("backend.cpu.blas", Set.of("backend.cpu.engine", "backend.natives")),
      entry("backend.cpu.engine", Set.of("model", "data", "backend")),
      entry("backend.cpu.fp64", Set.of("model", "data", "backend", "backend.cpu.engine")),
      entry("backend.cpu.fp32", Set.of("model", "data", "backend", "backend.cpu.engine")),
      entry("check", Set.of("model", "random", "data", "backend")),
      entry("train", Set.of("model", "random", "data", "backend", "store", "json")),
      entry("study", Set.of("model", "random", "data", "backend", "store", "train", "json")),
      entry("report", Set.of("train", "study", "model", "backend")),
      entry("bench", Set.of("model", "random", "data", "backend", "study", "json")),
      entry("cli", Set.of(
          "", "model", "random", "data", "backend", "store", "train", "study", "report", "check", "bench", "json")),
      entry("", Set.of("model", "data", "store", "train", "study", "backend", "backend.reference", "backend.cuda", "backend.cuda.natives",
          "backend.cuda.device", "backend.cpu")));

  /** The only packages that may use a library, so that it can be replaced there. */
  private static final Map<String, Set<String>> CONFINED = Map.of(
      "jcuda", Set.of("backend.cuda", "backend.cuda.natives", "backend.cuda.device", "backend.cuda.session", "backend.cuda.layered",
          "backend.cuda.fused"),
      "org.bytedeco", Set.of("backend.cpu.blas"),
      "de.siegmar.fastcsv", Set.of("data"),
      "ch.randelshofer.fastdoubleparser", Set.of("data"),
      "com.fasterxml.jackson", Set.of("json", "store", "train", "study", "bench", "cli"),
      "org.apache.commons.cli", Set.of("cli"),
      "org.apache.commons.numbers", Set.of("backend.reference"),
      "org.apache.commons.statistics", Set.of("bench", "cli", "report", "study"),
      "me.tongfei.progressbar", Set.of("cli"));

  private static SortedMap<String, Set<String>> uses;

  @BeforeAll
  static void readTheClasses() throws Exception {
    Path classes = Path.of(Version.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    StringWriter out = new StringWriter();
    ToolProvider jdeps = ToolProvider.findFirst("jdeps").orElseThrow();
    int code = jdeps.run(new PrintWriter(out), new PrintWriter(out),
        "-verbose:package", "-filter:none", "--ignore-missing-deps", "--multi-release", "base", classes.toString());
    assertEquals(0, code, out.toString());
    uses = new TreeMap<>();
    Pattern use = Pattern.compile("^ +(\\S+) +-> +(\\S+).*");
    for (String line : out.toString().lines().toList()) {
      Matcher matcher = use.matcher(line);
      if (matcher.matches()) {
        uses.computeIfAbsent(matcher.group(1), name -> new TreeSet<>()).add(matcher.group(2));
      }
    }
  }

  @Test
  void everyPackageHasItsRule() {
    Set<String> known = new TreeSet<>();
    uses.keySet().forEach(name -> known.add(inner(name)));
    assertEquals(new TreeSet<>(ALLOWED.keySet()), known, "packages with rules (expected) and packages that exist");
  }

  @Test
  void packagesUseOnlyAllowedPackages() {
    int seen = 0;
    for (Map.Entry<String, Set<String>> entry : uses.entrySet()) {
      for (String used : entry.getValue()) {
        if (used.startsWith(ROOT) && !used.equals(entry.getKey())) {
          seen++;
          assertTrue(ALLOWED.get(inner(entry.getKey())).contains(inner(used)), entry.getKey() + " must not use " + used);
        }
      }
    }
    assertTrue(seen > 20, "only " + seen + " uses were found: has the output of jdeps changed?");
  }

  @Test
  void librariesAreUsedOnlyByTheirPackages() {
    for (Map.Entry<String, Set<String>> entry : uses.entrySet()) {
      for (String used : entry.getValue()) {
        CONFINED.forEach((library, homes) -> assertTrue(
            !used.startsWith(library) || homes.contains(inner(entry.getKey())), entry.getKey() + " must not use " + used));
      }
    }
    assertTrue(uses.get(ROOT + ".cli").stream().anyMatch(name -> name.startsWith("org.apache.commons.cli")), uses.toString());
  }

  private static String inner(String packageName) {
    return packageName.equals(ROOT) ? "" : packageName.substring(ROOT.length() + 1);
  }
}
