package dev.plumb.backend;

import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The properties of a machine and its software that affect the last bits of a training's results. Where they are equal, a resumed
 * training gives the same bits as one that was not interrupted. The number of threads is not among them: results do not depend on
 * it.
 *
 * @param entries value by name, without line breaks; names are backend, precision, java, products, GPU, ...
 */
public record Numerics(SortedMap<String, String> entries) {
  private static final String SEPARATOR = ": ";
  private static final String ALTERNATIVES = "; ";
  private static final String NONE = "none";

  public Numerics {
    entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
  }

  /**
   * Returns the entries that every backend has. Java is one of them: powers, cosines and logarithms round differently in each
   * feature release and on each processor architecture, but not in update releases.
   */
  public static Numerics of(DeviceInfo.Kind kind, Precision precision) {
    return new Numerics(new TreeMap<>())
        .with("backend", kind.key())
        .with("precision", precision.key())
        .with("java", Runtime.version().feature() + ", " + virtualMachine() + ", " + System.getProperty("os.arch"));
  }

  /** Returns these numerics with one entry added or replaced. */
  public Numerics with(String name, String value) {
    SortedMap<String, String> extended = new TreeMap<>(entries);
    extended.put(name, value);
    return new Numerics(extended);
  }

  /** Returns the combined numerics of several trainings: an entry in which they differ lists all values, sorted. */
  public Numerics and(Numerics other) {
    SortedMap<String, String> merged = new TreeMap<>(entries);
    other.entries.forEach((name, value) -> merged.merge(name, value, (first, second) -> {
      TreeSet<String> values = new TreeSet<>(List.of(first.split(ALTERNATIVES)));
      values.addAll(List.of(second.split(ALTERNATIVES)));
      return String.join(ALTERNATIVES, values);
    }));
    return new Numerics(merged);
  }

  /** Returns a description of each entry that differs: {@code products was "plain Java", now "OpenBLAS 0.3.31, kernels ZEN"}. */
  public List<String> differences(Numerics now) {
    return differing(this, now, (name, was, is) -> name + " was \"" + was + "\", now \"" + is + "\"");
  }

  /** Returns a description of each entry that differs, for two devices: {@code GPU is "NVIDIA A10, ...", not "NVIDIA L4, ..."}. */
  public List<String> differencesFrom(Numerics expected) {
    return differing(expected, this, (name, there, here) -> name + " is \"" + here + "\", not \"" + there + "\"");
  }

  private interface Difference {
    String text(String name, String first, String second);
  }

  private static List<String> differing(Numerics first, Numerics second, Difference difference) {
    TreeSet<String> names = new TreeSet<>(first.entries.keySet());
    names.addAll(second.entries.keySet());
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      String one = first.entries.getOrDefault(name, NONE);
      String other = second.entries.getOrDefault(name, NONE);
      if (!one.equals(other)) {
        differences.add(difference.text(name, one, other));
      }
    }
    return differences;
  }

  /** Returns one line per entry, in the format that {@link #parse} reads. */
  public String text() {
    return String.join("\n", entries.entrySet().stream().map(entry -> entry.getKey() + SEPARATOR + entry.getValue()).toList());
  }

  /** Parses the result of {@link #text}. */
  public static Numerics parse(String text) {
    SortedMap<String, String> entries = new TreeMap<>();
    text.lines().forEach(line -> {
      String[] parts = line.split(SEPARATOR, 2);
      entries.put(parts[0], parts.length == 2 ? parts[1] : "");
    });
    return new Numerics(entries);
  }

  /**
   * Returns the family of the virtual machine: all builds of OpenJDK share their mathematical functions, other families do not.
   */
  private static String virtualMachine() {
    String name = System.getProperty("java.vm.name", "");
    if (System.getProperty("java.vm.version", "").contains("jvmci") || name.contains("Graal")) {
      return "GraalVM";
    }
    return name.contains("OpenJDK") && !name.contains("OpenJ9") || name.contains("HotSpot") ? "HotSpot" : name;
  }
}
