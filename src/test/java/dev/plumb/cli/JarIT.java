package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The finished jars: the one with all dependencies has their licenses and can run; the main one has only Plumb. Runs after they were
 * packaged.
 */
class JarIT {
  private static final Path JAR = Path.of("target/plumb-all.jar").toAbsolutePath();
  private static final Path MAIN_JAR = Path.of("target/plumb.jar").toAbsolutePath();
  private static final String LICENCES = "META-INF/licenses/";

  /** Words that the text of each licence has, and no other's here. */
  private static final Map<String, String> WORDS = Map.of(
      "Apache-2.0", "Apache License Version 2.0",
      "MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy of this software",
      "BSD-3-Clause", "Redistributions in binary form must reproduce the above copyright notice",
      "BSL-1.0", "Boost Software License - Version 1.0",
      "GPL-3.0-or-later", "GNU GENERAL PUBLIC LICENSE Version 3",
      "GCC-exception-3.1", "GCC RUNTIME LIBRARY EXCEPTION Version 3.1",
      "LGPL-2.1-or-later", "GNU LESSER GENERAL PUBLIC LICENSE Version 2.1");

  /** One entry of THIRD-PARTY.txt; patterns are of names of files in the jar. */
  private record Component(String name, List<Pattern> files, List<String> licences, List<String> texts, List<String> notices) {
    boolean has(String file) {
      return files.stream().anyMatch(pattern -> pattern.matcher(file).matches());
    }
  }

  @TempDir Path folder;

  private final Map<String, String> files = new TreeMap<>();
  private List<Component> components;

  @BeforeEach
  void readJar() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      for (ZipEntry entry : jar.stream().filter(entry -> !entry.isDirectory()).toList()) {
        boolean isText = entry.getName().startsWith("META-INF/") && !entry.getName().endsWith(".class");
        files.put(entry.getName(), isText ? text(jar, entry) : "");
      }
    }
    components = Stream.of(files.get(LICENCES + "THIRD-PARTY.txt").split("\n\n"))
        .filter(paragraph -> paragraph.startsWith("name: "))
        .map(JarIT::component)
        .toList();
  }

  @Test
  void everyFileBelongsToOneComponentWithALicense() {
    for (String file : files.keySet()) {
      List<String> owners = components.stream().filter(component -> component.has(file)).map(Component::name).toList();
      assertEquals(1, owners.size(), file + " belongs to " + owners + " in THIRD-PARTY.txt");
    }
    for (Component component : components) {
      for (Pattern pattern : component.files()) {
        assertTrue(files.keySet().stream().anyMatch(file -> pattern.matcher(file).matches()),
            component.name() + " has no file " + pattern);
      }
    }
  }

  @Test
  void textOfEveryLicenseIsThere() {
    for (Component component : components) {
      List<String> texts = new ArrayList<>();
      for (String name : component.texts()) {
        String text = files.get(name.startsWith("../") ? "META-INF/" + name.substring(3) : LICENCES + name);
        assertNotNull(text, component.name() + ": there is no " + name);
        texts.add(text.replaceAll("\\s+", " "));
      }
      assertFalse(component.licences().isEmpty(), component.name());
      for (String licence : component.licences()) {
        String words = WORDS.get(licence);
        assertNotNull(words, component.name() + ": " + licence + " is not known here");
        assertTrue(texts.stream().anyMatch(text -> text.contains(words)), component.name() + " lacks the text of " + licence);
      }
      for (String notice : component.notices()) {
        assertTrue(files.get("META-INF/NOTICE").contains(notice), "NOTICE lacks " + notice);
      }
    }
  }

  /** Netlib would be silently done without, if a class that its native part looks up were missing. */
  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  void openBlasLoadsFromTheJar() throws Exception {
    Ran ran = Ran.of(folder, Map.of(), Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "-cp", JAR + ":" + Path.of("target/test-classes").toAbsolutePath(), "dev.plumb.backend.cpu.blas.LoadedOpenBlas");
    // Newer Javas say on stderr that the test's way of starting ignores what the jar's manifest says of native code.
    assertEquals("OpenBLAS\n", ran.out(), ran.err());
  }

  @Test
  void mainJarHasOnlyPlumb() throws IOException {
    Pattern own = Pattern.compile("(dev/plumb|ptx)/.+|META-INF/(MANIFEST\\.MF|LICENSE|NOTICE|maven/dev\\.plumb/plumb/pom\\.(xml|properties))");
    try (JarFile jar = new JarFile(MAIN_JAR.toFile())) {
      List<String> names = jar.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName).toList();
      assertEquals(List.of(), names.stream().filter(name -> !own.matcher(name).matches()).toList());
      assertTrue(names.containsAll(List.of("META-INF/LICENSE", "META-INF/NOTICE", "dev/plumb/Plumb.class", "ptx/plumb.ptx")));
      assertEquals(files.keySet().stream().filter(name -> name.startsWith("dev/plumb/") || name.startsWith("ptx/")).toList(),
          names.stream().filter(name -> name.startsWith("dev/plumb/") || name.startsWith("ptx/")).sorted().toList());
    }
  }

  @Test
  void manifestsNameTheModuleAndOnlyTheRunnableJarHasAMainClass() throws IOException {
    for (Path file : List.of(JAR, MAIN_JAR)) {
      try (JarFile jar = new JarFile(file.toFile())) {
        Attributes attributes = jar.getManifest().getMainAttributes();
        assertEquals("dev.plumb", attributes.getValue("Automatic-Module-Name"), file.toString());
        assertEquals("true", attributes.getValue("Multi-Release"), file.toString());
        assertEquals(file.equals(JAR) ? "dev.plumb.cli.Main" : null, attributes.getValue("Main-Class"));
        assertEquals(file.equals(JAR) ? "ALL-UNNAMED" : null, attributes.getValue("Enable-Native-Access"));
      }
    }
  }

  /** Otherwise the bytes of the jar depend on the time zone and the locale of the build. */
  @Test
  void timesAndNoticeDoNotDependOnWhereItIsBuilt() throws IOException {
    for (Path file : List.of(JAR, MAIN_JAR)) {
      try (JarFile jar = new JarFile(file.toFile())) {
        assertEquals(List.of(LocalDateTime.of(2026, 11, 1, 12, 0)), jar.stream().map(ZipEntry::getTimeLocal).distinct().toList());
        assertTrue(jar.stream().allMatch(entry -> entry.getExtra() == null), "extra fields hold times in UTC");
      }
    }
    assertTrue(files.get("META-INF/NOTICE").contains("Copyright © 2024 Werner Randelshofer"), files.get("META-INF/NOTICE"));
  }

  private static String text(JarFile jar, ZipEntry entry) throws IOException {
    return new String(jar.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
  }

  /** Parses lines "key: value"; a line that starts with a blank continues the previous one. */
  private static Component component(String paragraph) {
    Map<String, String> values = paragraph.replace("\n ", " ").lines()
        .map(line -> line.split(": ", 2))
        .collect(Collectors.toMap(part -> part[0], part -> part[1], (a, b) -> a + " " + b, LinkedHashMap::new));
    return new Component(
        values.get("name"),
        words(values.get("files"), " +").map(JarIT::pattern).toList(),
        words(values.get("licence"), ", | WITH ").toList(),
        words(values.get("texts"), " +").toList(),
        words(values.getOrDefault("notices", ""), "; ").toList());
  }

  private static Stream<String> words(String value, String separator) {
    return Stream.of(value.split(separator)).filter(word -> !word.isEmpty());
  }

  private static Pattern pattern(String withStars) {
    return Pattern.compile(Stream.of(withStars.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
  }
}
