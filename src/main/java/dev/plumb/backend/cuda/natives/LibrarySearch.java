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
 * Looks for a library first where the system's loader would find it, then where NVIDIA's installers, pip and conda put it.
 * What is found is loaded by its full path, so that no LD_LIBRARY_PATH is needed.
 */
final class LibrarySearch {
  /**
   * The result of a search.
   *
   * @param file the first good one
   * @param source what the place of that file is, like "CUDA_HOME" or "pip, in the environment of python3 on PATH"; empty
   *     when there is no file
   * @param damaged files of that name that are cut off or no libraries, up to the good one
   * @param lookedIn the places, in order, as a user would write them
   */
  record Result(Optional<Path> file, Optional<String> source, List<Path> damaged, List<String> lookedIn) {}

  /**
   * A folder to look into, or several.
   *
   * @param folders absolute; a star stands for any characters in a name
   * @param source what the place is, as a user knows it
   */
  private record Place(String folders, String source) {}

  private static final String CACHE = "/etc/ld.so.cache";

  private static final String LOADER = "system loader";

  private static final List<String> LOADER_FOLDERS = List.of(
      "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");

  /** Windows' driver inside WSL, NVIDIA's container images, NixOS. */
  private static final List<String> DRIVER_FOLDERS = List.of(
      "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib");

  /** Below the folder of a CUDA Toolkit. */
  private static final List<String> TOOLKIT_FOLDERS = List.of("/lib64", "/lib", "/targets/x86_64-linux/lib");

  /** Below the prefix of a conda environment: of its own packages, and of NVIDIA's. */
  private static final List<String> CONDA_FOLDERS = List.of("/lib", "/targets/x86_64-linux/lib");

  /**
   * Below a prefix of Python. NVIDIA's pip packages put the library for CUDA 12 into nvidia/cublas/lib, that for CUDA 13 into
   * nvidia/cu13/lib; some distributions have packages in lib64, and Debian calls its folder dist-packages.
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

  /** @param name libcublas.so.12, or how else the platform calls it */
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
      // What cannot be read cannot be loaded either, and something further on may do.
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

  /** The loader's cache holds the full paths of all libraries that it knows, as strings with zero bytes around them. */
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
        // The locale does not have its characters.
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

  /** Joins lists of places; folders that occur again are left out. */
  @SafeVarargs
  private static List<Place> concat(List<Place>... parts) {
    Map<String, Place> all = new LinkedHashMap<>();
    for (List<Place> part : parts) {
      part.forEach(place -> all.putIfAbsent(place.folders(), place));
    }
    return List.copyOf(all.values());
  }

  /** The folders that a place with stars in it stands for; of several versions the last by name first. */
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
      // There is no such folder.
      return List.of();
    }
  }
}
