package dev.plumb.backend;

import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A fingerprint of everything besides specification and data that decides the last bits of a training: where two are equal, a
 * training that is continued gives the bits of one that was not interrupted. The number of threads is not part of it, as results do
 * not depend on it.
 *
 * @param entries by name, without line ends: backend, precision, java, products, GPU
 */
public record Numerics(SortedMap<String, String> entries) {
  private static final String SEPARATOR = ": ";
  private static final String ALTERNATIVES = "; ";
  private static final String NONE = "none";

  public Numerics {
    entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
  }

  /**
   * Returns the entries that every backend has. Java is one of them, as it computes powers, cosines and logarithms by code of its
   * own in each release and on each kind of processor; updates of a release do not change that.
   */
  public static Numerics of(DeviceInfo.Kind kind, Precision precision) {
    return new Numerics(new TreeMap<>())
        .with("backend", kind.key())
        .with("precision", precision.key())
        .with("java", Runtime.version().feature() + ", " + virtualMachine() + ", " + System.getProperty("os.arch"));
  }

  /** Returns the same with one more entry. */
  public Numerics with(String name, String value) {
    SortedMap<String, String> more = new TreeMap<>(entries);
    more.put(name, value);
    return new Numerics(more);
  }

  /** Returns the fingerprint of several trainings: where they differ, an entry has all values in order. */
  public Numerics and(Numerics other) {
    SortedMap<String, String> merged = new TreeMap<>(entries);
    other.entries.forEach((name, value) -> merged.merge(name, value, (one, more) -> {
      TreeSet<String> values = new TreeSet<>(List.of(one.split(ALTERNATIVES)));
      values.addAll(List.of(more.split(ALTERNATIVES)));
      return String.join(ALTERNATIVES, values);
    }));
    return new Numerics(merged);
  }

  /** Returns what differs, in words, entry by entry: {@code products was "plain Java", now "OpenBLAS 0.3.31, kernels ZEN"}. */
  public List<String> differences(Numerics now) {
    TreeSet<String> names = new TreeSet<>(entries.keySet());
    names.addAll(now.entries.keySet());
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      String was = entries.getOrDefault(name, NONE);
      String is = now.entries.getOrDefault(name, NONE);
      if (!was.equals(is)) {
        differences.add(name + " was \"" + was + "\", now \"" + is + "\"");
      }
    }
    return differences;
  }

  /** Returns one line per entry, which {@link #parse} reads. */
  public String text() {
    return String.join("\n", entries.entrySet().stream().map(entry -> entry.getKey() + SEPARATOR + entry.getValue()).toList());
  }

  /** Reads what {@link #text} returned. */
  public static Numerics parse(String text) {
    SortedMap<String, String> entries = new TreeMap<>();
    text.lines().forEach(line -> {
      String[] parts = line.split(SEPARATOR, 2);
      entries.put(parts[0], parts.length == 2 ? parts[1] : "");
    });
    return new Numerics(entries);
  }

  /** Builds of OpenJDK have the same code for mathematical functions; virtual machines of other origin have their own. */
  private static String virtualMachine() {
    String name = System.getProperty("java.vm.name", "");
    if (System.getProperty("java.vm.version", "").contains("jvmci") || name.contains("Graal")) {
      return "GraalVM";
    }
    return name.contains("OpenJDK") && !name.contains("OpenJ9") || name.contains("HotSpot") ? "HotSpot" : name;
  }
}
