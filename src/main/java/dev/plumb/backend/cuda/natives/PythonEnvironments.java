package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the Python environments on a Linux machine where pip or conda may have installed NVIDIA's libraries: those in VIRTUAL_ENV
 * and CONDA_PREFIX, and those of every {@code python3} and {@code python} on PATH. A virtual environment does not have to be
 * activated: its Python may be on PATH itself or be the target of a link there. Only files are read; no Python is started.
 */
final class PythonEnvironments {
  /**
   * An environment or installation of Python.
   *
   * @param prefix its folder, absolute, without a slash at the end; the root folder is the empty string
   * @param name the description for the user: "VIRTUAL_ENV", "the environment of python3 on PATH"
   */
  record Environment(String prefix, String name) {}

  /** The file that marks a folder as a virtual environment (PEP 405). */
  private static final String CONFIGURATION = "pyvenv.cfg";

  private static final List<String> COMMANDS = List.of("python3", "python");

  /** The number of links that Linux follows in one path. */
  private static final int MAX_LINKS = 40;

  private final HostEnvironment host;
  private final Map<String, Environment> found = new LinkedHashMap<>();

  private PythonEnvironments(HostEnvironment host) {
    this.host = host;
  }

  /** Returns each environment once, under its first name, in search order. */
  static List<Environment> find(HostEnvironment host) {
    PythonEnvironments search = new PythonEnvironments(host);
    search.addNamed("VIRTUAL_ENV");
    search.addNamed("CONDA_PREFIX");
    host.variable("PATH").ifPresent(search::addOnPath);
    return List.copyOf(search.found.values());
  }

  private void addNamed(String variable) {
    host.variable(variable).flatMap(PythonEnvironments::absolute).ifPresent(prefix -> skippingInvalidPaths(() -> {
      add(prefix, variable);
      addBaseInstallation(prefix, variable);
    }));
  }

  /** Runs a search; skips environments whose path has characters that the locale cannot represent. */
  private static void skippingInvalidPaths(Runnable search) {
    try {
      search.run();
    } catch (InvalidPathException e) {
      // Java can neither open such a file nor pass its name to the native loader.
    }
  }

  private void addOnPath(String path) {
    for (String entry : path.split(":")) {
      // A relative entry depends on the current folder; libraries must not.
      Optional<Path> folder = absolute(entry);
      for (String command : COMMANDS) {
        folder.ifPresent(bin -> skippingInvalidPaths(() -> addPython(bin.resolve(command), command + " on PATH")));
      }
    }
  }

  /**
   * Adds the environment of an executable: the virtual environment of the first link or file in its chain of links, or its
   * installation.
   */
  private void addPython(Path python, String name) {
    List<Path> hops = hops(python);
    if (hops.isEmpty()) {
      return;
    }
    String environment = "the environment of " + name;
    for (Path hop : hops) {
      Path bin = parent(hop);
      for (Path folder : List.of(bin, parent(bin))) {
        if (isFile(folder.resolve(CONFIGURATION))) {
          add(folder, environment);
          addBaseInstallation(folder, name);
          return;
        }
      }
    }
    add(installation(hops), environment);
  }

  /** Adds the base installation of a virtual environment, if the environment includes its packages. */
  private void addBaseInstallation(Path environment, String name) {
    Map<String, String> configuration = configuration(environment.resolve(CONFIGURATION));
    if (!configuration.getOrDefault("include-system-site-packages", "").equalsIgnoreCase("true")) {
      return;
    }
    absolute(configuration.getOrDefault("home", "")).ifPresent(home -> {
      Optional<Path> python = COMMANDS.stream()
          .map(command -> hops(home.resolve(command)))
          .filter(hops -> !hops.isEmpty())
          .findFirst()
          .map(PythonEnvironments::installation);
      python.or(() -> resolve(home).map(PythonEnvironments::parent))
          .ifPresent(prefix -> add(prefix, "the base installation of " + name));
    });
  }

  private void add(Path prefix, String name) {
    String text = prefix.equals(prefix.getRoot()) ? "" : prefix.toString();
    // Throws InvalidPathException if the path cannot be represented.
    host.at(text + "/lib");
    found.putIfAbsent(text, new Environment(text, name));
  }

  private static Path installation(List<Path> hops) {
    return parent(parent(hops.get(hops.size() - 1)));
  }

  /**
   * Returns an executable and the target of each link in turn, with resolved folders; empty if the chain does not end at a file.
   */
  private List<Path> hops(Path python) {
    List<Path> hops = new ArrayList<>();
    Path next = python;
    while (hops.size() <= MAX_LINKS) {
      Optional<Path> folder = resolve(parent(next));
      if (folder.isEmpty()) {
        return List.of();
      }
      Path hop = folder.get().resolve(next.getFileName());
      hops.add(hop);
      Optional<Path> target = linkTarget(hop);
      if (target.isEmpty()) {
        return isFile(hop) ? hops : List.of();
      }
      next = folder.get().resolve(target.get());
      if (next.getFileName() == null) {
        return List.of();
      }
    }
    // The links form a cycle.
    return List.of();
  }

  /** Returns a path without links and dots; empty for a cycle of links. Absolute links start at the search's own root. */
  private Optional<Path> resolve(Path path) {
    return resolve(path, new int[1]);
  }

  private Optional<Path> resolve(Path path, int[] links) {
    Path resolved = path.getRoot();
    for (Path name : path) {
      if (name.toString().equals("..")) {
        resolved = parent(resolved);
      } else if (!name.toString().equals(".")) {
        Path next = resolved.resolve(name);
        Optional<Path> target = linkTarget(next);
        if (target.isPresent()) {
          if (++links[0] > MAX_LINKS) {
            return Optional.empty();
          }
          Optional<Path> there = resolve(resolved.resolve(target.get()), links);
          if (there.isEmpty()) {
            return there;
          }
          next = there.get();
        }
        resolved = next;
      }
    }
    return Optional.of(resolved);
  }

  private Optional<Path> linkTarget(Path path) {
    try {
      Path file = host.at(path.toString());
      return Files.isSymbolicLink(file) ? Optional.of(Files.readSymbolicLink(file)) : Optional.empty();
    } catch (IOException e) {
      // The file was deleted in the meantime.
      return Optional.empty();
    }
  }

  private boolean isFile(Path path) {
    return Files.isRegularFile(host.at(path.toString()));
  }

  /** Reads lines of the form "key = value"; converts keys to lower case. */
  private Map<String, String> configuration(Path file) {
    Map<String, String> values = new LinkedHashMap<>();
    if (isFile(file)) {
      try {
        byte[] content = Files.readAllBytes(host.at(file.toString()));
        new String(content, StandardCharsets.UTF_8).lines().filter(line -> line.contains("=")).forEach(line -> {
          int equals = line.indexOf('=');
          values.put(line.substring(0, equals).strip().toLowerCase(Locale.ROOT), line.substring(equals + 1).strip());
        });
      } catch (IOException e) {
        // Python cannot read the file either, and does not start in this environment.
      }
    }
    return values;
  }

  private static Path parent(Path path) {
    return path.getParent() == null ? path : path.getParent();
  }

  private static Optional<Path> absolute(String path) {
    try {
      return Optional.of(Path.of(path)).filter(Path::isAbsolute);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
