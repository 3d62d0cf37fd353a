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
 * Finds the Python environments on a Linux machine into which pip or conda may have installed NVIDIA's libraries: those that
 * VIRTUAL_ENV and CONDA_PREFIX name, and those of every {@code python3} and {@code python} on PATH. A virtual environment
 * needs no activation for that: its Python may be on PATH itself or be the target of a link there. Only files are read; no
 * Python is started.
 */
final class PythonEnvironments {
  /**
   * An environment or installation of Python.
   *
   * @param prefix its folder, absolute, without a slash at the end; the root folder is the empty string
   * @param name what it is, as a user knows it: "VIRTUAL_ENV", "the environment of python3 on PATH"
   */
  record Environment(String prefix, String name) {}

  /** The file that makes a folder a virtual environment (PEP 405). */
  private static final String CONFIGURATION = "pyvenv.cfg";

  private static final List<String> COMMANDS = List.of("python3", "python");

  /** Linux follows no more links than this in one path. */
  private static final int MAX_LINKS = 40;

  private final HostEnvironment host;
  private final Map<String, Environment> found = new LinkedHashMap<>();

  private PythonEnvironments(HostEnvironment host) {
    this.host = host;
  }

  /** Returns each environment once, under its first name, in the order in which they are to be searched. */
  static List<Environment> find(HostEnvironment host) {
    PythonEnvironments search = new PythonEnvironments(host);
    search.addNamed("VIRTUAL_ENV");
    search.addNamed("CONDA_PREFIX");
    host.variable("PATH").ifPresent(search::addOnPath);
    return List.copyOf(search.found.values());
  }

  private void addNamed(String variable) {
    host.variable(variable).flatMap(PythonEnvironments::absolute).ifPresent(prefix -> skippingUnnamable(() -> {
      add(prefix, variable);
      addBaseInstallation(prefix, variable);
    }));
  }

  /** Skips an environment on whose way there is a name with characters that the locale does not have. */
  private static void skippingUnnamable(Runnable search) {
    try {
      search.run();
    } catch (InvalidPathException e) {
      // Java cannot open such a file by its name, and the native loader is given names.
    }
  }

  private void addOnPath(String path) {
    for (String entry : path.split(":")) {
      // A relative entry depends on the current folder, and no library should.
      Optional<Path> folder = absolute(entry);
      for (String command : COMMANDS) {
        folder.ifPresent(bin -> skippingUnnamable(() -> addPython(bin.resolve(command), command + " on PATH")));
      }
    }
  }

  /** Adds the environment of an executable: the virtual one that it or a link on its way belongs to, or its installation. */
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

  /** Adds the installation that a virtual environment was made from, where the environment sees its packages too. */
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
    // Throws for what cannot be searched by its name.
    host.at(text + "/lib");
    found.putIfAbsent(text, new Environment(text, name));
  }

  private static Path installation(List<Path> hops) {
    return parent(parent(hops.get(hops.size() - 1)));
  }

  /** Returns an executable and what each link leads to, with folders free of links; empty when there is no file at the end. */
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
    // Links in a circle.
    return List.of();
  }

  /** Returns a path without links and dots; empty for links in a circle. Absolute links start at the search's own root. */
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
      // It has gone in the meantime.
      return Optional.empty();
    }
  }

  private boolean isFile(Path path) {
    return Files.isRegularFile(host.at(path.toString()));
  }

  /** Reads lines of the form "key = value"; keys in lower case. */
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
        // It may not be read: then Python does not start there either.
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
