package dev.plumb.backend.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Looks for a library first where the system's loader would find it, then where NVIDIA's installers put it. What is found is
 * loaded by its full path, so that no LD_LIBRARY_PATH is needed.
 */
final class LibrarySearch {
  /**
   * What a search came to.
   *
   * @param file the first good one
   * @param damaged files of that name that are cut off or no libraries, up to the good one
   * @param lookedIn the places, in order, as a user would write them
   */
  record Result(Optional<Path> file, List<Path> damaged, List<String> lookedIn) {}

  private static final String CACHE = "/etc/ld.so.cache";

  private static final List<String> LOADER_FOLDERS = List.of(
      "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");

  /** Windows' driver inside WSL, NVIDIA's container images, NixOS. */
  private static final List<String> DRIVER_FOLDERS = List.of(
      "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib");

  private static final List<String> TOOLKIT_FOLDERS = List.of(
      "/usr/local/cuda*/lib64", "/usr/local/cuda*/targets/x86_64-linux/lib", "/opt/cuda*/lib64");

  /** Below a prefix of Python: NVIDIA's pip packages for CUDA 12 and 13. */
  private static final List<String> PIP_FOLDERS = List.of(
      "/lib/python3*/*-packages/nvidia/cublas/lib", "/lib/python3*/*-packages/nvidia/cu13/lib");

  private final Surroundings surroundings;

  LibrarySearch(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  Result driver(CudaPlatform platform) {
    return switch (platform) {
      case LINUX -> search(platform, platform.driverLibrary(), concat(loaderFolders(), DRIVER_FOLDERS));
      case WINDOWS -> search(platform, platform.driverLibrary(),
          concat(variable("SystemRoot", "/System32"), path("PATH", ";")));
    };
  }

  /** @param name libcublas.so.12, or how else the platform calls it */
  Result cublas(CudaPlatform platform, String name) {
    return switch (platform) {
      case LINUX -> search(platform, name, concat(
          loaderFolders(),
          variable("CUDA_HOME", "/lib64"), variable("CUDA_HOME", "/lib"),
          variable("CUDA_PATH", "/lib64"), variable("CUDA_PATH", "/lib"),
          TOOLKIT_FOLDERS,
          variable("CONDA_PREFIX", "/lib"),
          pip("VIRTUAL_ENV", ""), pip("CONDA_PREFIX", ""), pip("HOME", "/.local"),
          PIP_FOLDERS.stream().flatMap(folder -> Stream.of("/usr/local" + folder, "/usr" + folder)).toList()));
      case WINDOWS -> search(platform, name, concat(
          variable("CUDA_PATH", "/bin"),
          path("PATH", ";"),
          variable("ProgramFiles", "/NVIDIA GPU Computing Toolkit/CUDA/v12*/bin")));
    };
  }

  private Result search(CudaPlatform platform, String name, List<String> system) {
    List<String> places = surroundings.hostDevice()
        .map(folder -> List.of(folder.toAbsolutePath().toString()))
        .orElse(system);
    List<Path> damaged = new ArrayList<>();
    for (String place : places) {
      for (Path file : place.equals(CACHE) ? cached(name) : inFolders(place, name)) {
        switch (state(platform, file)) {
          case WHOLE -> {
            return new Result(Optional.of(file), damaged, places);
          }
          case DAMAGED -> damaged.add(file);
          case FOREIGN -> { }
        }
      }
    }
    return new Result(Optional.empty(), damaged, places);
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

  private List<String> loaderFolders() {
    return concat(path("LD_LIBRARY_PATH", "[:;]"), List.of(CACHE), LOADER_FOLDERS);
  }

  private List<Path> inFolders(String place, String name) {
    return folders(place).stream().map(folder -> folder.resolve(name)).toList();
  }

  /** The loader's cache holds the full paths of all libraries that it knows, as strings with zero bytes around them. */
  private List<Path> cached(String name) {
    String cache;
    try {
      cache = Files.readString(surroundings.at(CACHE), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    String ending = "/" + name + "\0";
    for (int at = cache.indexOf(ending); at >= 0; at = cache.indexOf(ending, at + 1)) {
      int start = cache.indexOf('/', cache.lastIndexOf('\0', at));
      files.add(surroundings.at(cache.substring(start, at + ending.length() - 1)));
    }
    return files;
  }

  private List<String> pip(String variable, String below) {
    return PIP_FOLDERS.stream().flatMap(folder -> variable(variable, below + folder).stream()).toList();
  }

  private List<String> variable(String name, String below) {
    return surroundings.variable(name).map(value -> value + below).stream().toList();
  }

  private List<String> path(String name, String separators) {
    return surroundings.variable(name).stream()
        .flatMap(value -> Stream.of(value.split(separators)))
        .filter(folder -> !folder.isBlank())
        .toList();
  }

  @SafeVarargs
  private static List<String> concat(List<String>... parts) {
    Set<String> all = new LinkedHashSet<>();
    for (List<String> part : parts) {
      all.addAll(part);
    }
    return List.copyOf(all);
  }

  /** The folders that a place with stars in it stands for; of several versions the last by name first. */
  private List<Path> folders(String place) {
    try {
      int star = place.indexOf('*');
      if (star < 0) {
        return List.of(surroundings.at(place));
      }
      int from = place.lastIndexOf('/', star);
      int to = place.indexOf('/', star) < 0 ? place.length() : place.indexOf('/', star);
      List<Path> matching = new ArrayList<>();
      try (DirectoryStream<Path> entries =
          Files.newDirectoryStream(surroundings.at(place.substring(0, from)), place.substring(from + 1, to))) {
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
    } catch (IOException | InvalidPathException e) {
      // There is no such folder.
      return List.of();
    }
  }
}
