package dev.plumb.backend.cpu.blas;

import dev.plumb.backend.natives.NativeFolder;
import dev.plumb.backend.natives.NativeLibrary;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * The native libraries of bytedeco's OpenBLAS and of netlib, unpacked to a private folder. JavaCPP would load them from
 * {@code ~/.javacpp/cache} after comparing only size and time: a damaged file would crash the process.
 */
final class OpenBlasNatives implements AutoCloseable {
  private static final String CACHE = "org.bytedeco.javacpp.cachedir";
  private static final String CACHE_IS_FLAT = "org.bytedeco.javacpp.cachedir.nosubdir";

  /** Character before the version in JavaCPP's name of a library. */
  private static final String VERSION = "@";

  /** Platforms with an OpenBLAS by bytedeco that is not among Plumb's dependencies. */
  private static final List<String> OPTIONAL_PLATFORMS = List.of("linux-arm64", "macosx-arm64", "macosx-x86_64", "windows-x86_64");

  private static final String NETLIB = "libnetlibblasjni.so";

  /**
   * A library that JavaCPP would load.
   *
   * @param user the class that needs it
   * @param name its name in JavaCPP
   */
  private record Loadable(Class<?> user, String name, NativeLibrary library) {}

  private final NativeFolder folder;
  private final List<Loadable> libraries;
  private final Optional<NativeLibrary> netlib;

  private OpenBlasNatives(NativeFolder folder, List<Loadable> libraries, Optional<NativeLibrary> netlib) {
    this.folder = folder;
    this.libraries = libraries;
    this.netlib = netlib;
  }

  /**
   * Unpacks the libraries.
   *
   * @throws UnsatisfiedLinkError when the class path has none for this platform
   */
  static OpenBlasNatives open() throws IOException {
    List<Loadable> libraries = new ArrayList<>(libraries(Loader.class));
    libraries.addAll(libraries(openblas_nolapack.class));
    if (libraries.isEmpty()) {
      throw new UnsatisfiedLinkError(missing(Loader.getPlatform()));
    }
    URL resource = netlibResource(System.getProperty("os.name"), System.getProperty("os.arch"));
    Optional<NativeLibrary> netlib = resource == null ? Optional.empty() : Optional.of(NativeLibrary.of(NETLIB, resource));
    List<NativeLibrary> unpacked = new ArrayList<>(libraries.stream().map(Loadable::library).toList());
    netlib.ifPresent(unpacked::add);
    return new OpenBlasNatives(NativeFolder.open("openblas", unpacked, links(libraries)), libraries, netlib);
  }

  private static String missing(String platform) {
    return "there is none for " + platform + (OPTIONAL_PLATFORMS.contains(platform)
        ? "; add openblas and javacpp of org.bytedeco with the classifier " + platform + " to the class path" : "");
  }

  /**
   * Returns netlib's JNI library for a platform, null where netlib has none: it has libraries for Linux only.
   *
   * @param osName as in the property os.name
   * @param osArch as in the property os.arch
   */
  static URL netlibResource(String osName, String osArch) {
    // By the class loader: a class of a named module would find resources of its own module only.
    return OpenBlasNatives.class.getClassLoader().getResource("resources/native/" + osName + "-" + osArch + "/" + NETLIB);
  }

  /**
   * Returns the symbolic links to versioned libraries that JavaCPP would otherwise create itself. If two processes created the
   * same link at once, JavaCPP would unpack all libraries in place, and crash a third process that is loading one of them.
   */
  private static Map<String, String> links(List<Loadable> libraries) {
    Properties properties = Loader.loadProperties();
    // One, or on macOS two: .dylib:.so
    String[] suffixes = properties.getProperty("platform.library.suffix").split(properties.getProperty("platform.path.separator"));
    Map<String, String> links = new LinkedHashMap<>();
    for (Loadable loadable : libraries) {
      if (loadable.name().contains(VERSION)) {
        String file = loadable.library().name();
        Stream.of(suffixes).map(suffix -> link(file, suffix)).flatMap(Optional::stream).findFirst()
            .ifPresent(link -> links.put(link, file));
      }
    }
    // On macOS some libraries exist under both names.
    libraries.forEach(loadable -> links.remove(loadable.library().name()));
    return links;
  }

  /** Returns libname.so for libname.so.5, libname.dylib for libname.5.dylib, and nothing for a file without a version. */
  private static Optional<String> link(String file, String suffix) {
    int end = file.endsWith(suffix) ? file.indexOf('.') : file.indexOf(suffix);
    return Optional.of(end).filter(found -> found > 0).map(found -> file.substring(0, found) + suffix)
        .filter(link -> !link.equals(file));
  }

  /** Returns the libraries that JavaCPP would load for a class, in its order; only those on the class path. */
  private static List<Loadable> libraries(Class<?> user) throws IOException {
    ClassProperties properties = Loader.loadProperties(user, Loader.loadProperties(), true);
    List<String> names = new ArrayList<>(properties.get("platform.preload"));
    names.addAll(properties.get("platform.link"));
    names.add(properties.getProperty("platform.library"));
    List<Loadable> libraries = new ArrayList<>();
    for (String name : names) {
      URL[] found = Loader.findLibrary(user, properties, name, false);
      // A plain file belongs to the system.
      if (found.length > 0 && !found[0].getProtocol().equals("file")) {
        String path = found[0].getRef() == null ? found[0].getPath() : found[0].getRef();
        libraries.add(new Loadable(user, name, NativeLibrary.of(path.substring(path.lastIndexOf('/') + 1), found[0])));
      }
    }
    return libraries;
  }

  /** Loads OpenBLAS so that bytedeco's calls work. */
  void load() throws IOException {
    // Other classes of JavaCPP request their libraries again later; in this cache they find the files that are loaded.
    System.setProperty(CACHE, folder.path().toString());
    System.setProperty(CACHE_IS_FLAT, "true");
    for (Loadable loadable : libraries) {
      URL file = folder.file(loadable.library().name()).toUri().toURL();
      try {
        Loader.loadLibrary(loadable.user(), new URL[] {file}, loadable.name());
      } catch (UnsatisfiedLinkError e) {
        // The system may have it; otherwise the next call reports the missing library.
      }
    }
    Loader.load(openblas_nolapack.class);
  }

  /** Returns the files of OpenBLAS's libraries in the order in which they are loaded. */
  List<Path> files() {
    return libraries.stream().map(loadable -> folder.file(loadable.library().name())).toList();
  }

  /** Returns the file of netlib's library; empty where there is none for this platform. */
  Optional<Path> netlib() {
    return netlib.map(library -> folder.file(library.name()));
  }

  @Override
  public void close() {
    folder.close();
  }
}
