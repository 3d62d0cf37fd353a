package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * Searches for a library, first in the folders of the system's loader, then in those that NVIDIA's installers, pip and conda use.
 * Libraries are loaded by their full paths, so that no LD_LIBRARY_PATH is needed.
 */
final class LibrarySearch {
  /**
   * The result of a search.
   *
   * @param file the first undamaged file
   * @param source the description of that file's folder, like "CUDA_HOME" or "pip, in the environment of python3 on PATH"; empty
   *     if there is no file
   * @param damaged the files before it that are truncated or not libraries
   * @param lookedIn the searched folders, in order, as a user would write them
   */
  record Result(Optional<Path> file, Optional<String> source, List<Path> damaged, List<String> lookedIn) {}

  /**
   * A folder to search, or several.
   *
   * @param folders an absolute path; a star matches any characters in a name
   * @param source the description for the user
   */
  private record Place(String folders, String source) {}

  private static final String CACHE = "/etc/ld.so.cache";

  private static final String LOADER = "system loader";

  private static final List<String> LOADER_FOLDERS = List.of(
      "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");

  /** Folders of the driver library in WSL, in NVIDIA's container images, and on NixOS. */
  private static final List<String> DRIVER_FOLDERS = List.of(
      "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib");

  /** Library folders below that of a CUDA Toolkit. */
  private static final List<String> TOOLKIT_FOLDERS = List.of("/lib64", "/lib", "/targets/x86_64-linux/lib");

  /** Library folders below the prefix of a conda environment: those of conda's packages, and of NVIDIA's. */
  private static final List<String> CONDA_FOLDERS = List.of("/lib", "/targets/x86_64-linux/lib");

  /**
   * Library folders below a Python prefix. NVIDIA's pip packages install the library for CUDA 12 in nvidia/cublas/lib, and that
   * for CUDA 13 in nvidia/cu13/lib. Some distributions use lib64 for packages, and Debian's folder is dist-packages.
   */
  private static final List<String> PIP_FOLDERS = List.of(
      "/lib/python3*/*-packages/nvidia/cu*/lib", "/lib64/python3*/*-packages/nvidia/cu*/lib");

  private final HostEnvironment host;

  LibrarySearch(HostEnvironment host) {
    this.host = host;
  }

  Result driver(CudaPlatform platform) {
    return switch (platform) {
      case LINUX -> search(platform, platform.driverLibrary(), concat(
          loaderFolders(), places(DRIVER_FOLDERS, "", "NVIDIA driver")));
      case WINDOWS -> search(platform, platform.driverLibrary(),
          concat(variable("SystemRoot", List.of("/System32"), "Windows"), path("PATH", ";")));
    };
  }

  /** @param name the library's file name on the platform: "libcublas.so.12" */
  Result cublas(CudaPlatform platform, String name) {
    return switch (platform) {
      case LINUX -> search(platform, name, concat(
          loaderFolders(),
          variable("CUDA_HOME", TOOLKIT_FOLDERS, "CUDA_HOME"),
          variable("CUDA_PATH", TOOLKIT_FOLDERS, "CUDA_PATH"),
          places(TOOLKIT_FOLDERS, "/usr/local/cuda*", "CUDA Toolkit in /usr/local"),
          places(TOOLKIT_FOLDERS, "/opt/cuda*", "CUDA Toolkit in /opt"),
          variable("CONDA_PREFIX", CONDA_FOLDERS, "conda, in CONDA_PREFIX"),
          pythonEnvironments(),
          variable("HOME", PIP_FOLDERS.stream().map(folder -> "/.local" + folder).toList(), "pip, in ~/.local"),
          places(PIP_FOLDERS, "/usr/local", "pip, in /usr/local"),
          places(PIP_FOLDERS, "/usr", "pip, in /usr")));
      case WINDOWS -> search(platform, name, concat(
          variable("CUDA_PATH", List.of("/bin"), "CUDA_PATH"),
          path("PATH", ";"),
          variable("ProgramFiles", List.of("/NVIDIA GPU Computing Toolkit/CUDA/v12*/bin"), "CUDA Toolkit")));
    };
  }

  private Result search(CudaPlatform platform, String name, List<Place> system) {
    List<Place> places = host.hostDevice()
        .map(folder -> List.of(new Place(folder.toAbsolutePath().toString(), "host device")))
        .orElse(system);
    List<String> lookedIn = places.stream().map(Place::folders).toList();
    List<Path> damaged = new ArrayList<>();
    for (Place place : places) {
      for (Path file : place.folders().equals(CACHE) ? cached(name) : inFolders(place.folders(), name)) {
        switch (state(platform, file)) {
          case WHOLE -> {
            return new Result(Optional.of(file), Optional.of(place.source()), damaged, lookedIn);
          }
          case DAMAGED -> damaged.add(file);
          case FOREIGN -> { }
        }
      }
    }
    return new Result(Optional.empty(), Optional.empty(), damaged, lookedIn);
  }

  private static SharedObject.State state(CudaPlatform platform, Path file) {
    if (!Files.isRegularFile(file)) {
      return SharedObject.State.FOREIGN;
    }
    try {
      return platform == CudaPlatform.LINUX ? SharedObject.state(file) : SharedObject.State.WHOLE;
    } catch (IOException e) {
      // A file that cannot be read cannot be loaded either; a later folder may have a readable one.
      return SharedObject.State.DAMAGED;
    }
  }

  private List<Place> loaderFolders() {
    return concat(path("LD_LIBRARY_PATH", "[:;]"), List.of(new Place(CACHE, LOADER)), places(LOADER_FOLDERS, "", LOADER));
  }

  private List<Place> pythonEnvironments() {
    List<Place> places = new ArrayList<>();
    for (PythonEnvironments.Environment environment : PythonEnvironments.find(host)) {
      places.addAll(places(PIP_FOLDERS, environment.prefix(), "pip, in " + environment.name()));
      if (Files.isDirectory(host.at(environment.prefix() + "/conda-meta"))) {
        places.addAll(places(CONDA_FOLDERS, environment.prefix(), "conda, in " + environment.name()));
      }
    }
    return places;
  }

  private List<Path> inFolders(String place, String name) {
    return folders(place).stream().map(folder -> folder.resolve(name)).toList();
  }

  /** Returns the files of that name in the loader's cache, which lists the full paths of all its libraries between zero bytes. */
  private List<Path> cached(String name) {
    String cache;
    try {
      cache = Files.readString(host.at(CACHE), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    String ending = "/" + name + "\0";
    for (int at = cache.indexOf(ending); at >= 0; at = cache.indexOf(ending, at + 1)) {
      int start = cache.indexOf('/', cache.lastIndexOf('\0', at));
      try {
        files.add(host.at(cache.substring(start, at + ending.length() - 1)));
      } catch (InvalidPathException e) {
        // The path has characters that the locale cannot represent.
      }
    }
    return files;
  }

  private static List<Place> places(List<String> folders, String above, String source) {
    return folders.stream().map(folder -> new Place(above + folder, source)).toList();
  }

  private List<Place> variable(String name, List<String> folders, String source) {
    return host.variable(name)
        .map(value -> places(folders, value.replaceFirst("/+$", ""), source))
        .orElse(List.of());
  }

  private List<Place> path(String name, String separators) {
    return host.variable(name).stream()
        .flatMap(value -> Stream.of(value.split(separators)))
        .filter(folder -> !folder.isBlank())
        .map(folder -> new Place(folder, name))
        .toList();
  }

  /** Joins lists of places, without repeated folders. */
  @SafeVarargs
  private static List<Place> concat(List<Place>... parts) {
    Map<String, Place> places = new LinkedHashMap<>();
    for (List<Place> part : parts) {
      part.forEach(place -> places.putIfAbsent(place.folders(), place));
    }
    return List.copyOf(places.values());
  }

  /** Returns the folders that match a place with stars, in descending order of names, so that newer versions come first. */
  private List<Path> folders(String place) {
    try {
      int star = place.indexOf('*');
      if (star < 0) {
        return List.of(host.at(place));
      }
      int from = place.lastIndexOf('/', star);
      if (from < 0) {
        return List.of();
      }
      int to = place.indexOf('/', star) < 0 ? place.length() : place.indexOf('/', star);
      List<Path> matching = new ArrayList<>();
      try (DirectoryStream<Path> entries =
          Files.newDirectoryStream(host.at(place.substring(0, from)), place.substring(from + 1, to))) {
        entries.forEach(matching::add);
      }
      matching.sort(Comparator.reverseOrder());
      List<Path> folders = new ArrayList<>();
      for (Path match : matching) {
        String name = match.getFileName().toString();
        if (!name.contains("*")) {
          folders.addAll(folders(place.substring(0, from + 1) + name + place.substring(to)));
        }
      }
      return folders;
    } catch (IOException | DirectoryIteratorException | InvalidPathException | PatternSyntaxException e) {
      // The folder does not exist or cannot be read.
      return List.of();
    }
  }
}
